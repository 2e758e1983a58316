"""The queue, the nodes and what is held, read from the database into what the scheduler reckons with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import table, utcnow
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.resources.shapes import NodeCapacity
from pumpkin_services.workloads import scheduler
from pumpkin_services.workloads.plan import Plan, PlannedRole
from pumpkin_services.workloads.scheduler import Candidate, Cap, Group, Holding, Subject
from pumpkin_services.workloads.tables import ReplicaRow, WorkloadRow

WORKLOADS, REPLICAS = table(WorkloadRow), table(ReplicaRow)
QUEUED = select(WORKLOADS.c.id, WORKLOADS.c.revision).where(
    WORKLOADS.c.phase == "queued", WORKLOADS.c.target == "run", WORKLOADS.c.hold == ""
)
OF_QUEUED = select(WORKLOADS).where(WORKLOADS.c.id.in_(bindparam("ids", expanding=True)))
USED = select(REPLICAS.c.node, func.sum(REPLICAS.c.cpu_milli)).where(REPLICAS.c.held).group_by(REPLICAS.c.node)
HELD = (
    select(
        REPLICAS.c.workload,
        WORKLOADS.c.workspace,
        WORKLOADS.c.creator,
        REPLICAS.c.node,
        REPLICAS.c.cpu_milli,
        REPLICAS.c.memory,
        REPLICAS.c.accelerators,
    )
    .join(WORKLOADS, WORKLOADS.c.id == REPLICAS.c.workload)
    .where(REPLICAS.c.held)
)
FRESH_SECONDS = 1.0
"""How long what admins set (nodes, pools, limits) is believed: a drained node takes nothing new after this."""


@dataclass(frozen=True, kw_only=True)
class Position:
    """Everything the scheduler is asked about, at one instant."""

    candidates: Sequence[Candidate]
    nodes: Sequence[NodeCapacity]
    held: Sequence[Holding]

    def free(self) -> list[NodeCapacity]:
        """What is left of the nodes that take something new."""
        return scheduler.remaining([node for node in self.nodes if node.alive and not node.drained], self.held)


@dataclass
class _Settings:
    read: float = -FRESH_SECONDS
    nodes: list[NodeCapacity] = field(default_factory=list[NodeCapacity])
    pools: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    caps: dict[Subject, Cap] = field(default_factory=dict[Subject, Cap])


@dataclass(frozen=True, kw_only=True)
class _Queued:
    """A queued workload as it was read at `revision`."""

    revision: int
    not_before: datetime | None
    roles: list[PlannedRole]
    candidate: Candidate


class Board:
    """Reads positions. What the scheduler needs of each queued workload is kept until its row changes."""

    def __init__(self, resources: ResourceService) -> None:
        self.resources = resources
        self._settings = _Settings()
        self._queued: dict[str, _Queued] = {}
        self._pools: dict[str, frozenset[str]] = {}

    async def position(self, session: AsyncSession, *, startable: bool = False) -> Position:
        """Return the position now; `startable` leaves out what waits for the end of a back-off."""
        settings = await self._fresh(session)
        if settings.pools != self._pools:
            self._pools, self._queued = settings.pools, {}
        revisions = dict((await session.execute(QUEUED)).all())
        if len(self._queued) > 2 * len(revisions) + 100:
            self._queued = {known: item for known, item in self._queued.items() if known in revisions}
        await self._load(
            session,
            [
                one
                for one, revision in revisions.items()
                if one not in self._queued or self._queued[one].revision != revision
            ],
        )
        now = utcnow()
        # What was changed or ended between the two looks is not among them.
        queued = [self._queued[one] for one in revisions if one in self._queued]
        candidates = [
            item.candidate
            for item in queued
            if not (startable and item.not_before is not None and item.not_before > now)
        ]
        return Position(candidates=candidates, nodes=settings.nodes, held=await self._held(session))

    async def full(self, session: AsyncSession) -> bool:
        """Tell whether no node has any CPU left: nothing at all can start then. Cheap, however long the queue."""
        settings = await self._fresh(session)
        used = dict((await session.execute(USED)).all())
        return all(node.cpu_milli <= used.get(node.name, 0) for node in settings.nodes)

    def roles(self, workload: str) -> list[PlannedRole]:
        """Return the roles of a candidate of the last position."""
        return self._queued[workload].roles

    async def groups(self, session: AsyncSession, plan: Plan) -> tuple[Group, ...]:
        """Return what the scheduler would be asked for a plan."""
        return groups(plan.roles, (await self._fresh(session)).pools)

    async def caps(self, session: AsyncSession, candidates: Sequence[Candidate]) -> dict[Subject, Cap]:
        """Return the limits of all who have something in the queue."""
        settings = await self._fresh(session)
        subjects: set[Subject] = {("workspace", item.workspace) for item in candidates}
        subjects |= {("user", item.creator) for item in candidates}
        new = subjects - settings.caps.keys()
        for kind in ("user", "workspace"):
            names = [name for of, name in new if of == kind]
            for name, limit in (await self.resources.limits.limits(session, kind=kind, subjects=names)).items():
                settings.caps[kind, name] = Cap(running=limit.running, accelerators=limit.accelerators)
        return settings.caps

    async def _fresh(self, session: AsyncSession) -> _Settings:
        if time.monotonic() - self._settings.read >= FRESH_SECONDS:
            self._settings = _Settings(
                read=time.monotonic(),
                nodes=await self.resources.capacity(session),
                pools={name: share.nodes for name, share in (await self.resources.pool_shares(session)).items()},
            )
        return self._settings

    async def _load(self, session: AsyncSession, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), 500):
            for row in await session.execute(OF_QUEUED, {"ids": ids[start : start + 500]}):
                roles = Plan.model_validate(row.plan).ordered
                self._queued[row.id] = _Queued(
                    revision=row.revision,
                    not_before=row.not_before,
                    roles=roles,
                    candidate=Candidate(
                        id=row.id,
                        kind=row.kind,
                        attempt=row.attempt,
                        workspace=row.workspace,
                        creator=row.creator,
                        priority=row.priority,
                        pin=row.pin,
                        price_micro=row.price_micro,
                        queued=row.queued.timestamp(),
                        groups=groups(roles, self._pools),
                        pool=roles[0].pool,
                    ),
                )

    async def _held(self, session: AsyncSession) -> list[Holding]:
        return [
            Holding(
                workload=workload,
                workspace=workspace,
                creator=creator,
                node=node,
                cpu_milli=cpu,
                memory=memory,
                accelerators=tuple(accelerators),
            )
            for workload, workspace, creator, node, cpu, memory, accelerators in await session.execute(HELD)
        ]


def groups(roles: Sequence[PlannedRole], pools: dict[str, frozenset[str]]) -> tuple[Group, ...]:
    """Return a plan's roles as the scheduler sees them; a pool that is gone has no nodes."""
    return tuple(
        Group(
            role=role.name,
            demand=role.demand(pools.get(role.pool, frozenset())),
            replicas=role.replicas,
            minimum=role.min_available,
        )
        for role in roles
    )
