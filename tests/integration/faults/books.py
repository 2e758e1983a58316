"""What is true of an instance, read beside its API: its database, its data folder, the machine's processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.integration.house import House

HOUR_MS = 3_600_000
ENDED = ("succeeded", "failed", "stopped")
T = TypeVar("T")
Place = tuple[str, int, str]
"""Workload, attempt, replica."""


@dataclass(frozen=True, kw_only=True)
class Replica:
    """One row of the capacity ledger; times in Unix milliseconds."""

    state: str
    held: bool
    price_micro: int
    started_ms: int | None
    ended_ms: int | None

    @property
    def cost_micro(self) -> int:
        """What it must have cost, to the last micro-unit."""
        if self.started_ms is None or self.ended_ms is None:
            return 0
        return self.price_micro * (self.ended_ms - self.started_ms) // HOUR_MS


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """How one try ended."""

    phase: str
    reason: str


class Books:
    """The books of the instance on a data folder. SQLite only: this is the embedded platform."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        connection = sqlite3.connect(f"file:{self.data}/platform.sqlite?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def endings(self) -> Counter[str]:
        """Count the terminal events of each workload."""
        found = self.rows(f"SELECT workload FROM workload_events WHERE type IN {ENDED}")
        return Counter(workload for (workload,) in found)

    def phases(self) -> dict[str, str]:
        """Return the phase of every workload."""
        return dict(self.rows("SELECT id, phase FROM workloads"))  # pyright: ignore[reportArgumentType]

    def attempts(self) -> dict[tuple[str, int], Attempt]:
        """Return every attempt."""
        found = self.rows("SELECT workload, number, phase, reason FROM workload_attempts")
        return {(workload, number): Attempt(phase=phase, reason=why) for workload, number, phase, why in found}

    def replicas(self) -> dict[Place, Replica]:
        """Return every replica of every attempt."""
        columns = "workload, attempt, name, state, held, price_micro, started_ms, ended_ms"
        return {
            (workload, attempt, name): Replica(
                state=state, held=bool(held), price_micro=price, started_ms=started, ended_ms=ended
            )
            for workload, attempt, name, state, held, price, started, ended in self.rows(
                f"SELECT {columns} FROM workload_replicas"
            )
        }

    def charges(self) -> dict[Place, int]:
        """Return what each replica was charged in all, in micro-units."""
        found = self.rows(
            "SELECT workload, attempt, replica, -sum(amount_micro) FROM ledger "
            "WHERE kind IN ('charge', 'refund') GROUP BY 1, 2, 3"
        )
        return {(workload, attempt, replica): amount for workload, attempt, replica, amount in found}

    def balance(self, workspace: str) -> tuple[int, int]:
        """Return a workspace's balance, and the sum of its ledger, which it must be."""
        [(balance,)] = self.rows(f"SELECT balance_micro FROM balances WHERE workspace = '{workspace}'")
        [(total,)] = self.rows(f"SELECT sum(amount_micro) FROM ledger WHERE workspace = '{workspace}'")
        return balance, total

    def lease(self) -> tuple[int, int]:
        """Return the process id of who holds the pipeline's lease, and the lease's epoch."""
        [(holder, epoch)] = self.rows("SELECT holder, epoch FROM leases WHERE name = 'pipeline'")
        return int(holder.split("/")[1]), epoch

    def home(self, user: str) -> Path:
        """Return a user's home."""
        return self.data / "homes" / user

    def ran(self, user: str) -> Counter[Place]:
        """Count the lines that starting replicas left in the user's home (see `MARK_START`)."""
        file = self.home(user) / "ran"
        lines = file.read_text().splitlines() if file.exists() else []
        words = [line.split() for line in lines]
        return Counter((workload, int(attempt), replica) for workload, attempt, replica in words)

    def folders(self) -> list[str]:
        """Return the workloads that have a run folder."""
        return sorted(path.name for path in (self.data / "runs").iterdir())


MARK_START = 'echo "$PUMPKIN_WORKLOAD $PUMPKIN_ATTEMPT $PUMPKIN_REPLICA" >> "$PUMPKIN_HOME/ran"; '
"""First words of a shell command: each replica leaves one line when it starts."""


def processes_of(workloads: Collection[str]) -> list[str]:
    """Return the command lines of all processes on this machine that carry the mark of one of the workloads."""
    found: list[str] = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            variables = (place / "environ").read_bytes().split(b"\0")
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        marks = [word.decode().split("/") for word in variables if word.startswith(b"PUMPKIN_RUN=")]
        if int(place.name) != os.getpid() and any(mark[1] in workloads for mark in marks if len(mark) > 1):
            found.append(f"{place.name} {command}")
    return found


def until(look: Callable[[], T], *, house: House, seconds: float = 60, pause: float = 0.1) -> T:
    """Return the first true value of `look()`; fail with the ends of the logs when none comes in time."""
    limit = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < limit, f"still {value!r} after {seconds} s\n{house.logs()}"
        time.sleep(pause)
    return value


def all_ended(books: Books, workloads: Collection[str]) -> Callable[[], bool]:
    """Return a question: have all of these ended?"""

    def look() -> bool:
        phases = books.phases()
        return all(phases.get(workload) in ENDED for workload in workloads)

    return look


def assert_ended_once_and_paid_exactly(
    books: Books, *, user: str, workloads: Collection[str], recharged_micro: int
) -> None:
    """What must hold after any accident, once every workload has ended and before any is deleted."""
    assert books.endings() == Counter(dict.fromkeys(workloads, 1))
    ran, replicas = books.ran(user), books.replicas()
    assert [place for place, times in ran.items() if times != 1] == [], "ran twice"
    assert ran.keys() <= {place for place, item in replicas.items() if item.started_ms is not None}
    assert [place for place, item in replicas.items() if item.held] == [], "still holds resources"
    expected = {place: item.cost_micro for place, item in replicas.items() if item.cost_micro}
    charged = {place: amount for place, amount in books.charges().items() if amount}
    assert charged == expected
    balance, total = books.balance(user)
    assert balance == total == recharged_micro - sum(expected.values())


def fsck(house: House) -> str:
    """Prove the store whole; return what that says."""
    command = [sys.executable, "-m", "pumpkin_services.artifacts.fsck", f"--data={house.data}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
