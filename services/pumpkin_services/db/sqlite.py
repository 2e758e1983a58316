"""SQLite connections for an event loop: cheap calls are made at once, slow ones in the connection's thread.

Two things are better here than in plain aiosqlite. A call that cannot be slow (`BEGIN`, opening a cursor, a single
INSERT inside a transaction that has the lock) costs no two thread switches. And a task that is cancelled waits for the
call it is in, and a connection thrown away is rolled back first: else its transaction may live on in a statement some
traceback remembers, with the write lock, and nobody writes for half a minute.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import aiosqlite

QUICK = ("INSERT", "UPDATE", "BEGIN", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")
SLOW = frozenset({"commit", "executemany", "fetchall", "fetchone", "fetchmany", "executescript"})


class Connection(aiosqlite.Connection):
    """See the module."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        if fn == self._connection.close:
            self._let_go()
        if _quick(fn, args):
            return fn(*args, **kwargs)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(fn, *args, **kwargs)))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                try:
                    await asyncio.wait({future})
                except asyncio.CancelledError:
                    continue
            future.exception()
            raise

    def stop(self) -> asyncio.Future[Any] | None:
        """Roll back, close and end the thread."""
        self._tx.put_nowait((None, self._let_go))
        return super().stop()

    def _let_go(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.rollback()


def connect(path: str) -> Connection:
    """Return a connection to be awaited. It is used by one task at a time, so two threads never meet in it."""
    connection = Connection(partial(sqlite3.connect, path, check_same_thread=False), 64)
    # A process that ends does not wait for its connections.
    connection._thread.daemon = True  # pyright: ignore[reportPrivateUsage]
    return connection


def _quick(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    name = fn.__name__
    if name == "execute":
        statement = str(args[0])
        return statement.startswith(QUICK) and statement != "BEGIN IMMEDIATE"
    return name not in SLOW
