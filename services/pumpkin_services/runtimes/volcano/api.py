"""The Kubernetes API as plain documents: create, delete, get, list, watch. Knows nothing of workloads."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any, cast

import aiohttp
from kubernetes.aio import client as kube
from kubernetes.aio import config as kube_config

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.volcano.settings import ClusterSettings

SECONDS = 30.0
"""How long an ordinary call may take."""
SILENCE_SECONDS = 90.0
"""How long a watch may be silent: the API server sends a bookmark every minute."""
SKEW_MS = 10_000
"""Clocks that differ by less are taken to agree: an answer says the time in whole seconds, and may be slow."""
THROTTLED_SECONDS = 10.0
"""How long a call comes back to an API server that asks for it, as it does when there are too many."""
PAGE = 500
MERGE = "application/merge-patch+json"
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Node": "/api/v1/nodes",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "PersistentVolumeClaim": "/api/v1/persistentvolumeclaims",
    "Pod": "/api/v1/pods",
    "ResourceQuota": "/api/v1/resourcequotas",
    "Secret": "/api/v1/secrets",
    "ServiceAccount": "/api/v1/serviceaccounts",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/networkpolicies",
    "PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
    "Job": "/apis/batch.volcano.sh/v1alpha1/jobs",
    "PodGroup": "/apis/scheduling.volcano.sh/v1beta1/podgroups",
    "Queue": "/apis/scheduling.volcano.sh/v1beta1/queues",
}
"""Where objects of each kind are listed over all namespaces; `Job` is Volcano's."""


class Refused(Unavailable):
    """The API server answered, and the answer is no; `code` is the HTTP status. To those above it may pass, too:
    an admin can set right what is not allowed, or not there.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"The cluster refuses: {message}")
        self.code = code


class Throttled(Unavailable):
    """The API server has too much to do: come back after so many seconds."""

    def __init__(self, seconds: float, message: str) -> None:
        super().__init__(f"The cluster cannot do this now: {message}")
        self.seconds = seconds


def path(kind: str, namespace: str = "", name: str = "") -> str:
    """Return the path of one object, or of all objects of a kind in a namespace."""
    head, _, plural = PATHS[kind].rpartition("/")
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"{head}{place}/{plural}" + (f"/{name}" if name else "")


class Api:
    """One cluster's API server. Every call raises `Unavailable`, as `Refused` where it was told no."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._client: Any = None
        self._ahead_ms = 0

    async def open(self) -> None:
        """Read the credentials; they are renewed as needed. Raises `Unavailable` when there are none."""
        configuration = cast(Any, kube.Configuration)()
        try:
            if self._settings.kubeconfig:
                await cast(Any, kube_config).load_kube_config(
                    config_file=self._settings.kubeconfig, client_configuration=configuration, persist_config=False
                )
            else:
                cast(Any, kube_config).load_incluster_config(client_configuration=configuration)
        except Exception as error:
            raise Unavailable(f"There is no way into the cluster, set c.Cluster.kubeconfig: {error}") from error
        configuration.connection_pool_maxsize = 0  # each log that is followed holds a connection
        self._client = cast(Any, kube.ApiClient)(configuration=configuration)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._client is not None:
            await self._client.close()

    def now(self) -> int:
        """Return the time by the cluster's clock, which its objects are dated with, in Unix milliseconds."""
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def _compare_clocks(self, date: str) -> None:
        ahead = int(parsedate_to_datetime(date).timestamp() * 1000) - time.time_ns() // 1_000_000
        self._ahead_ms = ahead if abs(ahead) > SKEW_MS else 0

    @asynccontextmanager
    async def _send(
        self,
        method: str,
        where: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        try:
            words = await self._client.param_serialize(
                method, where, query_params=list((query or {}).items()), header_params=headers, body=body,
                auth_settings=["BearerToken"],
            )  # fmt: skip
            answer = await self._client.call_api(
                *words, _request_timeout=timeout or aiohttp.ClientTimeout(total=SECONDS)
            )
            response: aiohttp.ClientResponse = answer.response
            if "Date" in response.headers:
                self._compare_clocks(response.headers["Date"])
            try:
                if response.status >= 400:
                    raise _refusal(response.status, await response.text(), response.headers.get("Retry-After", ""))
                yield response
            finally:
                response.close() if timeout else response.release()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"The cluster does not answer: {error or type(error).__name__}.") from error

    async def call(
        self,
        method: str,
        where: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Any:
        """Do one request, return the decoded answer."""
        limit = time.monotonic() + THROTTLED_SECONDS
        while True:
            try:
                async with self._send(method, where, query=query, body=body, content_type=content_type) as response:
                    return json.loads(await response.read())
            except Throttled as error:
                # All who were refused together must not come back together.
                pause = error.seconds * random.uniform(1, 2)
                if time.monotonic() + pause > limit:
                    raise
                await asyncio.sleep(pause)

    async def create(self, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """Make an object; None when there is one of this name already."""
        metadata = item["metadata"]
        try:
            return await self.call("POST", path(item["kind"], metadata.get("namespace", "")), body=item)
        except Refused as error:
            if error.code == 409:
                return None
            raise

    async def delete(self, kind: str, namespace: str, name: str, *, grace: int | None = None, uid: str = "") -> bool:
        """Delete an object and what it owns; False when there is none. With `uid`, only that very one."""
        options: dict[str, Any] = {"propagationPolicy": "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            await self.call("DELETE", path(kind, namespace, name), body=options)
        except Refused as error:
            if error.code == 404 or (error.code == 409 and uid):
                return False
            raise
        return True

    async def pages(self, where: str, selector: str = "") -> AsyncIterator[dict[str, Any]]:
        """Yield a list page by page, as one consistent state."""
        query: dict[str, str | int] = {"limit": PAGE}
        if selector:
            query["labelSelector"] = selector
        while True:
            page = await self.call("GET", where, query=query)
            yield page
            following = page["metadata"].get("continue", "")
            if not following:
                return
            query["continue"] = following

    async def watch(self, where: str, *, selector: str, version: str, seconds: int) -> AsyncIterator[dict[str, Any]]:
        """Yield the events after `version` for about so many seconds; raise `Refused` 410 when it is too old."""
        query: dict[str, str | int] = {
            "watch": 1, "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": seconds,
        }  # fmt: skip
        if selector:
            query["labelSelector"] = selector
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SECONDS, sock_read=SILENCE_SECONDS)
        async with self._send("GET", where, query=query, timeout=timeout) as response:
            while line := await response.content.readline():
                event: dict[str, Any] = json.loads(line)
                if event["type"] == "ERROR":
                    raise Refused(event["object"].get("code", 500), event["object"].get("message", ""))
                yield event

    async def stream(self, where: str, query: Mapping[str, str | int]) -> AsyncIterator[bytes]:
        """Yield the body of an answer as it comes, for as long as it comes."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SECONDS)
        async with self._send("GET", where, query=query, timeout=timeout) as response:
            async for chunk in response.content.iter_any():
                yield chunk


def _refusal(status: int, text: str, later: str) -> Exception:
    try:
        message = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        message = text[:300]
    if status == 429 and later.isdigit():
        return Throttled(int(later), message)
    if status == 429 or status >= 500:
        return Unavailable(f"The cluster cannot do this now: {message}")
    return Refused(status, message)
