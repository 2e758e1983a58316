"""One workload's rows and what its runtime says, as a step of the reconciler sees them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, select

from pumpkin_services.db import Database
from pumpkin_services.pipeline.verdict import Verdict
from pumpkin_services.runtimes.base import Key, Observation
from pumpkin_services.workloads.models import ENDED, Reason
from pumpkin_services.workloads.plan import Plan
from pumpkin_services.workloads.tables import AttemptRow, ReplicaRow, WorkloadRow

LOOK = select(WorkloadRow).where(WorkloadRow.id == bindparam("of"))
REPLICAS = select(ReplicaRow).where(ReplicaRow.workload == bindparam("of"), ReplicaRow.attempt == bindparam("which"))
STOPS: dict[str, tuple[Reason, str]] = {
    "stopped_by_user": ("stopped_by_user", "It was stopped."),
    "stopped_by_admin": ("stopped_by_admin", "An admin stopped it."),
    "frozen": ("stopped_by_admin", "It was stopped because an admin froze its user's account."),
    "idle": ("idle", "It was stopped because nobody had used it for a while."),
    "server_failed": ("server_failed", "The Hub could not start the server: see the events."),
}


@dataclass(frozen=True, kw_only=True)
class View:
    """One workload's rows as a step sees them."""

    row: WorkloadRow
    plan: Plan
    attempt: AttemptRow | None
    replicas: Sequence[ReplicaRow]

    @property
    def key(self) -> Key:
        """The runtime's key of the present attempt."""
        return Key(self.row.id, self.row.attempt)

    @property
    def decided(self) -> Verdict | None:
        """How the attempt ends, if that is decided."""
        if self.attempt is None or self.attempt.phase not in ENDED:
            return None
        return Verdict(
            phase=self.attempt.phase,  # pyright: ignore[reportArgumentType]
            reason=self.attempt.reason,  # pyright: ignore[reportArgumentType]
            message=self.attempt.message,
            exit_code=self.attempt.exit_code,
        )


async def look(database: Database, workload: str) -> View | None:
    """Return the rows of a workload, None if there is none."""
    async with database.read() as session:
        row = await session.scalar(LOOK, {"of": workload})
        if row is None:
            return None
        attempt: AttemptRow | None = None
        replicas: Sequence[ReplicaRow] = ()
        if row.attempt and row.phase not in (*ENDED, "queued"):
            # Asked for only where it matters: most steps are of short jobs, and there are many of those.
            if row.phase == "stopping" or "deadline_seconds" in row.request:
                attempt = await session.get(AttemptRow, (workload, row.attempt))
            replicas = (await session.scalars(REPLICAS, {"of": workload, "which": row.attempt})).all()
    return View(row=row, plan=Plan.model_validate(row.plan), attempt=attempt, replicas=replicas)


def stopped(row: WorkloadRow) -> Verdict:
    """Return the verdict on one that is to stop."""
    reason, message = STOPS.get(row.stop_reason, STOPS["stopped_by_user"])
    if row.stop_note:
        message = f"{message.rstrip('.')}: {row.stop_note}"
    return Verdict(phase="stopped", reason=reason, message=message)


def placed(view: View) -> dict[str, list[str]]:
    """Return the names of each role's replicas, by index."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for replica in sorted(view.replicas, key=lambda item: item.index):
        names[replica.role].append(replica.name)
    return names


def complete(view: View, seen: Mapping[str, Observation]) -> dict[str, Observation]:
    """Add what the runtime knows nothing of: once it ran, that is a loss (somebody removed its folder)."""
    known = dict(seen)
    for replica in view.replicas:
        item = known.get(replica.name)
        if replica.started_ms is not None and (item is None or item.state == "absent"):
            known[replica.name] = Observation(
                replica=replica.name,
                state="lost",
                started=replica.started_ms,
                ended=replica.ended_ms or time.time_ns() // 1_000_000,
            )
    return known


def unwritten(view: View, seen: Mapping[str, Observation]) -> list[ReplicaRow]:
    """Return the replicas whose rows do not say yet what is true."""
    found: list[ReplicaRow] = []
    for replica in view.replicas:
        item = seen.get(replica.name)
        if item is not None and item.state not in ("absent", "starting") and item.state != replica.state:
            found.append(replica)
    return found


def first_start(seen: Mapping[str, Observation]) -> datetime | None:
    """Return when the first replica began, None while none has."""
    times = [item.started for item in seen.values() if item.started is not None]
    return datetime.fromtimestamp(min(times) / 1000, UTC) if times else None
