"""A cluster's nodes and queues as the platform's: read, labelled, closed and opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pumpkin_services.runtimes.base import Machine, Share
from pumpkin_services.runtimes.volcano import names
from pumpkin_services.runtimes.volcano.api import MERGE, Api, Refused, path
from pumpkin_services.runtimes.volcano.namespaces import priority_classes, queue
from pumpkin_services.runtimes.volcano.settings import ClusterSettings

CLOSED = "pumpkin.io/drained"
"""Annotation of nodes that we closed, so that those somebody else closed stay closed."""
BINARY = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50}
DECIMAL = {"m": Decimal("0.001"), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
UNTYPED = "accelerator"


class VolcanoMachines:
    """The machines of a cluster (see `Machines`), by a connection of its own."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._api = Api(settings)
        self._open = False

    async def machines(self) -> list[Machine]:
        """See `Machines.machines`. Control planes and others with taints we do not tolerate are left out."""
        if not self._open:
            await self._api.open()
            for item in priority_classes():
                await self._api.create(item)
            self._open = True
        nodes = [node for node in await self._nodes() if _takes_workloads(node, self._settings)]
        return sorted((machine(node, self._settings) for node in nodes), key=lambda item: item.name)

    async def close(self, name: str, *, closed: bool) -> None:
        """See `Machines.close`."""
        mark = {"metadata": {"annotations": {CLOSED: "true" if closed else None}}, "spec": {"unschedulable": closed}}
        await self._api.call("PATCH", path("Node", name=name), body=mark, content_type=MERGE)

    async def set_pools(self, pools: Mapping[str, Share]) -> None:
        """See `Machines.set_pools`. What runs in the queue of a pool that is gone goes on; the queue stays for it."""
        wanted: dict[str, set[str]] = {}
        for pool, share in pools.items():
            for member in share.machines:
                wanted.setdefault(member.name, set()).add(names.pool_label(pool))
        for node in await self._nodes():
            metadata = node["metadata"]
            have = {label for label in metadata.get("labels", {}) if label.startswith(names.POOL)}
            want = wanted.get(metadata["name"], set())
            if have != want:
                labels = dict.fromkeys(have - want) | dict.fromkeys(want, "true")
                patch = {"metadata": {"labels": labels}}
                await self._api.call("PATCH", path("Node", name=metadata["name"]), body=patch, content_type=MERGE)
        for pool, share in pools.items():
            await self._queue(queue_of(pool, share, self._settings))

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._api.close()

    async def _nodes(self) -> list[dict[str, Any]]:
        return [node async for page in self._api.pages(path("Node")) for node in page["items"]]

    async def _queue(self, item: dict[str, Any]) -> None:
        if await self._api.create(item) is None:
            where = path("Queue", name=item["metadata"]["name"])
            # Only what is ours: an admin may have set more in the cluster. What is null here is taken away.
            patch = {"spec": {"deserved": None, "guarantee": None} | item["spec"]}
            try:
                await self._api.call("PATCH", where, body=patch, content_type=MERGE)
            except Refused as error:
                if error.code != 404:
                    raise


def machine(node: Mapping[str, Any], settings: ClusterSettings) -> Machine:
    """Return a node of the API as the platform sees it."""
    offered: Mapping[str, str] = node["status"].get("allocatable", {})
    labels: Mapping[str, str] = node["metadata"].get("labels", {})
    annotations: Mapping[str, str] = node["metadata"].get("annotations", {})
    conditions: list[dict[str, Any]] = node["status"].get("conditions", [])
    count = int(amount(offered.get(settings.accelerator_resource, "0")))
    return Machine(
        name=node["metadata"]["name"],
        cpu_milli=int(amount(offered.get("cpu", "0")) * 1000),
        memory=int(amount(offered.get("memory", "0"))),
        accelerators={labels.get(settings.accelerator_label, UNTYPED): count} if count else {},
        ready=any(item["type"] == "Ready" and item["status"] == "True" for item in conditions),
        closed=bool(node["spec"].get("unschedulable")),
        ours=CLOSED in annotations,
    )


def queue_of(pool: str, share: Share, settings: ClusterSettings) -> dict[str, Any]:
    """Return the Queue of a pool. Shares are of all its nodes together, accelerators rounded down to whole ones."""
    percents = {"capability": 100, "deserved": share.deserved_percent, "guarantee": share.guarantee_percent}
    amounts = {name: amounts_of(share.machines, settings, percent) for name, percent in percents.items() if percent}
    return queue(pool, **amounts)


def amounts_of(machines: Iterable[Machine], settings: ClusterSettings, percent: int) -> dict[str, str]:
    """Return a part of what nodes have. It names every resource: of others a queue would not be limited."""
    machines = list(machines)
    accelerators = sum(sum(item.accelerators.values()) for item in machines)
    return {
        "cpu": f"{sum(item.cpu_milli for item in machines) * percent // 100}m",
        "memory": str(sum(item.memory for item in machines) * percent // 100),
        settings.accelerator_resource: str(accelerators * percent // 100),
    }


def amount(text: str) -> Decimal:
    """Return a quantity as Kubernetes writes it (`500m`, `4Gi`, `2`) as a number."""
    for suffix, factor in (BINARY | DECIMAL).items():
        if text.endswith(suffix):
            return Decimal(text.removesuffix(suffix)) * factor
    return Decimal(text)


def _takes_workloads(node: Mapping[str, Any], settings: ClusterSettings) -> bool:
    tolerated = {names.POOL_TAINT, settings.accelerator_resource}
    taints: list[dict[str, str]] = node["spec"].get("taints", [])
    return all(
        taint["key"] in tolerated
        or taint["effect"] == "PreferNoSchedule"
        or taint["key"].startswith("node.kubernetes.io/")
        for taint in taints
    )
