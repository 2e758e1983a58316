"""Versions the platform fetches from another server by itself."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import Stamp

revision = "0014_imports"
down_revision = "0013_usage"


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "imports",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("asset_id", sa.String(26), nullable=False),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("ref", sa.String(255), nullable=False),
        sa.Column("commit_id", sa.String(64), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fetched", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("touched", Stamp(), nullable=False),
        sa.Column("finished", Stamp(), nullable=True),
    )
    op.create_index("ix_imports_asset_id", "imports", ["asset_id", "id"])
    op.create_index("ix_imports_state", "imports", ["state", "touched"])
    op.create_index("ix_imports_workspace", "imports", ["workspace", "state"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("imports")
