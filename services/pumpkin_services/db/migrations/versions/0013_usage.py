"""How many chunks of each pack a version has."""

import sqlalchemy as sa
from alembic import op

revision = "0013_usage"
down_revision = "0012_people"


def upgrade() -> None:
    """Count it from now on; versions that are there are counted with the next one made after them."""
    op.add_column("version_objects", sa.Column("used", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Undo it."""
    op.drop_column("version_objects", "used")
