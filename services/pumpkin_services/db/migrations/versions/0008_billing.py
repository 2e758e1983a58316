"""Tables of billing."""

revision = "0008_billing"
down_revision = "0007_workloads"


def upgrade() -> None:
    """Create them."""


def downgrade() -> None:
    """Drop them."""
