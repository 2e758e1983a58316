"""Needs nothing outside Python: the real rules over a real SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pumpkin_services.db import Database
from pumpkin_services.db.migrate import migrate
from pumpkin_services.principal import PREFIX, Principal
from pumpkin_services.resources.models import Accelerator
from pumpkin_services.resources.service import ResourceService
from pumpkin_services.resources.shapes import GIB, NodeCapacity


def machine(
    name: str = "here", *, cores: float = 8, gib: float = 32, gpus: int = 0, kind: str = "H200"
) -> NodeCapacity:
    return NodeCapacity(
        name=name,
        cpu_milli=int(cores * 1000),
        memory=int(gib * GIB),
        accelerators=tuple(Accelerator(index=index, type=kind, memory=140 * GIB) for index in range(gpus)),
    )


def person(name: str, *, roles: tuple[str, ...] = (), admin: bool = False, **workspaces: Any) -> Principal:
    return Principal(
        name=name,
        scopes=frozenset({f"{PREFIX}resources:{'admin' if admin else 'read'}"}),
        workspaces={name: "owner", **workspaces},
        roles=frozenset(roles),
    )


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/resources.sqlite")
    await migrate(database)
    yield database
    await database.close()


@pytest.fixture
def resources() -> ResourceService:
    return ResourceService()
