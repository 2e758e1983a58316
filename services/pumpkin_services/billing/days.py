"""Charging for what is kept, a day (UTC) at a time: each workspace and day once, whoever charges and however it ends.

One row is the clock: the day that is charged next and how far its workspaces are done. Whoever charges locks it, books
some workspaces and moves it on, all in one transaction; so any number of replicas may try, be killed at any instant,
and go on from there. A day is charged when it is over, for what is kept by then and at the price that held when it
began; days that passed while nothing ran are charged one after the other.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.artifacts.kept import kept_bytes
from pumpkin_services.billing.ledger import Ledger
from pumpkin_services.billing.money import DAY_MS, storage_due
from pumpkin_services.billing.tables import StorageClockRow, StorageDayRow
from pumpkin_services.db import Database, utcnow

log = logging.getLogger("pumpkin.billing")
LOOK_SECONDS = 60.0
BATCH = 100
"""Workspaces charged in one transaction."""
_CLOCK = "storage"


class StorageDays:
    """Charges every workspace for the days it kept something. `price_micro` is per GiB and day; 0 charges nothing."""

    def __init__(self, *, database: Database, ledger: Ledger, price_micro: int) -> None:
        self._database = database
        self._ledger = ledger
        self._price = price_micro

    async def run(self) -> None:
        """Charge what is due, for ever."""
        while True:
            try:
                await self.charge(now=utcnow())
            except Exception:
                log.exception("charging for storage failed; it is tried again")
            await asyncio.sleep(LOOK_SECONDS)

    async def charge(self, *, now: datetime) -> None:
        """Charge every day that was over by `now` and is not charged yet."""
        today = now.astimezone(UTC).date().isoformat()
        while await self._due(today):
            async with self._database.write() as session:
                await self._some(session, today)

    async def _due(self, today: str) -> bool:
        # Nearly always there is nothing to do: seen without the database's write lock.
        async with self._database.read() as session:
            day = await session.scalar(select(StorageClockRow.day).where(StorageClockRow.name == _CLOCK))
        return day is None or day < today

    async def _some(self, session: AsyncSession, today: str) -> None:
        locked = select(StorageClockRow).where(StorageClockRow.name == _CLOCK).with_for_update()
        clock = await session.scalar(locked)
        if clock is None:
            await self._begin(session, today)
        elif clock.day < today and clock.price_micro == 0:
            self._move(clock, today)
        elif clock.day < today:
            kept = await kept_bytes(session)
            names = sorted(name for name in kept if name > clock.after)[:BATCH]
            for name in names:
                await self._book(session, name, clock=clock, size=kept[name])
            if len(names) == BATCH:
                clock.after = names[-1]
            else:
                self._move(clock, (date.fromisoformat(clock.day) + timedelta(days=1)).isoformat())

    def _move(self, clock: StorageClockRow, day: str) -> None:
        clock.day, clock.after, clock.price_micro = day, "", self._price

    async def _begin(self, session: AsyncSession, today: str) -> None:
        """Count from today on: what was kept before is free."""
        try:
            async with session.begin_nested():
                session.add(StorageClockRow(name=_CLOCK, day=today, price_micro=self._price))
        except IntegrityError:
            pass  # another replica was quicker

    async def _book(self, session: AsyncSession, workspace: str, *, clock: StorageClockRow, size: int) -> None:
        day, price = clock.day, clock.price_micro
        last = select(StorageDayRow.rest).where(StorageDayRow.workspace == workspace, StorageDayRow.day < day)
        rest = await session.scalar(last.order_by(StorageDayRow.day.desc()).limit(1)) or 0
        amount, rest = storage_due(price, size=size, rest=rest)
        session.add(StorageDayRow(workspace=workspace, day=day, bytes=size, price_micro=price, rest=rest))
        await session.flush()
        if amount == 0:
            return
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        start_ms = int(start.timestamp()) * 1000
        await self._ledger.post(
            session,
            # Of the day it is for, that a month's statement, budget and chart agree on it.
            time=start + timedelta(days=1) - timedelta(milliseconds=1),
            workspace=workspace,
            kind="storage",
            amount_micro=-amount,
            start_ms=start_ms,
            end_ms=start_ms + DAY_MS,
            bytes=size,
            price_micro=price,
        )
