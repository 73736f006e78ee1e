"""Counts of sites and wells, so that the status of a large screen needs no count of its rows."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COUNTS = ("sites", "done", "parked")
_OF_BATCH = "SELECT count(*) FROM sites WHERE sites.screen_id = batches.screen_id AND sites.batch = batches.number"
_HAS_NOTE = sa.text("note IS NOT NULL")


def upgrade() -> None:
    """Add the columns and count the sites of earlier screens."""
    for column in _COUNTS:
        op.add_column("batches", sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        f"UPDATE batches SET sites = ({_OF_BATCH}), done = ({_OF_BATCH} AND sites.state = 'done'), "
        f"parked = ({_OF_BATCH} AND sites.state = 'parked')"
    )
    op.add_column("screens", sa.Column("wells", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE screens SET wells = (SELECT count(*) FROM wells WHERE wells.screen_id = screens.id "
        "AND wells.role <> 'empty')"
    )
    op.create_index(
        "sites_with_notes", "sites", ["screen_id", "number"], sqlite_where=_HAS_NOTE, postgresql_where=_HAS_NOTE
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("sites_with_notes", "sites")
    op.drop_column("screens", "wells")
    for column in reversed(_COUNTS):
        op.drop_column("batches", column)
