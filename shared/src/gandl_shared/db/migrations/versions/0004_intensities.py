"""How the pixels of a plate lie in its intensity limits."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; plates of older screens were not measured."""
    op.add_column("plates", sa.Column("intensities", sa.JSON()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("plates", "intensities")
