"""Workloads with their attempts, replicas, events, metrics and usage; the pipeline's lease."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import LONG_TEXT, Stamp

revision = "0007_workloads"
down_revision = "0006_images"


def upgrade() -> None:
    """Create the tables."""
    _workloads()
    _around()
    _runs()
    _records()


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "leases",
        "workload_usage",
        "workload_metric_sources",
        "workload_metrics",
        "workload_events",
        "workload_replicas",
        "workload_attempts",
        "workload_versions",
        "workload_labels",
        "workloads",
    ):
        op.drop_table(table)


def _workloads() -> None:
    op.create_table(
        "workloads",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("target", sa.String(16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("notes", LONG_TEXT, nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("spec", sa.String(63), nullable=False),
        sa.Column("replicas", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("price_micro", sa.BigInteger(), nullable=False),
        sa.Column("cost_micro", sa.BigInteger(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("output", sa.String(400), nullable=False),
        sa.Column("output_version", sa.String(26), nullable=False),
        sa.Column("server_name", sa.String(255), nullable=False),
        sa.Column("starter", sa.String(16), nullable=False),
        sa.Column("claim", sa.JSON(), nullable=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("stop_reason", sa.String(32), nullable=False),
        sa.Column("queued", Stamp(), nullable=False),
        sa.Column("not_before", Stamp(), nullable=True),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("started", Stamp(), nullable=True),
        sa.Column("finished", Stamp(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
    )
    op.create_index("ix_workloads_active", "workloads", ["active", "id"])
    op.create_index("ix_workloads_creator", "workloads", ["creator", "id"])
    op.create_index("ix_workloads_creator_phase", "workloads", ["creator", "phase", "id"])
    op.create_index("ix_workloads_kind", "workloads", ["kind", "id"])
    op.create_index("ix_workloads_phase", "workloads", ["phase", "id"])
    op.create_index("ix_workloads_spec", "workloads", ["spec", "id"])
    op.create_index("ix_workloads_workspace", "workloads", ["workspace", "id"])
    op.create_index("ix_workloads_workspace_kind", "workloads", ["workspace", "kind", "id"])
    op.create_index("ix_workloads_workspace_phase", "workloads", ["workspace", "phase", "id"])


def _around() -> None:
    op.create_table(
        "workload_labels",
        sa.Column("label", sa.String(63), primary_key=True),
        sa.Column("workload", sa.String(26), primary_key=True),
    )
    op.create_table(
        "workload_versions",
        sa.Column("version", sa.String(26), primary_key=True),
        sa.Column("workload", sa.String(26), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
    )
    op.create_index("ix_workload_versions_workload", "workload_versions", ["workload"])


def _runs() -> None:
    op.create_table(
        "workload_attempts",
        sa.Column("workload", sa.String(26), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("started", Stamp(), nullable=True),
        sa.Column("ended", Stamp(), nullable=True),
    )
    op.create_table(
        "workload_replicas",
        sa.Column("workload", sa.String(26), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("role", sa.String(63), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("spec", sa.String(63), nullable=False),
        sa.Column("node", sa.String(255), nullable=False),
        sa.Column("cpu_milli", sa.Integer(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("accelerators", sa.JSON(), nullable=False),
        sa.Column("price_micro", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("oom", sa.Boolean(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_workload_replicas_held", "workload_replicas", ["held", "node"])


def _records() -> None:
    op.create_table(
        "workload_events",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("workload", sa.String(26), nullable=False),
        sa.Column("time", Stamp(), nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
    )
    op.create_index("ix_workload_events_workload", "workload_events", ["workload", "id"])
    op.create_table(
        "workload_metrics",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("workload", sa.String(26), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(53), nullable=True),
        sa.Column("time", Stamp(), nullable=False),
    )
    op.create_index("ix_workload_metrics_workload", "workload_metrics", ["workload", "id"])
    op.create_table(
        "workload_metric_sources",
        sa.Column("workload", sa.String(26), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "workload_usage",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("workload", sa.String(26), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("replica", sa.String(80), nullable=False),
        sa.Column("time", Stamp(), nullable=False),
        sa.Column("cpu_milli", sa.Integer(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("accelerators", sa.JSON(), nullable=False),
        sa.Column("keep", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_workload_usage_keep", "workload_usage", ["keep", "id"])
    op.create_index("ix_workload_usage_workload", "workload_usage", ["workload", "attempt", "id"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("expires", Stamp(), nullable=False),
    )
