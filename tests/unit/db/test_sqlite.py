"""What an event loop's SQLite connections promise: slow calls hold nothing up, nothing is lost, writers take turns."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from pumpkin_services.db import Database

COUNT_TO = """SELECT count(*) FROM (
    WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < :most) SELECT x FROM n
)"""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = Database(f"sqlite+aiosqlite:///{tmp_path}/p.sqlite")
    async with found.write() as session:
        await session.execute(text("CREATE TABLE words (number INTEGER PRIMARY KEY, word TEXT)"))
    yield found
    await found.close()


async def test_a_long_look_up_does_not_hold_up_the_loop_and_answers_in_full(database: Database):
    turns, running = 0, True

    async def pulse() -> None:
        nonlocal turns
        while running:
            await asyncio.sleep(0.001)
            turns += 1

    watch = asyncio.create_task(pulse())
    async with database.read() as session:
        before = turns
        assert await session.scalar(text(COUNT_TO), {"most": 2_000_000}) == 2_000_000
        meanwhile, running = turns - before, False
    await watch
    assert meanwhile > 10


async def test_a_look_up_that_is_begun_anew_leaves_its_transaction_whole(database: Database):
    async with database.write() as session:
        await session.execute(text("INSERT INTO words VALUES (1, 'one')"))
        assert await session.scalar(text(COUNT_TO), {"most": 100_000}) == 100_000
        await session.execute(text("INSERT INTO words VALUES (2, 'two')"))
    async with database.read() as session:
        found = await session.execute(text("SELECT word FROM words ORDER BY number"))
        assert found.scalars().all() == ["one", "two"]


async def test_rows_are_streamed_to_the_last_while_others_are_read(database: Database):
    async with database.write() as session:
        await session.execute(text("INSERT INTO words VALUES (:n, 'w')"), [{"n": n} for n in range(250)])
    async with database.read() as session:
        streamed = await session.stream(
            text("SELECT number FROM words ORDER BY number"), execution_options={"yield_per": 7}
        )
        seen: list[int] = []
        async for row in streamed:
            seen.append(row.number)
            assert await session.scalar(text("SELECT count(*) FROM words")) == 250
    assert seen == list(range(250))


async def test_a_write_waits_for_another_process(database: Database, tmp_path: Path):
    other = sqlite3.connect(tmp_path / "p.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with database.write() as session:
            await session.execute(text("INSERT INTO words VALUES (1, 'patience')"))

    writing = asyncio.create_task(write())
    done, _ = await asyncio.wait({writing}, timeout=0.3)
    assert not done
    other.execute("COMMIT")
    await writing
    assert other.execute("SELECT word FROM words").fetchall() == [("patience",)]
    other.close()


async def test_what_goes_first_waits_for_one_write_at_most(database: Database):
    order: list[str] = []

    async def write(name: str, *, first: bool = False) -> None:
        async with database.write(first=first):
            order.append(name)
            await asyncio.sleep(0.01)

    crowd = [asyncio.create_task(write(f"request {n}")) for n in range(8)]
    await asyncio.sleep(0.005)
    await write("pipeline", first=True)
    await asyncio.gather(*crowd)
    assert order[:2] == ["request 0", "pipeline"]
    assert order[2:] == [f"request {n}" for n in range(1, 8)]
