"""Datasets, algorithms and models, their labels and shares, and the lineage of models."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import LONG_TEXT, Stamp

revision = "0005_assets"
down_revision = "0004_artifacts"


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "assets",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("description", LONG_TEXT, nullable=False),
        sa.Column("visibility", sa.String(16), nullable=False),
        sa.Column("preset", sa.Boolean(), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("framework", sa.String(64), nullable=False),
        sa.Column("entrypoint", sa.String(1000), nullable=False),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("updated", Stamp(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.UniqueConstraint("kind", "workspace", "name"),
    )
    op.create_index("ix_assets_kind_id", "assets", ["kind", "id"])
    op.create_index("ix_assets_kind_name", "assets", ["kind", "name"])
    _of_asset("asset_labels", sa.Column("label", sa.String(63), primary_key=True))
    op.create_index("ix_asset_labels_label", "asset_labels", ["label"])
    _of_asset("asset_shares", sa.Column("workspace", sa.String(255), primary_key=True))
    op.create_index("ix_asset_shares_workspace", "asset_shares", ["workspace"])
    op.create_table(
        "model_lineage",
        sa.Column("version_id", sa.String(26), primary_key=True),
        sa.Column("job", sa.String(26), nullable=False),
        sa.Column("job_name", sa.String(255), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(400), nullable=False),
        sa.Column("datasets", sa.JSON(), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("environment", sa.String(400), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("created", Stamp(), nullable=False),
    )
    op.create_index("ix_model_lineage_job", "model_lineage", ["job"])


def _of_asset(table: str, column: sa.Column) -> None:
    owner = sa.Column("asset_id", sa.String(26), sa.ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True)
    op.create_table(table, owner, column)


def downgrade() -> None:
    """Drop them, the referring ones first."""
    for table in ("model_lineage", "asset_shares", "asset_labels", "assets"):
        op.drop_table(table)
