"""Notebook servers as pods of a cluster, in the room that the platform's ticket holds for them.

The platform says what the pod must be and watches it; the Hub makes it, by KubeSpawner. KubeSpawner's own options keep
working: ours are laid over them at every start and taken off again, so a start knows nothing of the one before.
"""

from __future__ import annotations

import asyncio
import copy
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from kubernetes_asyncio.client.rest import ApiException
from kubespawner import KubeSpawner
from traitlets import Bool, Dict, Integer, List, Unicode, default

from pumpkin_spawners.base import POLL_SECONDS, NoStart, PumpkinSpawner
from pumpkin_spawners.local import IN_HOME
from pumpkin_spawners.merging import both_terms, by, context, listed, literal
from pumpkin_spawners.platform import Away, Grant, Refused
from pumpkin_spawners.pod_events import told

START = "pumpkin.io/start"
"""Annotation with a word of its own for each start, by which a start knows its pod again."""
WATCH_SECONDS = 1.0
LISTENS_SECONDS = 0.05
AGREE_SECONDS = 5.0
"""How long the platform has to see, too, that the pod has ended or is gone."""
IN_IMAGE = (
    """
here=$(python3 -c 'from importlib.util import find_spec
print(find_spec("pumpkin_spawners").submodule_search_locations[0])' 2>/dev/null) && {
  export JUPYTER_CONFIG_PATH="$here/notebook/config${JUPYTER_CONFIG_PATH:+:$JUPYTER_CONFIG_PATH}"
  export JUPYTER_PATH="$here/notebook/data${JUPYTER_PATH:+:$JUPYTER_PATH}"
}
export PUMPKIN_SERVER_ENVIRONMENT="${PUMPKIN_SERVER_ENVIRONMENT:-$PUMPKIN_ENVIRONMENT}"
"""
    + IN_HOME
)
"""Our configuration and kernels lie in the image, where its Python keeps our packages; an image without them serves
plain Jupyter."""


# The Hub awaits what `start` returns: a coroutine of ours, a task of KubeSpawner's.
class VolcanoSpawner(PumpkinSpawner, KubeSpawner):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Makes the pod the platform describes, and agrees with the platform on how it ends.

    Of KubeSpawner, the options without `config` below are not for settings: namespaces are the workspaces', made by the
    platform; an ended pod is the platform's to remove, once its outputs are home; specs take the place of profiles.
    """

    enable_user_namespaces = Bool(True, help="Pods are followed in all namespaces.")
    user_namespace_template = Unicode("{hubnamespace}", help="Where a pod is looked for that was never made.")
    delete_stopped_pods = Bool(False, help="Left to the platform.")
    profile_list: List[Any] = List(help="Not offered: people choose a spec.")
    delete_grace_period = Integer(
        30, help="Seconds a pod has to end when the Hub removes it; the agents in it send home what it left."
    ).tag(config=True)

    _theirs = Dict(help="What the options were before ours were laid over them.")
    _pod = Dict(help="The platform's description of the pod of the present start.")
    _pod_of = Unicode(help="The workload whose pod `namespace` and `pod_name` mean.")
    _start_word = Unicode()

    async def launch(self, grant: Grant) -> str:
        """Make the pod and wait until it runs; whatever prevents that ends with a sentence, and the grant is back."""
        self._dress(await self.platform.pod(grant.workload))
        self._pod_of = grant.workload
        try:
            await self.platform.claim(grant.workload, port=self.port, timeout=20, wait=False)
            return await self._run(grant.workload)
        except ApiException as error:
            await self._abandon()
            raise NoStart(
                f"The cluster refused the notebook's pod: {_said(error)}", reason="refused", status_code=503
            ) from error
        except TimeoutError as error:
            await self._abandon()
            message = "The notebook's pod did not start in time: see the events of its workload, and try again."
            raise NoStart(message, reason="timeout", status_code=503, log_message=str(error)) from error
        except BaseException:
            await self._abandon()
            raise

    async def poll(self) -> int | None:
        """Return None while it runs, else the exit status the platform has recorded (or will, of the ended pod)."""
        status = await super().poll()
        if status is not None or self._pod_of != self.workload:
            return status
        ended = cast(int | None, await cast(Any, KubeSpawner).poll(self))
        if ended is None:
            return None
        give_up = time.monotonic() + AGREE_SECONDS
        while status is None and time.monotonic() < give_up:
            await asyncio.sleep(POLL_SECONDS)
            status = await super().poll()
        return ended if status is None else status

    async def stop(self, now: bool = False) -> None:
        """Have the platform stop it, which knows then that this was meant; then make sure that the pod is gone."""
        await super().stop(now)
        if self.workload and self._pod_of == self.workload:
            await cast(Any, KubeSpawner).stop(self, now)

    def load_state(self, state: dict[str, Any]) -> None:
        """Find the pod again after a restart of the Hub."""
        super().load_state(state)
        self._pod_of = self.workload if "pod_name" in state else ""

    def clear_state(self) -> None:
        """Forget the server that was, and what it made of the options."""
        self._undress()
        super().clear_state()
        self._pod_of = ""

    def get_env(self) -> dict[str, Any]:
        """Add the grant's variables, which win: paths and addresses as the pod knows them."""
        env = cast(dict[str, Any], cast(Any, super()).get_env())
        given: Mapping[str, str] = self._pod.get("env", {})
        home = given.get("PUMPKIN_HOME")
        return env | ({"HOME": home} if home else {}) | dict(given)

    async def get_pod_manifest(self) -> Any:
        """Return KubeSpawner's manifest; a server that ended is not started again behind the platform's back."""
        pod = await cast(Any, super()).get_pod_manifest()
        pod.spec.restart_policy = "Never"
        if pod.spec.enable_service_links is None:
            pod.spec.enable_service_links = False
        return pod

    async def _events(self) -> list[dict[str, Any]]:
        events: list[Any] = cast(Any, self).events if self._pod_of else []
        return [*await super()._events(), *filter(None, map(told, events))]

    # -- the options ------------------------------------------------------------------------------------------

    def _dress(self, pod: dict[str, Any]) -> None:
        """Lay what the grant demands over what was configured."""
        self._undress()
        self._pod, self._start_word = pod, secrets.token_hex(16)
        theirs = cast(Any, self)
        ours: dict[str, Any] = {
            "namespace": pod["namespace"],
            "pod_name": pod["pod_name"],
            "image": pod["image"],
            "image_pull_policy": pod["image_pull_policy"],
            "image_pull_secrets": [*_several(theirs.image_pull_secrets), *pod.get("image_pull_secrets", ())],
            # KubeSpawner's common labels win over the extra ones, and say that it manages the pod.
            "common_labels": {name: text for name, text in theirs.common_labels.items() if name not in pod["labels"]},
            "extra_labels": theirs.extra_labels | literal(pod["labels"]),
            "extra_annotations": theirs.extra_annotations | literal(pod["annotations"]) | {START: self._start_word},
            "scheduler_name": pod["scheduler_name"],
            "priority_class_name": pod.get("priority_class_name") or theirs.priority_class_name,
            # What the ticket holds, no more and no less; a configured accelerator would slip past the queue.
            "cpu_limit": pod["cpu"] or None,
            "cpu_guarantee": pod["cpu"] or None,
            "mem_limit": pod["memory"] or None,
            "mem_guarantee": pod["memory"] or None,
            "extra_resource_limits": dict(pod["extra_resource_limits"]),
            "extra_resource_guarantees": dict(pod["extra_resource_limits"]),
            "node_affinity_required": both_terms(theirs.node_affinity_required, pod["node_affinity_required"]),
            "tolerations": [*listed(theirs.tolerations), *pod["tolerations"]],
            "volumes": by("name", theirs.volumes, literal(pod["volumes"])),
            "volume_mounts": by("mountPath", theirs.volume_mounts, literal(pod["volume_mounts"])),
            "init_containers": by("name", theirs.init_containers, literal(pod["init_containers"])),
            "pod_security_context": context(theirs.pod_security_context, pod["pod_security_context"]),
            "container_security_context": context(theirs.container_security_context, pod["container_security_context"]),
            "working_dir": pod.get("working_dir") or theirs.working_dir,
            "cmd": ["/bin/sh", "-c", IN_IMAGE, "notebook", *(theirs.cmd or ["jupyterhub-singleuser"])],
            "hub_connect_url": theirs.hub_connect_url or _door(pod["env"].get("PUMPKIN_URL", "")),
        }
        self._theirs = {name: copy.deepcopy(getattr(theirs, name)) for name in ours}
        for name, value in ours.items():
            setattr(self, name, value)
        theirs.dns_name = theirs.dns_name_template.format(namespace=pod["namespace"], name=pod["pod_name"])

    def _undress(self) -> None:
        for name, value in self._theirs.items():
            setattr(self, name, value)
        self._theirs, self._pod = {}, {}

    # -- starting ---------------------------------------------------------------------------------------------

    async def _run(self, workload: str) -> str:
        """Return the server's URL once its pod runs, unless the platform says before that it will not."""
        starting = asyncio.create_task(self._up())
        watching = asyncio.create_task(self._over(workload))
        try:
            await asyncio.wait({starting, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                raise watching.result()
            return str(starting.result())
        finally:
            starting.cancel()
            watching.cancel()
            await asyncio.gather(starting, watching, return_exceptions=True)

    async def _up(self) -> str:
        """Return the server's URL once it listens. The Hub would find that out, too, but pauses longer and longer."""
        url = str(await cast(Any, KubeSpawner).start(self))
        where = urlsplit(url)
        give_up = time.monotonic() + cast(Any, self).http_timeout
        while time.monotonic() < give_up:
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    _, writer = await asyncio.open_connection(where.hostname, where.port)
            except OSError:
                await asyncio.sleep(LISTENS_SECONDS)
            else:
                writer.close()
                break
        return url

    async def _over(self, workload: str) -> NoStart:
        """Return why the start is over, once it is: its image, its node, its place in the queue, or no pod any more."""
        last_there: float | None = None
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._is_there():
                last_there = time.monotonic()
            try:
                grant = await self.platform.get(workload)
            except (Away, Refused):
                continue
            if grant is None or grant.state == "ended":
                message = (grant.message if grant else "") or "The notebook ended before it was up."
                return NoStart(message, reason="failed", status_code=503)
            if grant.state == "queued":
                # Its room turned out to be none. It keeps its place, and the platform starts it again.
                self.workload = ""
                return self.no_room(grant)
            # The platform knows better why, if it does.
            if last_there is not None and time.monotonic() > last_there + AGREE_SECONDS:
                message = "The notebook's pod was removed from the cluster before it ran: start it again."
                return NoStart(message, reason="removed", status_code=503)

    def _is_there(self) -> bool:
        this = cast(Any, self)
        return this.pod_reflector is not None and f"{this.namespace}/{this.pod_name}" in this.pod_reflector.pods

    async def _abandon(self) -> None:
        """Give the grant back, unless it waits again, and remove the pod. The Hub tells why, so nothing is raised."""
        try:
            if self.workload:
                await self.platform.release(self.workload)
        except (Away, Refused) as error:
            self.log.warning("Cannot give back the grant of %s: %s", self._log_name, error)
        try:
            await cast(Any, KubeSpawner).stop(self, True)
        except (ApiException, TimeoutError) as error:
            self.log.warning("Cannot remove the pod of %s; the platform will: %s", self._log_name, error)
        self.workload = self._pod_of = ""

    async def _make_create_pod_request(self, pod: Any, request_timeout: float) -> bool:
        """Make the pod, or find that a request which timed out has made it.

        KubeSpawner deletes a pod of that name and tries again; here the platform would see its notebook die.
        """
        this = cast(Any, self)
        try:
            await asyncio.wait_for(this.api.create_namespaced_pod(this.namespace, pod), request_timeout)
        except TimeoutError:
            return False
        except ApiException as error:
            if cast(Any, error).status != 409:
                raise
            found = await this.api.read_namespaced_pod(this.pod_name, this.namespace)
            annotations = cast(Mapping[str, str], found.metadata.annotations or {})
            if annotations.get(START) != self._start_word:
                message = "An earlier start of this notebook was cut off; it has been ended now: start it again."
                raise NoStart(message, reason="cut_off", status_code=503) from error
        return True

    async def _ensure_namespace(self) -> None:
        """Make none: the workspace has one, with what keeps it apart from others, before there is a ticket in it."""

    # KubeSpawner has an options form of its own, for its profiles.

    @default("options_form")
    def _form(self) -> Any:
        return cast(Any, PumpkinSpawner)._form(self)

    @default("options_from_form")
    def _from_form(self) -> Any:
        return self.options_of_form


def _door(url: str) -> str | None:
    """Return scheme and host of the platform as pods reach it; what the Hub answers lies behind the same proxy."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None


def _several(value: Any) -> list[Any]:
    return ([value] if value else []) if isinstance(value, str) else listed(value)


def _said(error: ApiException) -> str:
    answer = cast(Any, error)
    try:
        return str(json.loads(answer.body)["message"])
    except (TypeError, ValueError, KeyError):
        return f"{answer.status} {answer.reason}"
