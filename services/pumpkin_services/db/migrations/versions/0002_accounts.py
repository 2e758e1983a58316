"""Tables of accounts: users, workspaces and members."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import Stamp

revision = "0002_accounts"
down_revision = "0001_web"


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "users",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(100), nullable=False),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("frozen_reason", sa.String(255), nullable=False),
        sa.Column("frozen_by", sa.String(255), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("last_seen", Stamp(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_index("ix_users_frozen", "users", ["frozen"])
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("synced", Stamp(), nullable=True),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.UniqueConstraint("name", name="uq_workspaces_name"),
    )
    op.create_table(
        "members",
        sa.Column("workspace", sa.String(63), primary_key=True),
        sa.Column("user", sa.String(255), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("added", Stamp(), nullable=False),
        sa.Column("added_by", sa.String(255), nullable=False),
    )
    op.create_index("ix_members_user", "members", ["user"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("members")
    op.drop_table("workspaces")
    op.drop_table("users")
