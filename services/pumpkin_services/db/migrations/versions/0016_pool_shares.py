"""What a pool is sure of, and what it deserves, of nodes that it shares with others."""

import sqlalchemy as sa
from alembic import op

revision = "0016_pool_shares"
down_revision = "0015_storage"


def upgrade() -> None:
    """Pools that are there are sure of nothing, as they were."""
    op.add_column("pools", sa.Column("guarantee_percent", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("pools", sa.Column("deserved_percent", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("pools", sa.Column("reclaimable", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Undo it."""
    for column in ("reclaimable", "deserved_percent", "guarantee_percent"):
        op.drop_column("pools", column)
