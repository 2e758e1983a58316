"""Environments, whom they are shared with, their versions, and the prefixes versions share."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import LONG_TEXT, Stamp

revision = "0006_images"
down_revision = "0005_assets"


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "environments",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("description", LONG_TEXT, nullable=False),
        sa.Column("visibility", sa.String(16), nullable=False),
        sa.Column("preset", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("updated", Stamp(), nullable=False),
        sa.UniqueConstraint("workspace", "name", name="uq_environments_workspace_name"),
    )
    op.create_index("ix_environments_name", "environments", ["name"])
    op.create_table(
        "environment_shares",
        sa.Column("environment", sa.String(26), primary_key=True),
        sa.Column("workspace", sa.String(255), primary_key=True),
    )
    op.create_index("ix_environment_shares_workspace", "environment_shares", ["workspace"])
    op.create_table(
        "environment_versions",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("environment", sa.String(26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requirements", sa.JSON(), nullable=False),
        sa.Column("python_request", sa.String(16), nullable=False),
        sa.Column("lock", LONG_TEXT, nullable=False),
        sa.Column("packages", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("python_version", sa.String(32), nullable=False),
        sa.Column("python", sa.String(1024), nullable=False),
        sa.Column("prefix", sa.String(1024), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(26), nullable=True),
        sa.Column("expires", Stamp(), nullable=True),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("started", Stamp(), nullable=True),
        sa.Column("finished", Stamp(), nullable=True),
        sa.UniqueConstraint("environment", "number", name="uq_environment_versions_environment_number"),
    )
    op.create_index("ix_environment_versions_state", "environment_versions", ["state", "id"])
    op.create_index("ix_environment_versions_digest", "environment_versions", ["digest"])
    op.create_table(
        "environment_prefixes",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(26), nullable=True),
        sa.Column("expires", Stamp(), nullable=True),
        sa.Column("created", Stamp(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("environment_prefixes")
    op.drop_table("environment_versions")
    op.drop_table("environment_shares")
    op.drop_table("environments")
