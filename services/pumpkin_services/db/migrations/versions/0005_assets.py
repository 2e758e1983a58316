"""Tables of assets."""

revision = "0005_assets"
down_revision = "0004_artifacts"


def upgrade() -> None:
    """Create them."""


def downgrade() -> None:
    """Drop them."""
