"""What work waits for while something is away, lost workers, files as they were submitted, and keys of requests."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WORK = ("batches", "analyses")


def upgrade() -> None:
    """Add the columns. Work that waits already has no reason, and the files of older screens were not measured."""
    for table in _WORK:
        op.add_column(table, sa.Column("waiting", sa.Text()))
        op.add_column(table, sa.Column("waits", sa.Integer(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column("waiting_since", sa.Float(53)))
        op.add_column(table, sa.Column("losses", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sites", sa.Column("stamps", sa.JSON()))
    op.add_column("sites", sa.Column("note", sa.Text()))
    op.add_column("screens", sa.Column("idempotency_key", sa.String(200)))
    op.add_column("screens", sa.Column("fingerprint", sa.String(64)))
    op.create_index("screens_by_idempotency_key", "screens", ["idempotency_key"], unique=True)


def downgrade() -> None:
    """Drop the columns."""
    op.drop_index("screens_by_idempotency_key", "screens")
    for column in ("fingerprint", "idempotency_key"):
        op.drop_column("screens", column)
    for column in ("note", "stamps"):
        op.drop_column("sites", column)
    for table in _WORK:
        for column in ("losses", "waiting_since", "waits", "waiting"):
            op.drop_column(table, column)
