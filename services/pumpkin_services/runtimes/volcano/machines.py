"""A cluster's nodes and queues as the platform's: read, labelled, closed and opened."""

from __future__ import annotations

from collections import Counter
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
ROOT = "root"
"""Volcano's own Queue around all others."""
AMOUNTS = ("capability", "deserved", "guarantee")


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
        await self._set_queues(queues_of(pools, self._settings))

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._api.close()

    async def _nodes(self) -> list[dict[str, Any]]:
        return [node async for page in self._api.pages(path("Node")) for node in page["items"]]

    async def _set_queues(self, wanted: list[dict[str, Any]]) -> None:
        """Make the Queues of pools `wanted`, which has parents before their children."""
        have: dict[str, Mapping[str, str]] = {
            item["metadata"]["name"]: item["metadata"].get("labels") or {}
            async for page in self._api.pages(path("Queue"))
            for item in page["items"]
        }
        # What is ours and not wanted is of pools that are gone.
        ours = (name for name, labels in have.items() if labels.get(names.MANAGED_BY) == names.MANAGER)
        changes: dict[str, dict[str, Any]] = {name: {"parent": ROOT} for name in ours}
        for item in wanted:
            name, spec = item["metadata"]["name"], item["spec"]
            changes[name] = spec
            if name not in have:
                # Volcano starts nothing anywhere while a Queue's parent is missing: a failure ends this here.
                bare = {key: value for key, value in spec.items() if key not in AMOUNTS}
                await self._api.create(item | {"spec": bare})
        if left := await self._change_queues(changes):
            # Each waits for what another has: all let go of it, for a moment.
            await self._change_queues({name: {} for name in left})
            if left := await self._change_queues({name: changes[name] for name in left}):
                raise next(iter(left.values()))

    async def _change_queues(self, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Refused]:
        """Change Queues as far as that is possible in any order; return what is refused in the end.

        Volcano's webhooks look at each change alone, and refuse one that is right only once another is made.
        """
        refused: dict[str, Refused] = {}
        for name, spec in changes.items():
            # Only what is ours: an admin may have set more in the cluster. What is null here is taken away.
            patch = {"spec": {"deserved": None, "guarantee": None} | dict(spec)}
            try:
                await self._api.call("PATCH", path("Queue", name=name), body=patch, content_type=MERGE)
            except Refused as error:
                refused[name] = error
        if len(refused) in (0, len(changes)):
            return refused
        return await self._change_queues({name: changes[name] for name in refused})


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


def queues_of(pools: Mapping[str, Share], settings: ClusterSettings) -> list[dict[str, Any]]:
    """Return the Queues of all pools, parents before their children.

    Workloads wait in Queues without children only: while one is in another Volcano starts nothing at all. So a pool
    with parts has two, one around theirs and its own, which has what the pool gets, and its own. That deserves what the
    parts leave, and is guaranteed nothing, so that any of them may have what is guaranteed to the pool and to no part.
    Around all of them is one that has every pool's nodes: of what a Queue without limits has no guarantee is kept.
    """
    everything = {machine.name: machine for share in pools.values() for machine in share.machines}
    whole = _amounts(everything.values(), settings)
    guaranteed = _sum(_guarantee(share, settings) for share in pools.values() if not share.parent)
    top = {"capability": whole, "deserved": whole, "guarantee": guaranteed}
    made = [queue(names.ALL, "", parent=ROOT, **_written(top, settings))]
    for pool in sorted(pools, key=lambda name: (_depth(name, pools), name)):
        share, outer = pools[pool], names.around(pools[pool].parent)
        gets = {
            "capability": _amounts(share.machines, settings),
            "deserved": _deserved(share, settings),
            "guarantee": _guarantee(share, settings),
        }
        if parts := [other for other in pools.values() if other.parent == pool]:
            made.append(queue(names.around(pool), pool, parent=outer, **_written(gets, settings)))
            outer = names.around(pool)
            left = gets["deserved"] - _sum(_deserved(part, settings) for part in parts)
            gets = {"capability": gets["capability"], "deserved": left}
        made.append(queue(names.queue(pool), pool, parent=outer, **_written(gets, settings)))
    return made


def _depth(pool: str, pools: Mapping[str, Share]) -> int:
    return 1 + _depth(pools[pool].parent, pools) if pools[pool].parent else 0


def _deserved(share: Share, settings: ClusterSettings) -> Counter[str]:
    return _amounts(share.machines, settings, share.deserved_percent)


def _guarantee(share: Share, settings: ClusterSettings) -> Counter[str]:
    return _amounts(share.machines, settings, share.guarantee_percent)


def _amounts(machines: Iterable[Machine], settings: ClusterSettings, percent: int = 100) -> Counter[str]:
    """Return a part of what nodes have: thousandths of a core, bytes, accelerators rounded down to whole ones."""
    whole = Counter[str]()
    for machine in machines:
        whole["cpu"] += machine.cpu_milli
        whole["memory"] += machine.memory
        whole[settings.accelerator_resource] += sum(machine.accelerators.values())
    return Counter({name: number * percent // 100 for name, number in whole.items()})


def _sum(amounts: Iterable[Counter[str]]) -> Counter[str]:
    return sum(amounts, Counter[str]())


def _written(amounts: Mapping[str, Counter[str]], settings: ClusterSettings) -> dict[str, dict[str, str]]:
    """Return amounts as Kubernetes writes them, without those of nothing.

    Each names every resource: of others a queue would not be limited.
    """
    return {
        name: {
            "cpu": f"{each['cpu']}m",
            "memory": str(each["memory"]),
            settings.accelerator_resource: str(each[settings.accelerator_resource]),
        }
        for name, each in amounts.items()
        if name == "capability" or each.total()
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
