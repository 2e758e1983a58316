"""Group commit: changes asked for while a transaction is being committed go into the next one together.

Each transaction is fenced by the lease. A change must be repeatable: when one of a group fails, the group is rolled
back and each is tried alone, so that only the culprit's caller hears of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.pipeline.lease import Lease, LeaseLost

log = logging.getLogger("pumpkin.pipeline")
T = TypeVar("T")
Change = Callable[[AsyncSession], Awaitable[Any]]
GROUP = 64


class Writes:
    """All writing of the pipeline. `last` runs at the end of a group when `request_last` was called: the scheduler,
    which so starts the next workload in the transaction that ended the one before."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self._lease = lease
        self._pending: list[tuple[Change, asyncio.Future[Any]]] = []
        self._last: tuple[Change, Callable[[Any], None]] | None = None
        self._last_wanted = False
        self._wanted = asyncio.Event()

    def set_last(self, change: Change, then: Callable[[Any], None]) -> None:
        """Set what runs at the end of a group on request; `then` gets its result after the commit."""
        self._last = (change, then)

    def request_last(self) -> None:
        """Have `last` run at the end of the next group."""
        self._last_wanted = True
        self._wanted.set()

    async def run(self, change: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `change` in a fenced write transaction; return its result once that is committed.

        Raises `LeaseLost`, or whatever the change raised.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._pending.append((change, future))
        self._wanted.set()
        return await future

    async def work(self) -> None:
        """Commit until cancelled or until the lease is lost (`LeaseLost`, also for all who wait)."""
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                while self._pending or self._last_wanted:
                    group, self._pending = self._pending[:GROUP], self._pending[GROUP:]
                    last = self._last_wanted and not self._pending
                    self._last_wanted = self._last_wanted and not last
                    await self._commit(group, last=last)
        finally:
            for _, future in self._pending:
                if not future.done():
                    future.set_exception(LeaseLost())
            self._pending.clear()

    async def _commit(self, group: list[tuple[Change, asyncio.Future[Any]]], *, last: bool) -> None:
        try:
            await self._transaction(group, last=last)
        except LeaseLost as error:
            _fail(group, error)
            raise
        except Exception as error:
            if not group:
                log.exception("scheduling failed")
                return
            if len(group) == 1 and not last:
                _fail(group, error)
                return
            for item in group:
                await self._commit([item], last=False)
            if last:
                await self._commit([], last=True)
        except asyncio.CancelledError:
            _fail(group, LeaseLost())
            raise

    async def _transaction(self, group: list[tuple[Change, asyncio.Future[Any]]], *, last: bool) -> None:
        results: list[Any] = []
        outcome: Any = None
        async with self._database.write(first=True) as session:
            await self._lease.fence(session)
            for change, _ in group:
                results.append(await change(session))
            await session.flush()
            if last and self._last is not None:
                outcome = await self._last[0](session)
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)
        if last and self._last is not None:
            self._last[1](outcome)


def _fail(group: list[tuple[Change, asyncio.Future[Any]]], error: BaseException) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
