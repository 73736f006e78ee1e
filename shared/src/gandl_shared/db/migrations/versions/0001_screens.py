"""Screens, plates, wells, batches, sites, analyses, timers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.Float(53)


def upgrade() -> None:
    """Create every table of the first version."""
    _screens()
    _plates()
    _wells()
    _batches()
    _sites()
    _analyses()
    timers = op.create_table(
        "timers",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("due_at", _TIME, nullable=False),
    )
    op.bulk_insert(timers, [{"name": "sweep", "due_at": 0.0}])


def downgrade() -> None:
    """Drop every table."""
    for table in ("timers", "analyses", "sites", "batches", "wells", "plates", "screens"):
        op.drop_table(table)


def _screens() -> None:
    op.create_table(
        "screens",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("images", sa.Text(), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("downscale", sa.Integer(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("analysis_version", sa.Integer()),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
    )
    op.create_index("ix_screens_state", "screens", ["state"])


def _plates() -> None:
    op.create_table(
        "plates",
        sa.Column("screen_id", sa.String(64), sa.ForeignKey("screens.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
    )


def _wells() -> None:
    op.create_table(
        "wells",
        sa.Column("screen_id", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("plate", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(10), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("compound", sa.Text()),
        sa.Column("concentration_um", _TIME),
        sa.Column("cell_line", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["screen_id", "plate"], ["plates.screen_id", "plates.number"], ondelete="CASCADE"),
    )
    op.create_index("wells_of_plate", "wells", ["screen_id", "plate"])
    op.create_index("wells_of_compound", "wells", ["compound"])


def _lease_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", _TIME, nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("token", sa.String(32)),
        sa.Column("leased_until", _TIME),
        sa.Column("error", sa.Text()),
    ]


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("screen_id", sa.String(64), sa.ForeignKey("screens.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        *_lease_columns(),
        sa.UniqueConstraint("screen_id", "number"),
    )
    op.create_index("batches_by_state", "batches", ["state", "id"])
    op.create_index("batches_of_screen", "batches", ["screen_id", "state", "id"])


def _sites() -> None:
    op.create_table(
        "sites",
        sa.Column("screen_id", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("well", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("key", sa.String(64)),
        sa.Column("error", sa.Text()),
        sa.ForeignKeyConstraint(["screen_id", "well"], ["wells.screen_id", "wells.number"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["screen_id", "batch"], ["batches.screen_id", "batches.number"], ondelete="CASCADE"),
    )
    op.create_index("sites_of_well", "sites", ["screen_id", "well"])
    op.create_index("sites_of_batch", "sites", ["screen_id", "batch", "number"])
    op.create_index("sites_by_state", "sites", ["screen_id", "state"])


def _analyses() -> None:
    op.create_table(
        "analyses",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("screen_id", sa.String(64), sa.ForeignKey("screens.id", ondelete="CASCADE"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        *_lease_columns(),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
        sa.UniqueConstraint("screen_id", "version"),
    )
    op.create_index("analyses_by_state", "analyses", ["state", "id"])
