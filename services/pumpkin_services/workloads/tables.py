"""Rows of workloads: what was asked for and how it stands, attempts, replicas, events, metrics and usage."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import LONG_TEXT, Base, new_id, utcnow


class WorkloadRow(Base):
    """A request writes `target`; only the pipeline, under its lease, writes `phase` and what follows from it."""

    __tablename__ = "workloads"
    # Every filter of the list page has an index that ends in the id, so a page costs the same in any table.
    __table_args__ = (
        Index("ix_workloads_workspace", "workspace", "id"),
        Index("ix_workloads_workspace_phase", "workspace", "phase", "id"),
        Index("ix_workloads_workspace_kind", "workspace", "kind", "id"),
        Index("ix_workloads_creator", "creator", "id"),
        Index("ix_workloads_creator_phase", "creator", "phase", "id"),
        Index("ix_workloads_phase", "phase", "id"),
        Index("ix_workloads_kind", "kind", "id"),
        Index("ix_workloads_spec", "spec", "id"),
        Index("ix_workloads_active", "active", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255))
    workspace: Mapped[str]
    creator: Mapped[str]
    phase: Mapped[str] = mapped_column(String(16), default="queued")
    target: Mapped[str] = mapped_column(String(16), default="run")
    active: Mapped[bool] = mapped_column(default=True)
    """Whether the pipeline has anything left to do for it."""
    reason: Mapped[str] = mapped_column(String(32), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    priority: Mapped[int] = mapped_column(default=0)
    labels: Mapped[list[str]] = mapped_column(JSON, default=list)
    notes: Mapped[str] = mapped_column(LONG_TEXT, default="")
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As it was sent; what clone, rerun and the YAML export return to."""
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As it was understood at submit (`plan.Plan`): versions, specs and prices, which later edits do not change."""
    spec: Mapped[str] = mapped_column(String(63))
    """Of the main role."""
    replicas: Mapped[int] = mapped_column(default=1)
    attempt: Mapped[int] = mapped_column(default=0)
    """The present or last one; 0 before the first."""
    price_micro: Mapped[int] = mapped_column(BigInteger, default=0)
    """Per hour, for all replicas together."""
    cost_micro: Mapped[int] = mapped_column(BigInteger, default=0)
    """Charged so far."""
    exit_code: Mapped[int | None]
    output: Mapped[str] = mapped_column(String(400), default="")
    output_version: Mapped[str] = mapped_column(String(26), default="")
    server_name: Mapped[str] = mapped_column(String(255), default="")
    starter: Mapped[str] = mapped_column(String(16), default="")
    """Of a notebook: `platform` when the pipeline asks the Hub to start it, `spawner` when the Hub already is."""
    claim: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What the spawner wants started; emptied once it runs, for it holds the server's token."""
    host: Mapped[str] = mapped_column(String(255), default="")
    port: Mapped[int | None]
    stop_reason: Mapped[str] = mapped_column(String(32), default="")
    """Why it is being stopped; becomes `reason`."""
    stop_note: Mapped[str] = mapped_column(String(500), default="")
    """What whoever stops it wants its owner to know."""
    hold: Mapped[str] = mapped_column(String(500), default="")
    """Why an admin does not let it start though its turn may have come; "" when none does."""
    pin: Mapped[int] = mapped_column(default=0)
    """Its place at the head of the queue, from 1, when an admin gave it one; 0 leaves it to the rules."""
    queued: Mapped[datetime] = mapped_column(default=utcnow)
    """Since when it waits; set again when a retry is queued."""
    not_before: Mapped[datetime | None]
    """A retry's back-off ends then; of a ready grant: it expires then."""
    created: Mapped[datetime] = mapped_column(default=utcnow)
    started: Mapped[datetime | None]
    """When the first attempt ran."""
    finished: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)

    @property
    def notebook(self) -> str:
        """The path of the notebook a job runs, "" for all others."""
        run: dict[str, Any] = self.request.get("notebook") or {}
        return str(run.get("path", ""))


class WorkloadLabelRow(Base):
    """One label of one workload, for the list's filter."""

    __tablename__ = "workload_labels"

    label: Mapped[str] = mapped_column(String(63), primary_key=True)
    workload: Mapped[str] = mapped_column(String(26), primary_key=True)


class VersionUseRow(Base):
    """One version an unfinished workload reads: what is in use cannot be deleted."""

    __tablename__ = "workload_versions"
    __table_args__ = (Index("ix_workload_versions_workload", "workload"),)

    version: Mapped[str] = mapped_column(String(26), primary_key=True)
    workload: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))


class AttemptRow(Base):
    __tablename__ = "workload_attempts"

    workload: Mapped[str] = mapped_column(String(26), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    phase: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(32), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    exit_code: Mapped[int | None]
    created: Mapped[datetime] = mapped_column(default=utcnow)
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]


class ReplicaRow(Base):
    """One process of one attempt, and what it holds while `held`: the capacity ledger."""

    __tablename__ = "workload_replicas"
    __table_args__ = (Index("ix_workload_replicas_held", "held", "node"),)

    workload: Mapped[str] = mapped_column(String(26), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    role: Mapped[str] = mapped_column(String(63))
    index: Mapped[int]
    spec: Mapped[str] = mapped_column(String(63))
    node: Mapped[str] = mapped_column(String(255))
    cpu_milli: Mapped[int]
    memory: Mapped[int] = mapped_column(BigInteger)
    accelerators: Mapped[list[int]] = mapped_column(JSON)
    price_micro: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(16), default="placed")
    exit_code: Mapped[int | None]
    signal: Mapped[int | None]
    oom: Mapped[bool] = mapped_column(default=False)
    started_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Unix milliseconds, from the runtime."""
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)
    busy_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When it was last seen to use what it holds, to the minute; NULL before it was."""


class EventRow(Base):
    __tablename__ = "workload_events"
    __table_args__ = (Index("ix_workload_events_workload", "workload", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    workload: Mapped[str] = mapped_column(String(26))
    time: Mapped[datetime] = mapped_column(default=utcnow)
    source: Mapped[str] = mapped_column(String(255))
    """Who did it: `pipeline`, `runtime`, `hub`, or a user's name."""
    type: Mapped[str] = mapped_column(String(32))
    message: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class MetricRow(Base):
    __tablename__ = "workload_metrics"
    __table_args__ = (Index("ix_workload_metrics_workload", "workload", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    workload: Mapped[str] = mapped_column(String(26))
    attempt: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    step: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float | None] = mapped_column(Float(53))
    """NULL for what is not a finite number."""
    time: Mapped[datetime]


class MetricSourceRow(Base):
    """How far one file of metrics has been read; moved in the transaction that adds its points."""

    __tablename__ = "workload_metric_sources"

    workload: Mapped[str] = mapped_column(String(26), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of its path below the attempt's folder."""
    position: Mapped[int] = mapped_column(BigInteger)
    """Bytes of a metrics file, events of a TensorBoard file."""


class UsageRow(Base):
    __tablename__ = "workload_usage"
    __table_args__ = (
        Index("ix_workload_usage_workload", "workload", "attempt", "id"),
        Index("ix_workload_usage_keep", "keep", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    workload: Mapped[str] = mapped_column(String(26))
    attempt: Mapped[int]
    replica: Mapped[str] = mapped_column(String(80))
    time: Mapped[datetime]
    cpu_milli: Mapped[int]
    memory: Mapped[int] = mapped_column(BigInteger)
    accelerators: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    keep: Mapped[bool]
    """The first of its minute: stays when the others are thinned."""


class NotebookRow(Base):
    """The notebook one job runs; which of its cells, and with what parameters, is in the job's request."""

    __tablename__ = "workload_notebooks"
    __table_args__ = (Index("ix_workload_notebooks_creator", "creator", "landed", "workload"),)

    workload: Mapped[str] = mapped_column(String(26), primary_key=True)
    creator: Mapped[str]
    path: Mapped[str] = mapped_column(String(1000))
    landed: Mapped[bool] = mapped_column(default=False)
    """Whether its results have been put into the notebook they came from."""


class DocumentRow(Base):
    """The notebook itself, alone: whoever lists or marks notebooks must not read and write megabytes."""

    __tablename__ = "workload_documents"

    workload: Mapped[str] = mapped_column(String(26), primary_key=True)
    content: Mapped[str] = mapped_column(LONG_TEXT)
    """As it was sent, without outputs; JSON."""


class CellRow(Base):
    """One cell to run, and what became of it in the present attempt."""

    __tablename__ = "workload_cells"
    __table_args__ = (Index("ix_workload_cells_revision", "workload", "revision"),)

    workload: Mapped[str] = mapped_column(String(26), primary_key=True)
    cell: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int]
    """In the document with its cell of parameters."""
    number: Mapped[int]
    """How people count it: among the cells of code, from 1; 0 for the cell of parameters."""
    source_hash: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(BigInteger)
    """Grows with every change of any cell of the workload."""
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    """The job's own count of its updates: one that comes late changes nothing."""
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    execution_count: Mapped[int | None]
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    size: Mapped[int] = mapped_column(default=0)
    """Bytes of the outputs."""
    outputs: Mapped[str] = mapped_column(LONG_TEXT, default="[]")
    """JSON."""
