"""Adding up what the replicas on each node use, and noting which of them use what they hold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database, table, utcnow
from pumpkin_services.pipeline.sampler import Sampler
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.resources.load import add_loads, thin_loads
from pumpkin_services.resources.models import AcceleratorLoad, NodeLoad
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.runtimes.base import Key
from pumpkin_services.workloads.tables import ReplicaRow

BUSY = 0.02
"""Who uses this share of its cores, or of one accelerator, is not idle: a kernel at rest uses less."""
NOTED_MS = 60_000
"""That a replica is busy is written at most so often."""
KEPT_SECONDS = 300

REPLICAS = table(ReplicaRow)
HELD = select(
    REPLICAS.c.workload,
    REPLICAS.c.attempt,
    REPLICAS.c.name,
    REPLICAS.c.node,
    REPLICAS.c.cpu_milli,
    REPLICAS.c.memory,
    REPLICAS.c.busy_ms,
).where(REPLICAS.c.held)
NOTE_BUSY = (
    update(REPLICAS)
    .where(
        REPLICAS.c.workload == bindparam("of"),
        REPLICAS.c.attempt == bindparam("which"),
        REPLICAS.c.name == bindparam("called"),
    )
    .values(busy_ms=bindparam("now_ms"))
)


class Loads:
    """Makes one sample of every node from the samples of its replicas."""

    def __init__(self, *, database: Database, writes: Writes, sampler: Sampler, resources: ResourceService) -> None:
        self._database = database
        self._writes = writes
        self._sampler = sampler
        self._resources = resources
        self._kept = 0

    async def sample(self) -> None:
        """Add a sample of every node, idle ones included."""
        async with self._database.read() as session:
            nodes = await self._resources.capacity(session)
            held = (await session.execute(HELD)).all()
        seconds = int(time.time())
        found = {node.name: self._load(node.name, held) for node in nodes if node.alive}
        busy = self._busy(held, now_ms=seconds * 1000)
        keep = seconds // KEPT_SECONDS != self._kept

        async def change(session: AsyncSession) -> None:
            await add_loads(session, list(found.values()), keep=keep)
            if busy:
                await session.execute(NOTE_BUSY, busy)

        await self._writes.run(change)
        self._kept = seconds // KEPT_SECONDS

    async def thin(self) -> None:
        """Remove what is too old."""
        await self._writes.run(thin_loads)

    def _load(self, node: str, held: Sequence[Any]) -> NodeLoad:
        here = [item for item in held if item.node == node]
        samples = [sample for item in here if (sample := self._sample_of(item)) is not None]
        return NodeLoad(
            node=node,
            time=utcnow(),
            cpu_milli=sum(sample["cpu_milli"] for sample in samples),
            memory=sum(sample["memory"] for sample in samples),
            held_cpu_milli=sum(item.cpu_milli for item in here),
            held_memory=sum(item.memory for item in here),
            accelerators=[AcceleratorLoad.model_validate(one) for sample in samples for one in sample["accelerators"]],
        )

    def _busy(self, held: Sequence[Any], *, now_ms: int) -> list[dict[str, Any]]:
        """Return the replicas that use what they hold, those left out that were noted just now."""
        return [
            {"of": item.workload, "which": item.attempt, "called": item.name, "now_ms": now_ms}
            for item in held
            if (item.busy_ms is None or now_ms - item.busy_ms >= NOTED_MS)
            and (sample := self._sample_of(item)) is not None
            and (
                sample["cpu_milli"] >= BUSY * item.cpu_milli
                or any(one["utilization"] >= BUSY for one in sample["accelerators"])
            )
        ]

    def _sample_of(self, item: Any) -> dict[str, Any] | None:
        return self._sampler.latest.get((Key(item.workload, item.attempt), item.name))
