"""What keeping data costs (the days that are charged, the bytes of a line of the ledger), and retention rules."""

import sqlalchemy as sa
from alembic import op

revision = "0015_storage"
down_revision = "0014_imports"


def upgrade() -> None:
    """Create the tables and the columns."""
    op.create_table(
        "storage_clock",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("after", sa.String(255), nullable=False),
        sa.Column("price_micro", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "storage_days",
        sa.Column("workspace", sa.String(255), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("price_micro", sa.BigInteger(), nullable=False),
        sa.Column("rest", sa.BigInteger(), nullable=False),
    )
    op.add_column("ledger", sa.Column("bytes", sa.BigInteger(), nullable=True))
    op.add_column("assets", sa.Column("keep_last", sa.Integer(), nullable=True))
    op.add_column("assets", sa.Column("keep_days", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Undo it; what was charged for storage stays charged, as a correction."""
    op.drop_column("assets", "keep_days")
    op.drop_column("assets", "keep_last")
    op.execute("UPDATE ledger SET kind = 'adjustment', start_ms = NULL, end_ms = NULL WHERE kind = 'storage'")
    op.drop_column("ledger", "bytes")
    op.drop_table("storage_days")
    op.drop_table("storage_clock")
