"""Needs MariaDB and PostgreSQL servers installed (Debian: mariadb-server-core, postgresql); starts its own.

`url`: the address of an empty database on each of SQLite, MariaDB and PostgreSQL in turn. `database`: an engine on it.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from pumpkin_services.db import Database
from tests.unit.db import servers

PROGRAMS = {"mariadb": "mariadbd", "postgresql": "postgres"}
_numbers = itertools.count()


@pytest.fixture(scope="session")
def started() -> Iterator[dict[str, str]]:
    """The servers that run so far, by kind; the fixture below starts them as they are needed."""
    with ExitStack() as stack:
        yield _Servers(stack)


class _Servers(dict[str, str]):
    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __missing__(self, kind: str) -> str:
        if servers.program(PROGRAMS[kind]) is None:
            pytest.skip(f"{kind} is not installed (Debian: mariadb-server-core, postgresql).")
        self[kind] = self._stack.enter_context({"mariadb": servers.mariadb, "postgresql": servers.postgresql}[kind]())
        return self[kind]


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
async def url(request: pytest.FixtureRequest, started: dict[str, str], tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/platform.sqlite"
        return
    server, name = started[request.param], f"pumpkin{next(_numbers)}"
    maintenance = {"mariadb": "", "postgresql": "postgres"}[request.param]
    engine = create_async_engine(server + maintenance, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    yield server + name


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    yield database
    await database.close()
