"""Schedules and their runs."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import LONG_TEXT, Stamp

revision = "0010_schedules"
down_revision = "0009_notebooks"


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("runs_as", sa.String(255), nullable=False),
        sa.Column("cron", sa.String(255), nullable=False),
        sa.Column("timezone", sa.String(63), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("document", LONG_TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("overlap", sa.String(16), nullable=False),
        sa.Column("next_run", Stamp(), nullable=True),
        sa.Column("reckoned", Stamp(), nullable=False),
        sa.Column("last_run", Stamp(), nullable=True),
        sa.Column("last", sa.String(26), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.UniqueConstraint("workspace", "name", name="uq_schedules_workspace_name"),
    )
    op.create_index("ix_schedules_enabled", "schedules", ["enabled", "next_run"])
    op.create_table(
        "schedule_runs",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("schedule", sa.String(26), nullable=False),
        sa.Column("due", Stamp(), nullable=True),
        sa.Column("asked_by", sa.String(255), nullable=False),
        sa.Column("workload", sa.String(26), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created", Stamp(), nullable=False),
        sa.UniqueConstraint("schedule", "due", name="uq_schedule_runs_schedule_due"),
    )
    op.create_index("ix_schedule_runs_schedule", "schedule_runs", ["schedule", "id"])
    op.create_index("ix_schedule_runs_workload", "schedule_runs", ["workload"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("schedule_runs")
    op.drop_table("schedules")
