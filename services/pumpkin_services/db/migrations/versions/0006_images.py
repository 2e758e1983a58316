"""Tables of images."""

revision = "0006_images"
down_revision = "0005_assets"


def upgrade() -> None:
    """Create them."""


def downgrade() -> None:
    """Drop them."""
