"""Sampling what running replicas use, and thinning what is old."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import new_id, utcnow
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.problems import Problem
from pumpkin_services.runtimes.base import Key, Runtime, Usage
from pumpkin_services.workloads.tables import UsageRow
from pumpkin_services.workloads.views import moment

THIN_AFTER = timedelta(hours=1)


class Sampler:
    """Turns the runtime's cumulative counts into rates, and keeps them."""

    def __init__(self, *, runtime: Runtime, writes: Writes) -> None:
        self._runtime = runtime
        self._writes = writes
        self._before: dict[tuple[Key, str], Usage] = {}
        self.latest: dict[tuple[Key, str], dict[str, Any]] = {}
        """The last sample of each replica, as its row."""

    async def sample(self, keys: list[Key]) -> None:
        """Sample every replica of `keys`; those who are gone are forgotten."""
        latest: dict[tuple[Key, str], dict[str, Any]] = {}
        seen: dict[tuple[Key, str], Usage] = {}
        for key in keys:
            try:
                used = await self._runtime.usage(key)
            except Problem:
                continue
            for name, usage in used.items():
                before = self._before.get((key, name))
                seen[key, name] = usage
                if before is not None and usage.time > before.time:
                    latest[key, name] = _row(key, usage, before)
        self._before, self.latest = seen, latest
        if latest:
            await self._writes.run(lambda session: session.execute(insert(UsageRow), [*latest.values()]))

    async def thin(self) -> None:
        """Remove old samples except the first of each minute."""
        before = utcnow() - THIN_AFTER

        async def change(session: AsyncSession) -> None:
            await session.execute(
                delete(UsageRow)
                .where(UsageRow.keep.is_(False), UsageRow.time < before)
                .execution_options(synchronize_session=False)
            )

        await self._writes.run(change)


def _row(key: Key, usage: Usage, before: Usage) -> dict[str, Any]:
    span = usage.time - before.time
    return {
        "id": new_id(),
        "workload": key.workload,
        "attempt": key.attempt,
        "replica": usage.replica,
        "time": moment(usage.time),
        "cpu_milli": max(usage.cpu_ms - before.cpu_ms, 0) * 1000 // span,
        "memory": usage.memory,
        "accelerators": [
            {"index": item.index, "utilization": item.utilization, "memory": item.memory} for item in usage.accelerators
        ],
        "keep": usage.time // 60_000 != before.time // 60_000,
    }
