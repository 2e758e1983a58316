"""Tables of workloads."""

revision = "0007_workloads"
down_revision = "0006_images"


def upgrade() -> None:
    """Create them."""


def downgrade() -> None:
    """Drop them."""
