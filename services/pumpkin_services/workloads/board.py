"""The queue, the nodes and what is held, read from the database into what the scheduler reckons with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import utcnow
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.resources.shapes import NodeCapacity
from pumpkin_services.workloads import scheduler
from pumpkin_services.workloads.plan import Plan, PlannedRole
from pumpkin_services.workloads.scheduler import Candidate, Cap, Group, Holding, Subject
from pumpkin_services.workloads.tables import ReplicaRow, WorkloadRow

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


class Board:
    """Reads positions. Plans do not change, so what the scheduler needs of each is kept while it is queued."""

    def __init__(self, resources: ResourceService) -> None:
        self._resources = resources
        self._settings = _Settings()
        self._roles: dict[str, list[PlannedRole]] = {}

    async def position(self, session: AsyncSession, *, startable: bool = False) -> Position:
        """Return the position now; `startable` leaves out what waits for the end of a back-off."""
        settings = await self._fresh(session)
        rows = (
            await session.execute(
                select(
                    WorkloadRow.id,
                    WorkloadRow.kind,
                    WorkloadRow.attempt,
                    WorkloadRow.workspace,
                    WorkloadRow.creator,
                    WorkloadRow.priority,
                    WorkloadRow.price_micro,
                    WorkloadRow.queued,
                    WorkloadRow.not_before,
                ).where(WorkloadRow.phase == "queued", WorkloadRow.target == "run")
            )
        ).all()
        await self._load(session, [row.id for row in rows])
        now = utcnow()
        candidates = [
            Candidate(
                id=row.id,
                kind=row.kind,
                attempt=row.attempt,
                workspace=row.workspace,
                creator=row.creator,
                priority=row.priority,
                price_micro=row.price_micro,
                queued=row.queued.timestamp(),
                groups=groups(self._roles[row.id], settings.pools),
            )
            for row in rows
            if not (startable and row.not_before is not None and row.not_before > now)
        ]
        return Position(candidates=candidates, nodes=settings.nodes, held=await self._held(session))

    async def full(self, session: AsyncSession) -> bool:
        """Tell whether no node has any CPU left: nothing at all can start then. Cheap, however long the queue."""
        settings = await self._fresh(session)
        held = select(ReplicaRow.node, func.sum(ReplicaRow.cpu_milli)).where(ReplicaRow.held).group_by(ReplicaRow.node)
        used = dict((await session.execute(held)).all())
        return all(node.cpu_milli <= used.get(node.name, 0) for node in settings.nodes)

    def roles(self, workload: str) -> list[PlannedRole]:
        """Return the roles of a candidate of the last position."""
        return self._roles[workload]

    async def groups(self, session: AsyncSession, plan: Plan) -> tuple[Group, ...]:
        """Return what the scheduler would be asked for a plan."""
        return groups(plan.roles, (await self._fresh(session)).pools)

    async def caps(self, session: AsyncSession, candidates: Sequence[Candidate]) -> dict[Subject, Cap]:
        """Return the limits of all who have something in the queue."""
        settings = await self._fresh(session)
        subjects: set[Subject] = {("workspace", item.workspace) for item in candidates}
        subjects |= {("user", item.creator) for item in candidates}
        for subject in subjects - settings.caps.keys():
            limit = await self._resources.limits.limit(session, kind=subject[0], subject=subject[1])
            settings.caps[subject] = Cap(running=limit.running, accelerators=limit.accelerators)
        return settings.caps

    async def _fresh(self, session: AsyncSession) -> _Settings:
        if time.monotonic() - self._settings.read >= FRESH_SECONDS:
            self._settings = _Settings(
                read=time.monotonic(),
                nodes=await self._resources.capacity(session),
                pools=await self._resources.pool_nodes(session),
            )
        return self._settings

    async def _load(self, session: AsyncSession, ids: Sequence[str]) -> None:
        unknown = [identifier for identifier in ids if identifier not in self._roles]
        if len(self._roles) > 2 * len(ids) + 100:
            self._roles = {identifier: self._roles[identifier] for identifier in ids if identifier in self._roles}
        for start in range(0, len(unknown), 500):
            part = unknown[start : start + 500]
            found = await session.execute(select(WorkloadRow.id, WorkloadRow.plan).where(WorkloadRow.id.in_(part)))
            for identifier, plan in found:
                self._roles[identifier] = Plan.model_validate(plan).ordered

    async def _held(self, session: AsyncSession) -> list[Holding]:
        rows = await session.execute(
            select(
                ReplicaRow.workload,
                WorkloadRow.workspace,
                WorkloadRow.creator,
                ReplicaRow.node,
                ReplicaRow.cpu_milli,
                ReplicaRow.memory,
                ReplicaRow.accelerators,
            )
            .join(WorkloadRow, WorkloadRow.id == ReplicaRow.workload)
            .where(ReplicaRow.held)
        )
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
            for workload, workspace, creator, node, cpu, memory, accelerators in rows
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
