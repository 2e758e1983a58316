"""A platform without a Hub: the real wiring over a real SQLite file, the real runtime, and the real pipeline."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from pumpkin_services.accounts.tables import UserRow
from pumpkin_services.db import Database
from pumpkin_services.db.migrate import migrate
from pumpkin_services.pipeline.pipeline import Pipeline
from pumpkin_services.principal import PREFIX, Principal
from pumpkin_services.resources.models import PoolCreate, SpecCreate
from pumpkin_services.resources.shapes import NodeCapacity
from pumpkin_services.settings import Platform
from pumpkin_services.wiring import Parts, wire
from pumpkin_services.workloads import models as wires
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.tables import ReplicaRow, WorkloadRow

MODULES = ("datasets", "algorithms", "models", "images", "workloads", "schedules", "resources", "accounts", "billing")
GIB = 1 << 30
SLOTS = 8


def user(name: str, *workspaces: str, admin: bool = False) -> Principal:
    verbs = ("read", "write", "admin") if admin else ("read", "write")
    return Principal(
        name=name,
        token=name,
        scopes=frozenset(f"{PREFIX}{module}:{verb}" for module in MODULES for verb in verbs),
        workspaces={name: "owner", **dict.fromkeys(workspaces, "member")},  # pyright: ignore[reportArgumentType]
    )


@dataclass
class House:
    """`submit`, then `ended`. The machine has eight slots of the spec `slot`; `gpu` cannot be had; `paid` costs."""

    parts: Parts
    data: Path
    pipeline: Pipeline | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def make_pipeline(self, **changes: Any) -> Pipeline:
        values = dataclasses.replace(self.parts.pipeline.parts, stop_grace=1.0)
        return Pipeline(dataclasses.replace(values, **changes))

    async def start_pipeline(self, **changes: Any) -> None:
        self.pipeline = self.make_pipeline(**changes)
        self._tasks.append(asyncio.create_task(self.pipeline.run()))
        await self.until(self._leads)

    async def _leads(self) -> bool:
        return self.pipeline is not None and self.pipeline.leads

    async def stop_pipeline(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def submit(self, command: str | list[str] = "true", *, by: Principal | None = None, **fields: Any) -> str:
        request = wires.JobRequest.model_validate(
            {"name": "job", **({"spec": "slot", "command": command} if "roles" not in fields else {}), **fields}
        )
        async with self.parts.database.write() as session:
            row = await self.parts.workloads.submit_job(session, by or user("ann"), request=request)
        self.parts.workloads.wake(row.id, new=True)
        return row.id

    async def stop(self, workload: str, *, by: Principal | None = None) -> None:
        async with self.parts.database.write() as session:
            await self.parts.workloads.stop(session, by or user("ann"), workload=workload)
        self.parts.workloads.wake(workload)

    async def delete(self, workload: str) -> None:
        async with self.parts.database.write() as session:
            await self.parts.workloads.delete(session, user("ann"), workload=workload)
        self.parts.workloads.wake(workload)

    async def row(self, workload: str) -> WorkloadRow | None:
        async with self.parts.database.read() as session:
            return await session.get(WorkloadRow, workload)

    async def detail(self, workload: str) -> wires.Workload:
        async with self.parts.database.read() as session:
            row = await session.get_one(WorkloadRow, workload)
            return await self.parts.queries.detail(session, row)

    async def events(self, workload: str) -> list[str]:
        async with self.parts.database.read() as session:
            page = await self.parts.queries.events(session, workload=workload, query=wires.PageQuery(limit=500))
        return [item.type for item in reversed(page.items)]

    async def held(self) -> list[ReplicaRow]:
        async with self.parts.database.read() as session:
            return list(await session.scalars(select(ReplicaRow).where(ReplicaRow.held)))

    async def log(self, workload: str, replica: str = "main-0", attempt: int = 1) -> str:
        from pumpkin_services.runtimes.base import Key

        return (await self.parts.runtime.read_log(Key(workload, attempt), replica)).data.decode()

    async def phase(self, workload: str, *phases: str, seconds: float = 20) -> wires.Workload:
        """Wait until a workload is in one of `phases`."""

        async def there() -> bool:
            row = await self.row(workload)
            assert row is not None, "the workload is gone"
            return row.phase in phases

        try:
            await self.until(there, seconds=seconds)
        except AssertionError:
            found = await self.detail(workload)
            raise AssertionError(f"{found.phase} ({found.reason}: {found.message}), not {phases}") from None
        return await self.detail(workload)

    async def ended(self, workload: str, *, seconds: float = 20) -> wires.Workload:
        return await self.phase(workload, *ENDED, seconds=seconds)

    async def gone(self, workload: str, *, seconds: float = 20) -> None:
        async def gone() -> bool:
            return await self.row(workload) is None

        await self.until(gone, seconds=seconds)

    async def until(self, condition: Callable[[], Awaitable[bool]], *, seconds: float = 20) -> None:
        give_up = time.monotonic() + seconds
        while not await condition():
            assert time.monotonic() < give_up, "it did not come about"
            await asyncio.sleep(0.01)


@asynccontextmanager
async def built(data: Path, *, fresh: bool = True, **changes: Any) -> AsyncIterator[House]:
    """Build the platform on `data`, with `changes` to its settings; no pipeline yet."""
    os.environ.setdefault("JUPYTERHUB_API_TOKEN", "there-is-no-hub")
    settings = Platform(data_dir=str(data), isolate="never", default_balance="1", **changes)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database_url)
    await migrate(database)
    parts = wire(settings, database)
    await parts.runtime.start()
    if fresh:
        await _furnish(parts)
    house = House(parts=parts, data=data)
    try:
        yield house
    finally:
        await house.stop_pipeline()
        for key in await parts.runtime.list():
            await parts.runtime.stop(key, grace=0)
        await parts.runtime.close()
        parts.hub.close()
        await database.close()


async def _furnish(parts: Parts) -> None:
    node = NodeCapacity(name="here", cpu_milli=SLOTS * 100, memory=SLOTS * GIB)
    admin = user("root", admin=True)
    async with parts.database.write() as session:
        await parts.resources.nodes.register(session, node)
        for name, values in {
            "slot": {"cpu_milli": 100, "memory": GIB},
            "wide": {"cpu_milli": 500, "memory": 4 * GIB},
            "whole": {"cpu_milli": 800, "memory": 8 * GIB},
            "paid": {"cpu_milli": 100, "memory": GIB, "price_micro": 3_600_000},
            "gpu": {"cpu_milli": 100, "memory": GIB, "accelerators": 1, "accelerator_type": "H200"},
        }.items():
            await parts.resources.create_spec(session, admin, spec=SpecCreate(name=name, **values))
        await parts.resources.create_pool(session, admin, pool=PoolCreate(name="default", everyone=True))
        session.add_all([UserRow(name="ann"), UserRow(name="ben")])
    await parts.images.interpreters.register_default(sys.executable)
