"""The Volcano runtime: jobs as vcjobs, notebooks' tickets as PodGroups, all of it seen through informers.

What is true of a replica is what its pod says until it has ended, and then what was written down (see `records`): the
cluster's objects of an attempt are removed as soon as everything of it has come home.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.base import Key, Launch, LogChunk, Observation, Usage
from pumpkin_services.runtimes.hints import Hints
from pumpkin_services.runtimes.logfile import follow, read_chunk
from pumpkin_services.runtimes.volcano import manifests, names, objects
from pumpkin_services.runtimes.volcano.api import MERGE, Api, Refused, path
from pumpkin_services.runtimes.volcano.cleaning import Cleaner
from pumpkin_services.runtimes.volcano.keeper import Keeper
from pumpkin_services.runtimes.volcano.observe import ended_by_us, observe
from pumpkin_services.runtimes.volcano.records import Asked, Records
from pumpkin_services.runtimes.volcano.settings import ClusterSettings
from pumpkin_services.runtimes.volcano.state import State
from pumpkin_services.runtimes.volcano.usage import Kubelets

log = logging.getLogger("pumpkin.cluster")
SYNC_SECONDS = 30.0
BARE_SECONDS = 60.0
"""A job that was let in and has no pod for so long gets none: Volcano's controller can miss that it was let in, when
the API server goes away at that moment, and does not look again."""
LOG_POLL_FIRST, LOG_POLL_SECONDS = 0.01, 0.25


class VolcanoRuntime:
    """Runs workloads on the cluster that `settings` describe; keeps logs and ends below `data/runs`."""

    def __init__(self, settings: ClusterSettings, data: Path) -> None:
        self.settings = settings
        self.api = Api(settings)
        self._hints = Hints()
        self._records = Records(data.resolve() / "runs")
        self._state = State(self.api, prefix=settings.namespace_prefix, heard=self._heard)
        self._cleaner = Cleaner(self.api, self._state, self._records)
        self._keeper = Keeper(self.api, self._records, changed=self._hints.add, over=self._cleaner.over)
        self._kubelets = Kubelets(self.api)
        self._made: dict[str, asyncio.Lock] = {}
        self._ready: set[str] = set()
        self._offering: set[Key] = set()
        """Offered, and so far we know of a Secret at most: we may not list those."""
        self._bare: dict[Key, float] = {}
        """Jobs that were let in and have no pod, and since when, in monotonic seconds."""
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """See `Runtime.start`: reach the cluster, make sure of Volcano, and know what is there."""
        self._records.runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Each pod that runs holds three: its lock, its log and the connection the log comes by.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        await self.api.open()
        try:
            await self.api.call("GET", "/apis/batch.volcano.sh/v1alpha1")
        except Refused as error:
            raise Unavailable(f"This cluster has no Volcano, or we may not use it: {error}") from error
        self._watching = asyncio.create_task(self._state.run())
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                await self._state.synced()
        except TimeoutError:
            await self.close()
            raise Unavailable("The cluster does not say what is there: see the log of the service.") from None

    async def close(self) -> None:
        """See `Runtime.close`."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
            self._watching = None
        self._keeper.close()
        await self.api.close()

    def _heard(self, before: Any, after: Any) -> None:
        item = after or before
        if isinstance(item, objects.Pod):
            self._keeper.heard(before, after)
            # Once it has started its keeper tells, when that is written down.
            matters = item.main is None or item.main.started is None
        elif before is None or after is None:
            matters = True
        elif isinstance(item, objects.Group):
            matters = before.admitted != after.admitted
        else:
            matters = before.over != after.over
        if matters:
            self._hints.add(item.key)

    # -- starting ---------------------------------------------------------------------------------------------

    async def launch(self, launch: Launch) -> None:
        """See `Runtime.launch`. A notebook's pod is its spawner's to make; a job is there since it was offered."""
        if launch.kind != "job" or self._state.job(launch.key) is not None:
            return
        if not await asyncio.to_thread(self._records.began, launch.key):
            await self.offer(launch)

    async def offer(self, launch: Launch) -> None:
        """See `Tickets.offer`."""
        await asyncio.to_thread(self._records.remember, self.settings, launch)
        await self._make_place(launch)
        self._offering.add(launch.key)
        secret = manifests.secret(self.settings, launch)
        make = manifests.job if launch.kind == "job" else manifests.ticket
        if secret is not None:
            await self._create(secret)
        self._state.note(await self._create(make(self.settings, launch)))
        self._offering.discard(launch.key)

    async def _make_place(self, launch: Launch) -> None:
        """Make the workspace's namespace and the user's home, once as long as this process lives."""
        namespace = names.namespace(self.settings.namespace_prefix, launch.workspace)
        home = f"{namespace}/{names.home(launch.user)}"
        async with self._made.setdefault(namespace, asyncio.Lock()):
            if namespace not in self._ready:
                for item in manifests.namespace_objects(self.settings, launch.workspace):
                    if await self._create(item) is None and item["kind"] == "ServiceAccount":
                        await self._take_token(item)
                self._ready.add(namespace)
            if launch.user and home not in self._ready:
                await self._create(manifests.home(self.settings, workspace=launch.workspace, user=launch.user))
                self._ready.add(home)

    async def _take_token(self, account: dict[str, Any]) -> None:
        """Have pods of a service account get no token: every namespace is born with its `default`."""
        where = path("ServiceAccount", account["metadata"]["namespace"], account["metadata"]["name"])
        change = {"automountServiceAccountToken": account["automountServiceAccountToken"]}
        await self.api.call("PATCH", where, body=change, content_type=MERGE)

    async def _create(self, item: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return await self.api.create(item)
        except Refused as error:
            if error.code == 404:  # its namespace is gone: it is made again at the next try
                self._ready.clear()
            kind, name = item["kind"], item["metadata"]["name"]
            raise Unavailable(f"The {kind} {name} cannot be made. {error}") from error

    # -- ending -----------------------------------------------------------------------------------------------

    async def stop(self, key: Key, *, grace: float) -> None:
        """See `Runtime.stop`."""
        await asyncio.to_thread(self._records.stop, key)
        await self._cleaner.stop(key, grace=grace)

    async def withdraw(self, key: Key) -> None:
        """See `Tickets.withdraw`. What had ended before stays known; of what never began nothing is left."""
        await self._keeper.settled(key, 10)
        if not await asyncio.to_thread(self._records.over, key):
            await asyncio.to_thread(self._records.stop, key)
        await self._cleaner.clear(key, grace=1)
        self._offering.discard(key)
        self._bare.pop(key, None)
        if not await asyncio.to_thread(self._records.ran, key):
            await asyncio.to_thread(self._records.forget, key)

    async def delete(self, key: Key) -> None:
        """See `Runtime.delete`."""
        await asyncio.to_thread(self._records.stop, key)
        await self._cleaner.clear(key, grace=1)
        await self._cleaner.gone(key)
        self._offering.discard(key)
        self._bare.pop(key, None)
        await asyncio.to_thread(self._records.forget, key)

    async def tidy(self, key: Key) -> list[str]:
        """See `Runtime.tidy`."""
        if self._keeper.brings(key):
            return []
        found = [objects.words(item) for item in self._state.of(key)]
        await self.withdraw(key)
        return found

    # -- looking ----------------------------------------------------------------------------------------------

    async def observe(self, key: Key) -> dict[str, Observation]:
        """See `Runtime.observe`."""
        asked = await asyncio.to_thread(self._records.asked, key)
        if asked is None:
            return {}
        pods = {pod.replica: pod for pod in self._state.pods(key)}
        return await asyncio.to_thread(
            lambda: {name: self._observe(key, name, asked, pods.get(name)) for name in asked.replicas}
        )

    def _observe(self, key: Key, replica: str, asked: Asked, pod: objects.Pod | None) -> Observation:
        known = self._records.exited(key, replica)
        if known is not None:
            return known
        started = self._records.started(key, replica)
        now = self.api.now()
        if pod is not None:
            seen = observe(pod, asked=asked.replicas[replica], now=now, stopped=self._records.stopped(key))
            if not seen.final:
                return seen
            # It is final once its log and its end have come home.
            if seen.started is None:
                return Observation(replica=replica, state="starting", node=pod.node)
            return Observation(replica=replica, state="running", started=seen.started, node=pod.node, host=pod.ip)
        if started is not None:
            if self._keeper.keeps(key, replica):
                return Observation(replica=replica, state="running", started=started["started"], node=started["node"])
            return self._bury(key, replica, started, now)
        return self._unstarted(key, replica, asked)

    def _bury(self, key: Key, replica: str, started: dict[str, Any], now: int) -> Observation:
        """Write the end of a replica whose pod vanished while nobody watched."""
        if self._records.stopped(key):
            seen = ended_by_us(replica, started=started["started"], now=now)
        else:
            seen = Observation(
                replica=replica, state="lost", started=started["started"], ended=now, node=started["node"],
                cause="its pod vanished while the platform was away",
            )  # fmt: skip
        self._records.exit(key, seen)
        return self._records.exited(key, replica) or seen

    def _unstarted(self, key: Key, replica: str, asked: Asked) -> Observation:
        job, group = self._state.job(key), self._state.group(key)
        if self._records.stopped(key):
            return Observation(replica=replica, state="absent")
        admitted = group is not None and group.admitted
        cause = ""
        if job is not None and job.over and not self._keeper.keeps(key, replica):
            cause = "the job was ended in the cluster before this replica started"
        elif self._forgotten(key, bare=job is not None and admitted and not self._state.pods(key)):
            cause = "the cluster let it in and made no pod for it"
        if cause:
            seen = Observation(replica=replica, state="lost", cause=cause)
            self._records.exit(key, seen)
            return seen
        if job is None and group is None:
            return Observation(replica=replica, state="absent")
        waiting = "Admitted, its pod is being made." if admitted else f"Waiting for {asked.replicas[replica]}."
        return Observation(replica=replica, state="starting", waiting=waiting)

    def _forgotten(self, key: Key, *, bare: bool) -> bool:
        if not bare:
            self._bare.pop(key, None)
            return False
        now = time.monotonic()
        return now > self._bare.setdefault(key, now) + BARE_SECONDS

    async def tickets(self) -> dict[Key, bool]:
        """See `Tickets.tickets`."""
        return self._state.tickets()

    async def list(self) -> list[Key]:
        """See `Runtime.list`."""
        return sorted({*await asyncio.to_thread(self._records.keys), *self._state.keys()})

    async def alive(self) -> list[Key]:
        """See `Runtime.alive`: what the cluster has objects of, and what may have a Secret alone."""
        return sorted({*self._offering, *self._state.keys()})

    async def usage(self, key: Key) -> dict[str, Usage]:
        """See `Runtime.usage`."""
        running = [
            pod
            for pod in self._state.pods(key)
            if pod.node and pod.phase == "Running" and pod.main is not None and pod.main.state == "running"
        ]
        return await self._kubelets.usage(running)

    async def read_log(self, key: Key, replica: str, *, offset: int = 0, limit: int = 1 << 20) -> LogChunk:
        """See `Runtime.read_log`."""
        return await asyncio.to_thread(read_chunk, self._records.replica(key, replica), offset, limit)

    def follow_log(self, key: Key, replica: str, *, offset: int = 0) -> AsyncIterator[LogChunk]:
        """See `Runtime.follow_log`."""
        return follow(
            lambda at: self.read_log(key, replica, offset=at), offset, first=LOG_POLL_FIRST, longest=LOG_POLL_SECONDS
        )

    async def wait_change(self, timeout: float) -> set[Key]:
        """See `Runtime.wait_change`."""
        return await self._hints.wait(timeout)
