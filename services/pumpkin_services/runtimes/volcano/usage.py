"""What replicas use, as the kubelets tell: one question per node for all its pods."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from pumpkin_services.runtimes.base import Usage
from pumpkin_services.runtimes.volcano.api import Api, Refused
from pumpkin_services.runtimes.volcano.objects import NOTEBOOK, Pod, milliseconds
from pumpkin_services.runtimes.volcano.pods import MAIN

FRESH_SECONDS = 2.0
"""How long one answer of a kubelet serves: all workloads are asked about at once."""


class Kubelets:
    """Asks the kubelets, through the API server."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._answers: dict[str, tuple[float, asyncio.Task[dict[str, dict[str, Any]]]]] = {}

    async def usage(self, pods: Iterable[Pod]) -> dict[str, Usage]:
        """Return what pods use, by replica; a node that cannot say is left out."""
        found: dict[str, Usage] = {}
        for pod in pods:
            container = (await self._pods(pod.node)).get(pod.uid)
            sample = None if container is None else _sample(pod.replica, container)
            if sample is not None:
                found[pod.replica] = sample
        return found

    async def _pods(self, node: str) -> dict[str, dict[str, Any]]:
        """Return by pod's uid what the kubelet of a node says of the main containers."""
        now = time.monotonic()
        asked, answer = self._answers.get(node, (0.0, None))
        if answer is None or now > asked + FRESH_SECONDS:
            self._answers = {name: item for name, item in self._answers.items() if now < item[0] + 60}
            answer = asyncio.create_task(self._ask(node))
            self._answers[node] = (now, answer)
        return await asyncio.shield(answer)

    async def _ask(self, node: str) -> dict[str, dict[str, Any]]:
        try:
            summary = await self._api.call("GET", f"/api/v1/nodes/{node}/proxy/stats/summary")
        except Refused:
            return {}
        pods: list[dict[str, Any]] = summary.get("pods") or []
        found: dict[str, dict[str, Any]] = {}
        for pod in pods:
            containers: list[dict[str, Any]] = pod.get("containers") or []
            for container in containers:
                if container["name"] in (MAIN, NOTEBOOK):
                    found[pod["podRef"]["uid"]] = container
        return found


def _sample(replica: str, container: dict[str, Any]) -> Usage | None:
    cpu: dict[str, Any] = container.get("cpu") or {}
    memory: dict[str, Any] = container.get("memory") or {}
    at = milliseconds(cpu.get("time"))
    if at is None or "usageCoreNanoSeconds" not in cpu:
        return None
    return Usage(
        replica=replica,
        time=at,
        cpu_ms=cpu["usageCoreNanoSeconds"] // 1_000_000,
        memory=memory.get("workingSetBytes", 0),
    )
