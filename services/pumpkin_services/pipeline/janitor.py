"""Finds what runs, or lies about, for no workload's present attempt; removes it and says so.

Only crashes at unlucky moments and other people's hands leave such things: whatever ends is cleared by who ends it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.pipeline import changes
from pumpkin_services.pipeline.writes import Writes
from pumpkin_services.problems import Problem
from pumpkin_services.runtimes.base import Key, Runtime
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.tables import WorkloadRow

log = logging.getLogger("pumpkin.pipeline")
AT_ONCE = 8


class Janitor:
    """Of one tenure. `look` now and then; the first look also finds what strangers to the rows left on the disk."""

    def __init__(self, *, database: Database, runtime: Runtime, writes: Writes) -> None:
        self._database = database
        self._runtime = runtime
        self._writes = writes
        self._first = True
        self._over: set[Key] = set()
        """What was alive at the last look though its attempt was over."""

    async def look(self) -> None:
        """Remove all of workloads that no row knows, and what is still alive of attempts that are over.

        The latter only when it was so at the last look, too: what it is sending home has had that time to arrive.
        """
        # In this order: what is launched has a row first, and an attempt that is over never begins again.
        keys = await (self._runtime.list() if self._first else self._runtime.alive())
        unknown, over = await self._sorted(keys)
        await _each(self._remove, unknown)
        await _each(self._tidy, self._over & over)
        self._first, self._over = False, over

    async def _sorted(self, keys: Collection[Key]) -> tuple[set[Key], set[Key]]:
        """Return the keys of workloads without a row, and those of attempts that are over."""
        present: dict[str, int] = {}
        names = sorted({key.workload for key in keys})
        async with self._database.read() as session:
            for start in range(0, len(names), 500):
                part = names[start : start + 500]
                rows = await session.execute(
                    select(WorkloadRow.id, WorkloadRow.attempt, WorkloadRow.phase).where(WorkloadRow.id.in_(part))
                )
                for workload, attempt, phase in rows.all():
                    # What was queued may have had a ticket for its next attempt; what has ended has none to come.
                    present[workload] = attempt + (2 if phase in ENDED else phase == "queued")
        unknown = {key for key in keys if key.workload not in present}
        return unknown, {key for key in keys if key.attempt < present.get(key.workload, 0)}

    async def _remove(self, key: Key) -> None:
        log.warning("removing what is left of %s/%d, which no row knows", key.workload, key.attempt)
        await self._runtime.delete(key)

    async def _tidy(self, key: Key) -> None:
        found = await self._runtime.tidy(key)
        if not found:
            return
        message = f"Attempt {key.attempt} was over, and yet there were: {', '.join(found)}. They are being removed."
        log.warning("%s: %s", key.workload, message)

        async def change(session: AsyncSession) -> None:
            if await session.get(WorkloadRow, key.workload) is not None:
                await changes.note(session, key.workload, "tidied", message, attempt=key.attempt)

        await self._writes.run(change)


async def _each(call: Callable[[Key], Awaitable[None]], keys: Collection[Key]) -> None:
    """Call for all, some at once; what cannot be removed now is tried at the next look."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(key: Key) -> None:
        async with gate:
            try:
                await call(key)
            except Problem as problem:
                log.warning("what is left of %s/%d is removed later: %s", key.workload, key.attempt, problem)

    await asyncio.gather(*map(one, sorted(keys)))
