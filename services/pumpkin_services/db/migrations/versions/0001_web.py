"""Idempotency records and the audit log."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import Stamp

revision = "0001_web"
down_revision = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "idempotency",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(1 << 24), nullable=False),
        sa.Column("created", Stamp(), nullable=False),
    )
    op.create_index("ix_idempotency_created", "idempotency", ["created"])
    op.create_table(
        "audit",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("time", Stamp(), nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("action", sa.String(255), nullable=False),
        sa.Column("object", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
    )
    op.create_index("ix_audit_actor", "audit", ["actor", "id"])
    op.create_index("ix_audit_object", "audit", ["object", "id"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("audit")
    op.drop_table("idempotency")
