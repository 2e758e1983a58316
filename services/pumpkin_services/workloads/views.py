"""From rows to wire models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from pumpkin_services.workloads import models as wire
from pumpkin_services.workloads.plan import Plan
from pumpkin_services.workloads.tables import AttemptRow, EventRow, MetricRow, ReplicaRow, UsageRow, WorkloadRow


def summary(row: WorkloadRow, *, cost_micro: int | None = None) -> wire.WorkloadSummary:
    """Return a list's item; `cost_micro` is the live meter of one that runs."""
    item = wire.WorkloadSummary.model_validate(row)
    item.hold, item.message = held(row), message(row)
    if cost_micro is not None:
        item.cost_micro = cost_micro
    return item


def held(row: WorkloadRow) -> str:
    """Return why an admin does not let it start, "" when none does."""
    return row.hold if row.phase == "queued" else ""


def message(row: WorkloadRow) -> str:
    """Return the sentence on how it stands."""
    return f"An admin holds it back: {row.hold}" if held(row) else row.message


def full(
    row: WorkloadRow,
    *,
    base_url: str,
    attempts: Sequence[AttemptRow] = (),
    replicas: Sequence[ReplicaRow] = (),
    cost_micro: int | None = None,
    forecast: wire.Forecast | None = None,
) -> wire.Workload:
    """Return a workload in full; `base_url` is the Hub's, ending in `/`."""
    plan = Plan.model_validate(row.plan)
    return wire.Workload(
        **summary(row, cost_micro=cost_micro).model_dump(),
        request=request_of(row),
        notes=row.notes,
        environment=plan.environment_ref,
        datasets=plan.references("dataset"),
        algorithm=next(iter(plan.references("algorithm")), ""),
        models=plan.references("model"),
        output=row.output,
        output_version=row.output_version,
        exit_code=row.exit_code,
        forecast=forecast,
        attempts=[wire.Attempt.model_validate(attempt) for attempt in attempts],
        members=[replica(item) for item in replicas],
        url=_url(row, base_url),
    )


def request_of(row: WorkloadRow) -> wire.JobRequest | wire.NotebookRequest:
    """Return the request as it was sent."""
    if row.kind == "job":
        return wire.JobRequest.model_validate(row.request)
    return wire.NotebookRequest.model_validate(row.request)


def replica(row: ReplicaRow) -> wire.Replica:
    """Return one replica."""
    return wire.Replica(
        name=row.name,
        attempt=row.attempt,
        role=row.role,
        index=row.index,
        spec=row.spec,
        node=row.node,
        cpu_milli=row.cpu_milli,
        memory=row.memory,
        accelerators=row.accelerators,
        price_micro=row.price_micro,
        state=row.state,  # pyright: ignore[reportArgumentType]
        exit_code=row.exit_code,
        signal=row.signal,
        oom=row.oom,
        started=moment(row.started_ms),
        ended=moment(row.ended_ms),
    )


def event(row: EventRow) -> wire.Event:
    """Return one event."""
    return wire.Event.model_validate(row)


def metric(row: MetricRow) -> wire.MetricPoint:
    """Return one point."""
    return wire.MetricPoint.model_validate(row)


def samples(rows: Iterable[UsageRow]) -> wire.UsageSamples:
    """Return samples of usage."""
    return wire.UsageSamples(
        items=[
            wire.UsageSample(
                replica=row.replica,
                attempt=row.attempt,
                time=row.time,
                cpu_milli=row.cpu_milli,
                memory=row.memory,
                accelerators=[wire.AcceleratorSample.model_validate(item) for item in row.accelerators],
            )
            for row in rows
        ]
    )


def moment(milliseconds: int | None) -> datetime | None:
    """Return Unix milliseconds as a time."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _url(row: WorkloadRow, base_url: str) -> str:
    if row.kind != "notebook" or row.phase != "running":
        return ""
    server = f"{quote(row.server_name)}/" if row.server_name else ""
    return f"{base_url}user/{quote(row.creator, safe='@')}/{server}"
