"""Tables of accounts."""

revision = "0002_accounts"
down_revision = "0001_web"


def upgrade() -> None:
    """Create them."""


def downgrade() -> None:
    """Drop them."""
