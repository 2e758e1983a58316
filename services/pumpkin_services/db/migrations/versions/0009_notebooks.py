"""Notebooks that jobs run: their documents, and what becomes of their cells."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import LONG_TEXT, Stamp

revision = "0009_notebooks"
down_revision = "0008_billing"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "workload_notebooks",
        sa.Column("workload", sa.String(26), primary_key=True),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("path", sa.String(1000), nullable=False),
        sa.Column("landed", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_workload_notebooks_creator", "workload_notebooks", ["creator", "landed", "workload"])
    op.create_table(
        "workload_documents",
        sa.Column("workload", sa.String(26), primary_key=True),
        sa.Column("content", LONG_TEXT, nullable=False),
    )
    op.create_table(
        "workload_cells",
        sa.Column("workload", sa.String(26), primary_key=True),
        sa.Column("cell", sa.String(64), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source_hash", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("execution_count", sa.Integer(), nullable=True),
        sa.Column("started", Stamp(), nullable=True),
        sa.Column("finished", Stamp(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("outputs", LONG_TEXT, nullable=False),
    )
    op.create_index("ix_workload_cells_revision", "workload_cells", ["workload", "revision"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("workload_cells", "workload_documents", "workload_notebooks"):
        op.drop_table(table)
