"""Users who have not been here yet, what admins took down, and the ledger by time."""

import sqlalchemy as sa
from alembic import op

from pumpkin_services.db.base import Stamp

revision = "0012_people"
down_revision = "0011_queue"
TABLES = ("assets", "environments")


def upgrade() -> None:
    """Let a user have no last visit, let assets and environments be taken down, find the ledger's lines of a period."""
    with op.batch_alter_table("users") as users:
        users.alter_column("last_seen", existing_type=Stamp(), nullable=True)
    for table in TABLES:
        op.add_column(table, sa.Column("taken_down", Stamp(), nullable=True))
        op.add_column(table, sa.Column("taken_down_by", sa.String(255), nullable=True))
        op.add_column(table, sa.Column("taken_down_reason", sa.String(1000), nullable=True))
    op.create_index("ix_ledger_time", "ledger", ["time"])


def downgrade() -> None:
    """Undo it; who has not been here yet counts as seen when made."""
    op.drop_index("ix_ledger_time", "ledger")
    for table in TABLES:
        for column in ("taken_down_reason", "taken_down_by", "taken_down"):
            op.drop_column(table, column)
    op.execute("UPDATE users SET last_seen = created WHERE last_seen IS NULL")
    with op.batch_alter_table("users") as users:
        users.alter_column("last_seen", existing_type=Stamp(), nullable=False)
