"""SQLite connections for an event loop: quick calls are made at once, slow ones in the connection's thread.

Two things are better here than in plain aiosqlite. A call that cannot be slow (`BEGIN`, opening a cursor, a few INSERTs
inside a transaction that has the lock, a look-up by an index) costs no two thread switches. And a task that is
cancelled waits for the call it is in, and a connection thrown away is rolled back first: else its transaction may live
on in a statement some traceback remembers, with the write lock, and nobody writes for half a minute.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, cast
from weakref import WeakKeyDictionary

import aiosqlite

QUICK = "/* few rows */"
"""The prefix of a DELETE that removes a few rows, found by an index: `delete(…).prefix_with(QUICK)`."""
WRITES = ("INSERT", "UPDATE", f"DELETE {QUICK}", "BEGIN", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")
FETCHES = frozenset({"fetchall", "fetchone", "fetchmany"})
SLOW = FETCHES | {"commit", "executescript"}
QUICK_STEPS = 20_000
"""Steps of SQLite's virtual machine (about a millisecond) after which a SELECT is begun anew in the thread."""
QUICK_ROWS = 64
"""How many rows one statement writes at once without a thread."""


class Connection(aiosqlite.Connection):
    """See the module."""

    _tx: SimpleQueue[tuple[asyncio.Future[Any] | None, Callable[[], Any]]]

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, 64)
        # A process that ends does not wait for its connections.
        self._thread.daemon = True
        self._found: WeakKeyDictionary[sqlite3.Cursor, deque[Any]] = WeakKeyDictionary()
        """What SELECTs made at once have found and nobody has fetched yet."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        cursor = getattr(fn, "__self__", None)
        if isinstance(cursor, sqlite3.Cursor):
            if fn.__name__ in FETCHES and cursor in self._found:
                return _fetch(self._found[cursor], fn.__name__, *args)
            self._found.pop(cursor, None)
        if fn == self._connection.close:
            self._let_go()
        if fn.__name__ == "execute" and args[0].startswith("SELECT") and isinstance(cursor, sqlite3.Cursor):
            try:
                return self._look_up(self._connection, cursor, args)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                    raise
        elif fn.__name__ == "execute" and args[0] == "BEGIN IMMEDIATE":
            try:
                return self._begin(self._connection, fn)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
        elif _quick(fn, args):
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

    def _look_up(self, connection: sqlite3.Connection, cursor: sqlite3.Cursor, args: tuple[Any, ...]) -> Any:
        """Execute a SELECT here and now; raise "interrupted" when that takes more than `QUICK_STEPS`."""
        connection.set_progress_handler(_give_up, QUICK_STEPS)
        try:
            result = cursor.execute(*args)
            self._found[cursor] = deque(cursor.fetchall())
        finally:
            connection.set_progress_handler(None, 0)
        return result

    def _begin(self, connection: sqlite3.Connection, fn: Callable[..., Any]) -> Any:
        """Take the write lock here and now; raise "busy" when another process has it."""
        [patience] = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            return fn("BEGIN IMMEDIATE")
        finally:
            connection.execute(f"PRAGMA busy_timeout = {patience}")

    def stop(self) -> asyncio.Future[Any] | None:
        """Roll back, close and end the thread."""
        self._tx.put_nowait((None, self._let_go))
        return cast(Any, super()).stop()

    def _let_go(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.rollback()


def connect(path: str) -> Connection:
    """Return a connection to be awaited. It is used by one task at a time, so two threads never meet in it."""
    return Connection(partial(sqlite3.connect, path, check_same_thread=False))


def _fetch(rows: deque[Any], how: str, size: int = 1) -> Any:
    if how == "fetchone":
        return rows.popleft() if rows else None
    return [rows.popleft() for _ in range(len(rows) if how == "fetchall" else min(size, len(rows)))]


def _give_up() -> bool:
    return True


def _quick(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    name = fn.__name__
    if name == "execute":
        return args[0].startswith(WRITES)
    if name == "executemany":
        return len(args[1]) <= QUICK_ROWS
    return name not in SLOW
