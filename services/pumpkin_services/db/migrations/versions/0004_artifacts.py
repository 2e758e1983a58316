"""Tables of artifacts."""

revision = "0004_artifacts"
down_revision = "0003_resources"


def upgrade() -> None:
    """Create them."""


def downgrade() -> None:
    """Drop them."""
