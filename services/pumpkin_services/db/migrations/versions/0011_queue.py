"""What admins do to the queue, why something was stopped, what nodes used, and when the pipeline last passed."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import Stamp

revision = "0011_queue"
down_revision = "0010_schedules"


def upgrade() -> None:
    """Create it."""
    op.add_column("workloads", sa.Column("stop_note", sa.String(500), nullable=False, server_default=""))
    op.add_column("workloads", sa.Column("hold", sa.String(500), nullable=False, server_default=""))
    op.add_column("workloads", sa.Column("pin", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("workload_replicas", sa.Column("busy_ms", sa.BigInteger(), nullable=True))
    op.add_column("leases", sa.Column("passed", Stamp(), nullable=True))
    op.create_table(
        "node_loads",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("node", sa.String(255), nullable=False),
        sa.Column("time", Stamp(), nullable=False),
        sa.Column("cpu_milli", sa.Integer(), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("held_cpu_milli", sa.Integer(), nullable=False),
        sa.Column("held_memory", sa.BigInteger(), nullable=False),
        sa.Column("accelerators", sa.JSON(), nullable=False),
        sa.Column("keep", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_node_loads_node", "node_loads", ["node", "time"])
    op.create_index("ix_node_loads_time", "node_loads", ["time"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("node_loads")
    op.drop_column("leases", "passed")
    op.drop_column("workload_replicas", "busy_ms")
    for column in ("pin", "hold", "stop_note"):
        op.drop_column("workloads", column)
