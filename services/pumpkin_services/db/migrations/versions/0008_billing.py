"""Tables of billing: balances, months, the ledger and meters."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import Stamp

revision = "0008_billing"
down_revision = "0007_workloads"


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "balances",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("balance_micro", sa.BigInteger(), nullable=False),
        sa.Column("budget_micro", sa.BigInteger(), nullable=True),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.UniqueConstraint("workspace", name="uq_balances_workspace"),
    )
    op.create_table(
        "months",
        sa.Column("workspace", sa.String(255), primary_key=True),
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("spent_micro", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("time", Stamp(), nullable=False),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(255), nullable=True),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("workload", sa.String(26), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("replica", sa.String(100), nullable=True),
        sa.Column("start_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_ms", sa.BigInteger(), nullable=True),
        sa.Column("spec", sa.String(63), nullable=False),
        sa.Column("price_micro", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("workload", "attempt", "replica", "start_ms", name="uq_ledger_interval"),
        sa.UniqueConstraint("reference", name="uq_ledger_reference"),
    )
    op.create_index("ix_ledger_workspace", "ledger", ["workspace", "id"])
    op.create_index("ix_ledger_workspace_time", "ledger", ["workspace", "time"])
    op.create_table(
        "meters",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("workload", sa.String(26), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("replica", sa.String(100), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("spec", sa.String(63), nullable=False),
        sa.Column("price_micro", sa.BigInteger(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("charged_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("workload", "attempt", "replica", name="uq_meters_workload_attempt_replica"),
    )
    op.create_index("ix_meters_open", "meters", ["closed", "workspace"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("meters")
    op.drop_table("ledger")
    op.drop_table("months")
    op.drop_table("balances")
