"""What the pipeline writes: each function is one change of a workload's rows, made inside somebody's transaction.

Changes name the phase they start from: one that comes too late changes nothing and says so (`Stale`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any

from sqlalchemy import CursorResult, Update, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.billing.service import BillingService
from pumpkin_services.db import QUICK, table, utcnow
from pumpkin_services.pipeline.verdict import Verdict
from pumpkin_services.runtimes.base import Observation
from pumpkin_services.workloads import notebooks
from pumpkin_services.workloads.models import OPEN
from pumpkin_services.workloads.plan import PlannedRole
from pumpkin_services.workloads.ports import Pins
from pumpkin_services.workloads.records import add_events, event
from pumpkin_services.workloads.scheduler import Start
from pumpkin_services.workloads.tables import (
    AttemptRow,
    CellRow,
    DocumentRow,
    EventRow,
    MetricRow,
    MetricSourceRow,
    NotebookRow,
    ReplicaRow,
    UsageRow,
    VersionUseRow,
    WorkloadLabelRow,
    WorkloadRow,
)

SOURCE = "pipeline"
ENDING = "What still runs of it is being stopped."
"""How it ended, and why, is the last event's to say."""
ALL_TABLES: tuple[Any, ...] = (
    AttemptRow, ReplicaRow, EventRow, MetricRow, MetricSourceRow, UsageRow, WorkloadLabelRow, VersionUseRow,
    NotebookRow, DocumentRow, CellRow,
)  # fmt: skip

WORKLOADS, ATTEMPTS, REPLICAS, USES = (table(row) for row in (WorkloadRow, AttemptRow, ReplicaRow, VersionUseRow))
MOVE = (
    update(WORKLOADS)
    .where(WORKLOADS.c.id == bindparam("of"), WORKLOADS.c.phase.in_(bindparam("expected", expanding=True)))
    .values(revision=WORKLOADS.c.revision + 1)
)
# As the row says now: somebody may have asked for its deletion since we looked.
END = MOVE.values(active=WORKLOADS.c.target == "delete")
MOVE_ATTEMPT = update(ATTEMPTS).where(ATTEMPTS.c.workload == bindparam("of"), ATTEMPTS.c.number == bindparam("which"))
OF_ATTEMPT = (REPLICAS.c.workload == bindparam("of"), REPLICAS.c.attempt == bindparam("which"))
MOVE_REPLICA = update(REPLICAS).where(*OF_ATTEMPT, REPLICAS.c.name == bindparam("called"))
LET_GO = update(REPLICAS).where(*OF_ATTEMPT, REPLICAS.c.held).values(held=False)
UNUSE = delete(USES).prefix_with(QUICK).where(USES.c.workload == bindparam("of"))


class Stale(Exception):
    """The workload is not as it was when the change was decided: look again."""


async def start(
    session: AsyncSession,
    starts: Sequence[Start],
    *,
    roles: Mapping[str, Sequence[PlannedRole]],
    grant_seconds: float,
) -> list[str]:
    """Give each workload its places: a new attempt, its replicas, phase `preparing`. Returns who got them."""
    attempts: list[dict[str, Any]] = []
    replicas: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    now = utcnow()
    for item in starts:
        expires = now + timedelta(seconds=grant_seconds) if item.kind == "notebook" else None
        try:
            await _update(
                session, item.id, phase="preparing", attempt=item.attempt, not_before=expires, message="", pin=0
            )
        except Stale:
            continue
        attempts.append({"workload": item.id, "number": item.attempt, "phase": "preparing", "created": now})
        replicas += _replicas(item, roles[item.id])
        nodes = sorted({spot.placement.node for spot in item.spots if spot.placement.node})
        found = f"Resources found on {', '.join(nodes)}." if nodes else "Resources found."
        events.append(event(item.id, "placed", found, source=SOURCE, nodes=nodes))
    if attempts:
        await session.execute(insert(ATTEMPTS), attempts)
        await session.execute(insert(REPLICAS), replicas)
        await add_events(session, events)
        await notebooks.restart(session, [item["workload"] for item in attempts if item["number"] > 1])
    return [item["workload"] for item in attempts]


def _replicas(item: Start, planned: Sequence[PlannedRole]) -> list[dict[str, Any]]:
    roles = {role.name: role for role in planned}
    return [
        {
            "workload": item.id,
            "attempt": item.attempt,
            "name": f"{spot.role}-{spot.index}",
            "role": spot.role,
            "index": spot.index,
            "spec": roles[spot.role].spec,
            "node": spot.placement.node,
            "cpu_milli": roles[spot.role].cpu_milli,
            "memory": roles[spot.role].memory,
            "accelerators": list(spot.placement.accelerators),
            "price_micro": roles[spot.role].price_micro,
            "held": True,
            "state": "placed",
        }
        for spot in item.spots
    ]


async def observed(
    session: AsyncSession,
    billing: BillingService,
    row: WorkloadRow,
    replicas: Iterable[ReplicaRow],
    seen: Mapping[str, Observation],
) -> None:
    """Write what the runtime says of replicas that changed, and open or close their meters.

    A replica that ended no longer holds anything; what it held is free for the next.
    """
    for replica in replicas:
        item = seen.get(replica.name)
        if item is None or item.state in ("absent", "starting"):
            continue
        if item.started is not None and replica.started_ms is None:
            await billing.open_meter(
                session,
                workspace=row.workspace,
                creator=row.creator,
                workload=row.id,
                attempt=row.attempt,
                replica=replica.name,
                spec=replica.spec,
                price_micro=replica.price_micro,
                start_ms=item.started,
            )
        if item.started is not None and item.final:
            await billing.close_meter(
                session,
                workload=row.id,
                attempt=row.attempt,
                replica=replica.name,
                end_ms=item.ended or item.started,
            )
        where = await _arrived(session, replica, item.node) if item.node and not replica.node else {}
        await session.execute(
            MOVE_REPLICA,
            {
                **where,
                "of": row.id,
                "which": row.attempt,
                "called": replica.name,
                "state": item.state,
                # The first that was heard is what its meter began at.
                "started_ms": item.started if replica.started_ms is None else replica.started_ms,
                "ended_ms": item.ended,
                "exit_code": item.exit_code,
                "signal": item.signal,
                "oom": item.oom,
                "held": not item.final,
            },
        )


async def _arrived(session: AsyncSession, replica: ReplicaRow, node: str) -> dict[str, Any]:
    """Return what is known once a cluster has chosen a node: of its accelerators, the first that nobody holds."""
    held = await session.scalars(select(REPLICAS.c.accelerators).where(REPLICAS.c.held, REPLICAS.c.node == node))
    taken = {index for indexes in held for index in indexes}
    free = (index for index in count() if index not in taken)
    return {"node": node, "accelerators": list(islice(free, len(replica.accelerators)))}


async def running(session: AsyncSession, row: WorkloadRow, *, started: datetime | None, host: str) -> None:
    """Write that it runs."""
    began = started or utcnow()
    values: dict[str, Any] = {"phase": "running", "started": row.started or began, "not_before": None}
    if row.claim is not None:
        values |= {"host": host, "port": row.claim["port"], "claim": None}
    await _update(session, row.id, expected=("preparing",), **values)
    await _attempt(session, row, phase="running", started=began)
    await add_events(session, [event(row.id, "running", "Started.", source=SOURCE, attempt=row.attempt)])


async def decide(session: AsyncSession, row: WorkloadRow, verdict: Verdict) -> None:
    """Write how the attempt ends; what of it still runs is stopped next."""
    values: dict[str, Any] = {"phase": "stopping", "message": verdict.message, "claim": None}
    await _update(session, row.id, expected=("preparing", "running"), **values)
    await _attempt(
        session,
        row,
        phase=verdict.phase,
        reason=verdict.reason,
        message=verdict.message,
        exit_code=verdict.exit_code,
    )
    if verdict.phase != "succeeded":
        await add_events(session, [event(row.id, "ending", ENDING, source=SOURCE, reason=verdict.reason)])


async def released(session: AsyncSession, row: WorkloadRow, verdict: Verdict, *, unused: bool) -> None:
    """Write that nothing of the attempt runs any more; give back what was held for replicas that never ran."""
    if unused:
        await session.execute(LET_GO, {"of": row.id, "which": row.attempt})
    await _attempt(
        session,
        row,
        phase=verdict.phase,
        reason=verdict.reason,
        message=verdict.message,
        exit_code=verdict.exit_code,
        ended=utcnow(),
    )


async def requeue(
    session: AsyncSession, row: WorkloadRow, verdict: Verdict, *, pause: float, head: bool = False
) -> None:
    """Queue the next attempt, to start in `pause` seconds at the earliest; at the head if this one never began."""
    now = utcnow()
    if head:
        message = f"{verdict.message} Starting again, from the head of the queue."
    else:
        message = f"Attempt {row.attempt} failed ({verdict.message.rstrip('.')}); the next one starts in {pause:g} s."
    await _update(
        session,
        row.id,
        expected=("preparing", "running", "stopping"),
        phase="queued",
        queued=now,
        not_before=now + timedelta(seconds=pause),
        message=message,
        claim=None,
        pin=1 if head else 0,
        starter="platform" if row.kind == "notebook" else "",
    )
    await add_events(session, [event(row.id, "retry", message, source=SOURCE, attempt=row.attempt)])


async def end(
    session: AsyncSession,
    billing: BillingService,
    pins: Pins,
    row: WorkloadRow,
    verdict: Verdict,
    *,
    output: tuple[str, str] = ("", ""),
) -> None:
    """End the workload for good. `output` is reference and id of the model version it made."""
    cost = (await billing.costs(session, [row.id]))[row.id] if row.attempt and row.price_micro else 0
    await _update(
        session,
        row.id,
        statement=END,
        expected=OPEN,
        phase=verdict.phase,
        reason=verdict.reason,
        message=verdict.message,
        exit_code=verdict.exit_code,
        finished=utcnow(),
        cost_micro=cost,
        claim=None,
        not_before=None,
        output=output[0],
        output_version=output[1],
    )
    await session.execute(UNUSE, {"of": row.id})
    if row.plan.get("inputs"):
        await pins.unpin(session, row.id)
    if row.notebook:
        await notebooks.settle(session, row.id)
    words = {"succeeded": "Succeeded.", "stopped": "Stopped.", "failed": "Failed."}[verdict.phase]
    await add_events(
        session,
        [event(row.id, verdict.phase, verdict.message or words, source=SOURCE, reason=verdict.reason)],
    )


async def remove(session: AsyncSession, workload: str) -> None:
    """Remove every row of a workload that has ended."""
    for rows in ALL_TABLES:
        await session.execute(delete(rows).where(rows.workload == workload))
    await session.execute(delete(WorkloadRow).where(WorkloadRow.id == workload))


async def note(session: AsyncSession, workload: str, type_: str, message: str, **detail: Any) -> None:
    """Add an event."""
    await add_events(session, [event(workload, type_, message, source=SOURCE, **detail)])


async def ask_stop(session: AsyncSession, workload: str, *, reason: str, message: str) -> None:
    """Have a running workload stopped by the platform itself."""
    await session.execute(
        update(WorkloadRow)
        .where(WorkloadRow.id == workload, WorkloadRow.target == "run")
        .values(target="stop", stop_reason=reason, revision=WorkloadRow.revision + 1)
    )
    await note(session, workload, "stop", message, reason=reason)


async def _update(
    session: AsyncSession,
    workload: str,
    *,
    statement: Update = MOVE,
    expected: Sequence[str] = ("queued",),
    **values: Any,
) -> None:
    result = await session.execute(statement, {"of": workload, "expected": list(expected), **values})
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise Stale


async def _attempt(session: AsyncSession, row: WorkloadRow, **values: Any) -> None:
    await session.execute(MOVE_ATTEMPT, {"of": row.id, "which": row.attempt, **values})
