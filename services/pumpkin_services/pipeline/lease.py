"""The pipeline's lease: of several service replicas one acts, and one that was deposed cannot write.

The lease is a row with an epoch that grows whenever it changes hands. Every write of the pipeline reads that row in its
own transaction (`fence`), so whatever a clock or a long pause made a holder believe, the database has the last word.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database, new_id, table, utcnow
from pumpkin_services.pipeline.tables import LeaseRow

LEASES = table(LeaseRow)
FENCE = (
    select(LEASES.c.epoch)
    .where(LEASES.c.name == bindparam("name"), LEASES.c.holder == bindparam("holder"))
    .with_for_update()
)


class LeaseLost(Exception):
    """Somebody else holds the lease now: stop acting."""


class Lease:
    """This process's hold on the lease `name`, for `seconds` at a time."""

    def __init__(self, database: Database, *, seconds: float, name: str = "pipeline") -> None:
        self.seconds = seconds
        self._database = database
        self._name = name
        self._holder = f"{_host()}/{os.getpid()}/{_started(os.getpid())}/{new_id()}"
        self._epoch: int | None = None
        self._passed: datetime | None = None

    def passed(self) -> None:
        """Take down that the holder has looked at everything; the next renewal writes it."""
        self._passed = utcnow()

    @property
    def held(self) -> bool:
        """Whether this process believes that it holds the lease."""
        return self._epoch is not None

    async def acquire(self) -> bool:
        """Renew the lease if it is ours; take it if it is free, run out, or its holder on this machine is gone."""
        async with self._database.write(first=True) as session:
            row = await session.get(LeaseRow, self._name, with_for_update=True)
            now = utcnow()
            if row is None:
                row = LeaseRow(name=self._name, holder=self._holder, epoch=1, expires=now)
                session.add(row)
            elif row.holder != self._holder:
                if row.expires > now and not _gone(row.holder):
                    self._epoch = None
                    return False
                row.holder, row.epoch = self._holder, row.epoch + 1
                self._passed = None
            row.expires = now + timedelta(seconds=self.seconds)
            row.passed = self._passed or row.passed
            epoch = row.epoch
        self._epoch = epoch
        return True

    async def release(self) -> None:
        """Let the next one have it at once."""
        if self._epoch is None:
            return
        self._epoch = None
        async with self._database.write(first=True) as session:
            row = await session.get(LeaseRow, self._name, with_for_update=True)
            if row is not None and row.holder == self._holder:
                row.expires = utcnow()

    async def fence(self, session: AsyncSession) -> None:
        """Raise `LeaseLost` unless the lease is ours in this very transaction.

        The row stays locked until the transaction ends: nobody can take the lease between this and the commit.
        """
        epoch = await session.scalar(FENCE, {"name": self._name, "holder": self._holder})
        if epoch is None or epoch != self._epoch:
            self._epoch = None
            raise LeaseLost


def _host() -> str:
    return socket.gethostname().replace("/", "_")[:64]


def _started(pid: int) -> str:
    """Return when a process started (ticks since boot): with its pid it names one process, "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _gone(holder: str) -> bool:
    """Tell whether the holder is a process of this machine that surely does not run any more."""
    host, pid, started, *_ = [*holder.split("/"), "", "", ""]
    return bool(host == _host() and pid.isdigit() and started and _started(int(pid)) != started)
