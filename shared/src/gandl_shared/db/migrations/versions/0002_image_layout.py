"""How the images of a screen were read: layout, order of the channels, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; screens that were submitted before have nothing in it."""
    op.add_column("screens", sa.Column("layout", sa.JSON()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("screens", "layout")
