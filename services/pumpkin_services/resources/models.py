"""What nodes, specs, pools, limits and usage look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from pumpkin_services.names import Name
from pumpkin_services.web import PageQuery, Wire

Kind = Literal["job", "notebook"]
Subject = Literal["user", "workspace"]

CpuMilli = Annotated[int, Field(ge=1, le=1_000_000_000, description="Thousandths of a core.")]
Bytes = Annotated[int, Field(ge=1, le=1 << 60, description="Bytes.")]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Price = Annotated[
    int, Field(ge=0, le=10**12, description="Per hour, in millionths of the currency unit; 0 asks for no balance.")
]
Text = Annotated[str, Field(max_length=2000)]
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=255)]], Field(max_length=1000)]


class Accelerator(Wire):
    """One accelerator of a node; `index` is the one the driver gives it, `memory` in bytes."""

    index: int = Field(ge=0)
    type: str = Field(max_length=255)
    memory: int = Field(default=0, ge=0)
    uuid: str = Field(default="", max_length=255)


class Node(Wire):
    """A machine. `cpu_milli`, `memory`, `accelerators` were found on it; `usable_*` is what workloads may have."""

    id: str
    name: str
    cpu_milli: int
    memory: int
    accelerators: list[Accelerator]
    cpu_milli_limit: int | None
    memory_limit: int | None
    accelerators_off: list[int]
    usable_cpu_milli: int
    usable_memory: int
    usable_accelerators: list[int]
    used_cpu_milli: int = 0
    used_memory: int = 0
    used_accelerators: list[int] = Field(default_factory=list[int])
    drained: bool
    drain_reason: str
    alive: bool
    """Whether its heartbeat is recent."""
    heartbeat: datetime
    created: datetime
    revision: int


class NodePatch(Wire):
    """Lower what workloads may have of a node; null lifts a limit. Fields left out stay as they are."""

    cpu_milli_limit: CpuMilli | None = None
    memory_limit: Bytes | None = None
    accelerators_off: list[int] = Field(default_factory=list[int], max_length=1024)


class Drain(Wire):
    """Why a node takes no new workloads."""

    reason: str = Field(default="", max_length=255)


class Spec(Wire):
    """A shape to run on: cpu in thousandths of a core, memory in bytes, price per hour in micro-units."""

    id: str
    name: str
    description: str
    cpu_milli: int
    memory: int
    accelerators: int
    accelerator_type: str
    price_micro: int
    enabled: bool
    created: datetime
    revision: int


class SpecCreate(Wire):
    """A new spec."""

    name: Name
    description: Text = ""
    cpu_milli: CpuMilli
    memory: Bytes
    accelerators: Count = 0
    accelerator_type: str = Field(default="", max_length=255, description="As the nodes name it; empty: any.")
    price_micro: Price = 0
    enabled: bool = True


class SpecPatch(Wire):
    """Change a spec; what runs keeps the values and the price it started with."""

    description: Text | None = None
    cpu_milli: CpuMilli | None = None
    memory: Bytes | None = None
    accelerators: Count | None = None
    accelerator_type: str | None = Field(default=None, max_length=255)
    price_micro: Price | None = None
    enabled: bool | None = None


class SpecQuery(PageQuery):
    """Filters of the spec list."""

    kind: Kind | None = Field(default=None, description="Keep specs the caller may use for this kind of workload.")
    forbidden: bool = Field(default=False, description="Those too that the caller may not use: an estimate says why.")
    all: bool = Field(default=False, description="Every spec, disabled ones too (admins only).")


class Pool(Wire):
    """Nodes and specs, and who may use them for what; empty `nodes` or `specs` means all."""

    id: str
    name: str
    description: str
    nodes: list[str]
    specs: list[str]
    kinds: list[Kind]
    everyone: bool
    workspaces: list[str]
    users: list[str]
    hub_roles: list[str]
    priority: int
    enabled: bool
    guarantee_percent: int
    deserved_percent: int
    reclaimable: bool
    parent: str
    created: datetime
    revision: int


class PoolCreate(Wire):
    """A new pool."""

    name: Name
    description: Text = ""
    nodes: Names = Field(default_factory=list[str])
    specs: Names = Field(default_factory=list[str])
    kinds: list[Kind] = Field(default_factory=lambda: ["job", "notebook"], min_length=1, max_length=2)
    everyone: bool = False
    workspaces: Names = Field(default_factory=list[str])
    users: Names = Field(default_factory=list[str])
    hub_roles: Names = Field(default_factory=list[str], description="Names of Hub roles.")
    priority: int = Field(default=0, ge=-1000, le=1000, description="Of several pools that fit, the highest is used.")
    enabled: bool = True
    guarantee_percent: int = Field(
        default=0, ge=0, le=100, description="Of its nodes; no other pool gets it, even while it is idle (a cluster's)."
    )
    deserved_percent: int = Field(
        default=0, ge=0, le=100, description="Of its nodes, where several pools want the same (a cluster's)."
    )
    reclaimable: bool = Field(
        default=False, description="Whether jobs beyond what it deserves may be ended for a pool that has less."
    )
    parent: str = Field(
        default="",
        max_length=63,
        description="The pool whose nodes and share it has a part of; empty: none (a cluster's).",
    )


class PoolPatch(Wire):
    """Change a pool; fields left out stay as they are."""

    description: Text | None = None
    nodes: Names | None = None
    specs: Names | None = None
    kinds: list[Kind] | None = Field(default=None, min_length=1, max_length=2)
    everyone: bool | None = None
    workspaces: Names | None = None
    users: Names | None = None
    hub_roles: Names | None = None
    priority: int | None = Field(default=None, ge=-1000, le=1000)
    enabled: bool | None = None
    guarantee_percent: int | None = Field(default=None, ge=0, le=100)
    deserved_percent: int | None = Field(default=None, ge=0, le=100)
    reclaimable: bool | None = None
    parent: str | None = Field(default=None, max_length=63, description="Empty: a part of none.")


class LimitValues(Wire):
    """How much at once; null takes the default's value, and in the default means no limit."""

    running: Count | None = Field(default=None, description="Workloads preparing, running or stopping.")
    queued: Count | None = Field(default=None, description="Workloads waiting.")
    accelerators: Count | None = Field(default=None, description="Accelerators held.")
    storage_bytes: int | None = Field(default=None, ge=0, le=1 << 60, description="Bytes kept in versions.")


class Limit(LimitValues):
    """The limit set for one subject; `*` is the default of its kind."""

    id: str
    kind: Subject
    subject: str
    revision: int


class LimitQuery(PageQuery):
    """Filters of the list of limits."""

    kind: Subject | None = None


class EffectiveLimits(Wire):
    """What holds for the caller and each of their workspaces, defaults filled in; null is no limit."""

    user: LimitValues
    workspaces: dict[str, LimitValues]


class UsageItem(Wire):
    """What one replica holds right now."""

    workload: str
    name: str
    kind: Kind
    workspace: str
    creator: str
    replica: str
    node: str
    spec: str
    cpu_milli: int
    memory: int
    accelerators: list[int]
    since: datetime | None = None
    busy: datetime | None = Field(default=None, description="When it was last seen to use what it holds.")


class AcceleratorLoad(Wire):
    """One accelerator that is held: `utilization` 0 to 1, `memory` bytes."""

    index: int
    utilization: float
    memory: int


class NodeLoad(Wire):
    """What a node's workloads used at one moment, and what they held: cpu in thousandths of a core, memory in bytes."""

    node: str
    time: datetime
    cpu_milli: int
    memory: int
    held_cpu_milli: int
    held_memory: int
    accelerators: list[AcceleratorLoad]


class LoadQuery(Wire):
    """How far back."""

    hours: int = Field(default=24, ge=1, le=720, description="Up to two hours come in full, more thinned.")


class NodeLoads(Wire):
    """What a node's workloads used, oldest first."""

    items: list[NodeLoad]


class Usage(Wire):
    """Who uses what right now, and what each node's workloads were last seen to use."""

    items: list[UsageItem]
    nodes: list[NodeLoad]
