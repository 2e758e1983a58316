"""Tables of resources."""

revision = "0003_resources"
down_revision = "0002_accounts"


def upgrade() -> None:
    """Create them."""


def downgrade() -> None:
    """Drop them."""
