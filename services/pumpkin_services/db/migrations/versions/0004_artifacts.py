"""Versions, objects, chunks, references and pins."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import Stamp

revision = "0004_artifacts"
down_revision = "0003_resources"


def upgrade() -> None:
    """Create the five tables."""
    op.create_table(
        "versions",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("asset_id", sa.String(26), nullable=False),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("number", sa.Integer()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("manifest_id", sa.String(26)),
        sa.Column("manifest_hash", sa.String(64)),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("verified_bytes", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("source", sa.String(255)),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("touched", Stamp(), nullable=False),
        sa.Column("committed", Stamp()),
        sa.UniqueConstraint("asset_id", "number"),
        sa.UniqueConstraint("source"),
    )
    op.create_index("ix_versions_asset_id", "versions", ["asset_id", "state", "id"])
    op.create_index("ix_versions_state", "versions", ["state", "touched"])
    op.create_table(
        "objects",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("workspace", sa.String(255), nullable=False),
        sa.Column("creator", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.Column("created", Stamp(), nullable=False),
        sa.Column("doomed", Stamp()),
    )
    op.create_index("ix_objects_workspace", "objects", ["workspace"])
    op.create_index("ix_objects_doomed", "objects", ["doomed"])
    op.create_table(
        "chunks",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("object_id", sa.String(26), sa.ForeignKey("objects.id"), primary_key=True),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
    )
    op.create_index("ix_chunks_object_id", "chunks", ["object_id"])
    _references(
        "version_objects",
        sa.Column("object_id", sa.String(26), sa.ForeignKey("objects.id"), primary_key=True),
        sa.Column("whole", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_version_objects_object_id", "version_objects", ["object_id"])
    _references(
        "pins", sa.Column("holder", sa.String(100), primary_key=True), sa.Column("created", Stamp(), nullable=False)
    )
    op.create_index("ix_pins_holder", "pins", ["holder"])


def _references(table: str, *columns: sa.Column) -> None:
    op.create_table(
        table, sa.Column("version_id", sa.String(26), sa.ForeignKey("versions.id"), primary_key=True), *columns
    )


def downgrade() -> None:
    """Drop them, the referring ones first."""
    for table in ("pins", "version_objects", "chunks", "objects", "versions"):
        op.drop_table(table)
