"""The engine and its two kinds of session: `read()` and `write()`.

On SQLite a write session takes the write lock at its start (BEGIN IMMEDIATE): a transaction that
began by reading can then never fail half way for want of the lock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from pumpkin_services.db.failures import busy, database_problems
from pumpkin_services.db.sqlite import connect

BUSY_SECONDS = 15
"""How long a write waits for another process's write lock (SQLite)."""
LEAD_SECONDS = 0.25
"""How long after a write that goes first the others still leave room for the next (SQLite)."""
TURN_SECONDS = 30
"""How long a write waits for the others of this process (SQLite)."""


class Database:
    """One database, by SQLAlchemy URL (`sqlite+aiosqlite:///…`, `mysql+asyncmy://…`, `postgresql+asyncpg://…`)."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        path = make_url(url).database if self.is_sqlite else None
        self.engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            **({"async_creator": lambda: connect(path)} if path else {}),
        )
        # SQLite has one writer: queueing here is fair and cheap, queueing in SQLite's busy loop is neither.
        self._writer = asyncio.Lock() if self.is_sqlite else None
        self._followers = asyncio.Lock()
        self._led, self._resume = -LEAD_SECONDS, 0.0
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _sqlite_connect)
            event.listen(self.engine.sync_engine, "begin", _sqlite_begin)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """Open a session on one consistent snapshot; nothing it changes is kept.

        Raises:
            Unavailable: if the database cannot be read right now.
        """
        with database_problems():
            async with AsyncSession(self.engine, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write(self, *, first: bool = False) -> AsyncGenerator[AsyncSession]:
        """Open a session that commits when the block ends and rolls back when it raises.

        On SQLite `first` goes before the others of this process: the pipeline's writes, which move what runs, must not
        wait behind a crowd of requests.

        Raises:
            StorageFull: if there is no room for the change.
            Unavailable: if the database cannot be written right now.
        """
        with database_problems():
            if self._writer is None:
                async with self._transaction() as session:
                    yield session
                return
            async with self._leading() if first else self._following():
                await self._take_turn(self._writer)
                try:
                    async with self._transaction() as session:
                        yield session
                finally:
                    self._writer.release()

    @asynccontextmanager
    async def _leading(self) -> AsyncGenerator[None]:
        self._led = time.monotonic()
        yield

    @asynccontextmanager
    async def _following(self) -> AsyncGenerator[None]:
        """One at a time; while there are writes that go first, as long a pause between two as the last one took."""
        await self._take_turn(self._followers)
        try:
            await asyncio.sleep(max(self._resume - time.monotonic(), 0))
            began = time.monotonic()
            yield
            ended = time.monotonic()
            if ended - self._led < LEAD_SECONDS:
                self._resume = ended + min(ended - began, LEAD_SECONDS)
        finally:
            self._followers.release()

    async def _take_turn(self, writer: asyncio.Lock) -> None:
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await writer.acquire()
        except TimeoutError as error:
            raise busy() from error

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncSession]:
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            await session.connection(execution_options={"pumpkin_write": True})
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("pumpkin_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
