"""Needs nothing outside Python: the real wiring and database in one folder, with a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pumpkin_services.principal import Principal
from pumpkin_services.schedules import models as wire
from pumpkin_services.schedules.tables import ScheduleRow, ScheduleRunRow
from pumpkin_services.web import PageQuery
from tests.unit.workloads.house import House, built, user

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Hall:
    """A house and a clock. `tick` does what the pipeline does every second."""

    house: House
    now: datetime = START

    async def create(self, cron: str = "0 * * * *", *, by: Principal | None = None, **fields: Any) -> wire.Schedule:
        job = {"name": "job", "spec": "slot", "command": "true"} | fields.pop("job", {})
        request = wire.ScheduleCreate.model_validate({"name": "nightly", "cron": cron, "request": job} | fields)
        async with self.house.parts.database.write() as session:
            return await self.house.parts.schedules.create(session, by or user("ann"), request=request)

    async def edit(self, schedule: str, *, by: Principal | None = None, **changes: Any) -> wire.Schedule:
        patch = wire.SchedulePatch.model_validate(changes)
        async with self.house.parts.database.write() as session:
            return await self.house.parts.schedules.edit(
                session, by or user("ann"), schedule=schedule, patch=patch, if_match=None
            )

    async def tick(self) -> list[str]:
        """Fire what is due; return the jobs made."""
        firing = self.house.parts.pipeline.parts.schedules
        made: list[str] = []
        for schedule in await firing.due():
            async with self.house.parts.database.write() as session:
                made.append(await firing.fire(session, schedule=schedule))
        return [item for item in made if item]

    async def later(self, **span: float) -> list[str]:
        self.now += timedelta(**span)
        return await self.tick()

    async def get(self, schedule: str, *, by: Principal | None = None) -> wire.Schedule:
        async with self.house.parts.database.read() as session:
            return await self.house.parts.schedules.get(session, by or user("ann"), schedule=schedule)

    async def runs(self, schedule: str) -> list[wire.ScheduleRun]:
        """Return them oldest first."""
        async with self.house.parts.database.read() as session:
            page = await self.house.parts.schedules.runs(
                session, user("ann"), schedule=schedule, query=PageQuery(limit=500)
            )
        return page.items[::-1]

    async def rows(self) -> list[ScheduleRunRow]:
        async with self.house.parts.database.read() as session:
            return list(await session.scalars(select(ScheduleRunRow).order_by(ScheduleRunRow.id)))

    async def row(self, schedule: str) -> ScheduleRow:
        async with self.house.parts.database.read() as session:
            return await session.get_one(ScheduleRow, schedule)


@asynccontextmanager
async def hall_on(data: Path) -> AsyncIterator[Hall]:
    async with built(data) as house:
        hall = Hall(house)
        house.parts.schedules.clock = lambda: hall.now
        yield hall


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall_on(tmp_path / "data") as made:
        yield made


@pytest.fixture
def in_a_hall(tmp_path: Path) -> Callable[[Callable[[Hall], Awaitable[None]]], None]:
    """Runs a coroutine function in a fresh hall: for properties, whose examples each want their own."""
    count = 0

    def run(body: Callable[[Hall], Awaitable[None]]) -> None:
        nonlocal count
        count += 1

        async def inside() -> None:
            async with hall_on(tmp_path / str(count)) as made:
                await body(made)

        asyncio.run(inside())

    return run
