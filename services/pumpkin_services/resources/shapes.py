"""Pure rules of fitting and seeding: what goes on which node, and which specs suit a machine. No database here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pumpkin_services.resources.models import Accelerator, SpecCreate

GIB = 1 << 30
CORE_PRICE_MICRO = 100_000
"""What the seeded specs ask per core and hour."""
ACCELERATOR_PRICE_MICRO = 1_000_000
"""What the seeded specs ask per accelerator and hour."""


@dataclass(frozen=True, kw_only=True)
class NodeCapacity:
    """What workloads may have of one node. `accelerators` are the usable ones only, memory in bytes."""

    name: str
    cpu_milli: int
    memory: int
    accelerators: tuple[Accelerator, ...] = ()
    drained: bool = False
    alive: bool = True


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What one replica asks for; `nodes` None allows every node."""

    cpu_milli: int
    memory: int
    accelerators: int = 0
    accelerator_type: str = ""
    nodes: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where one replica goes, with the indexes of the accelerators it gets."""

    node: str
    accelerators: tuple[int, ...] = ()


def place_one(node: NodeCapacity, demand: Demand) -> Placement | None:
    """Return where on `node` the demand goes, None when it does not fit."""
    if demand.nodes is not None and node.name not in demand.nodes:
        return None
    if demand.cpu_milli > node.cpu_milli or demand.memory > node.memory:
        return None
    wanted = demand.accelerator_type
    free = [item.index for item in node.accelerators if not wanted or item.type == wanted]
    if len(free) < demand.accelerators:
        return None
    return Placement(node=node.name, accelerators=tuple(sorted(free)[: demand.accelerators]))


def take(node: NodeCapacity, demand: Demand, placement: Placement) -> NodeCapacity:
    """Return what is left of `node` after `demand` went there."""
    return replace(
        node,
        cpu_milli=node.cpu_milli - demand.cpu_milli,
        memory=node.memory - demand.memory,
        accelerators=tuple(item for item in node.accelerators if item.index not in placement.accelerators),
    )


def place(nodes: Sequence[NodeCapacity], demands: Sequence[Demand]) -> list[Placement] | None:
    """Place all demands at once, or none: the placements in the order of `demands`, or None.

    First fit, the biggest demand first, onto the node it leaves least free on; nodes drained or silent count too:
    leave them out of `nodes` to place for real.
    """
    left = {node.name: node for node in nodes}
    placements: dict[int, Placement] = {}
    order = sorted(range(len(demands)), key=lambda at: _size(demands[at]), reverse=True)
    for at in order:
        demand = demands[at]
        fitting = [(node, spot) for node in left.values() if (spot := place_one(node, demand)) is not None]
        if not fitting:
            return None
        # Accelerators are the scarce part: a cpu job goes where there are fewest.
        node, spot = min(fitting, key=lambda pair: (len(pair[0].accelerators), pair[0].cpu_milli, pair[0].memory))
        left[node.name] = take(node, demand, spot)
        placements[at] = spot
    return [placements[at] for at in range(len(demands))]


def _size(demand: Demand) -> tuple[int, int, int]:
    return demand.accelerators, demand.cpu_milli, demand.memory


def describe(cpu_milli: int, memory: int, accelerators: int = 0, accelerator_type: str = "") -> str:
    """Return the words for a shape: `2 cores, 4 GiB, 1 x H200`."""
    words = f"{cpu_milli / 1000:g} cores, {memory / GIB:.3g} GiB"
    return words + (f", {accelerators} x {accelerator_type or 'accelerator'}" if accelerators else "")


def seed_specs(node: NodeCapacity) -> list[SpecCreate]:
    """Return the specs a new platform on `node` begins with; none is more than the node has.

    `cpu-small` costs nothing. `cpu-large` is three quarters of the machine, left out when that is no more than
    small. For each type of accelerator there is one spec per power of two of it, with its share of the rest.
    """
    small = SpecCreate(
        name="cpu-small",
        description="A quick try, free of charge.",
        cpu_milli=min(1000, node.cpu_milli),
        memory=min(max(node.memory // 8, GIB // 2), 2 * GIB, node.memory),
    )
    specs = [small]
    cpu = max(node.cpu_milli * 3 // 4 // 500 * 500, small.cpu_milli)
    memory = max(node.memory * 3 // 4 // (GIB // 4) * (GIB // 4), small.memory)
    if cpu > small.cpu_milli and memory > small.memory:
        price = cpu * CORE_PRICE_MICRO // 1000
        specs.append(
            SpecCreate(
                name="cpu-large",
                description="Most of this machine's cores and memory.",
                cpu_milli=cpu,
                memory=memory,
                price_micro=price,
            )
        )
    for kind in sorted({item.type for item in node.accelerators}):
        specs += _accelerator_specs(node, kind)
    return specs


def _accelerator_specs(node: NodeCapacity, kind: str) -> list[SpecCreate]:
    have = sum(item.type == kind for item in node.accelerators)
    slug = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-")[:40].strip("-") or "accelerator"
    specs: list[SpecCreate] = []
    count = 1
    while count <= have:
        cpu = node.cpu_milli * count // len(node.accelerators)
        memory = node.memory * 7 // 8 * count // len(node.accelerators)
        specs.append(
            SpecCreate(
                name=f"{slug}-{count}",
                description=f"{count} x {kind} with its share of the machine.",
                cpu_milli=max(cpu // 500 * 500, min(cpu, 500), 1),
                memory=max(memory // (GIB // 4) * (GIB // 4), min(memory, GIB // 4), 1),
                accelerators=count,
                accelerator_type=kind,
                price_micro=count * ACCELERATOR_PRICE_MICRO,
            )
        )
        count *= 2
    return specs
