"""Pools may be parts of others."""

import sqlalchemy as sa
from alembic import op

revision = "0017_pool_parents"
down_revision = "0016_pool_shares"


def upgrade() -> None:
    """Pools that are there are parts of none."""
    op.add_column("pools", sa.Column("parent", sa.String(63), nullable=False, server_default=""))


def downgrade() -> None:
    """Undo it."""
    op.drop_column("pools", "parent")
