"""Notes of a screen: what was assumed while its input was read."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the notes; screens of before have none."""
    op.add_column("screens", sa.Column("notes", sa.JSON()))


def downgrade() -> None:
    """Drop the notes."""
    op.drop_column("screens", "notes")
