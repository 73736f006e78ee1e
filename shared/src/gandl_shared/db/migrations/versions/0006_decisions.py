"""Decisions of people about results: the trail of a screen, and assessments of curves. Rows are never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("decisions", "assessments")


def upgrade() -> None:
    """Add both tables, and let the database itself refuse changes of their rows."""
    op.create_table(
        "decisions",
        sa.Column("id", _BIG_ID, primary_key=True),
        sa.Column("screen_id", sa.String(64), sa.ForeignKey("screens.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer()),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.UniqueConstraint("screen_id", "number"),
    )
    op.create_table(
        "assessments",
        sa.Column("decision_id", _BIG_ID, sa.ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("compound", sa.Text(), nullable=False),
        sa.Column("cell_line", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(20)),
        sa.Column("ec50_um", sa.Float(53)),
    )
    # Rows go only with their screen; nothing but a deleted screen shortens the trail.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger AS $$ BEGIN "
            "RAISE EXCEPTION 'a decision is never changed; record another one'; END $$ LANGUAGE plpgsql"
        )
    for table in _TABLES:
        op.execute(_trigger(table))


def downgrade() -> None:
    """Drop both tables with what protects them."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _trigger(table: str) -> str:
    begin = f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table}"
    if op.get_bind().dialect.name == "postgresql":
        return f"{begin} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    return f"{begin} BEGIN SELECT RAISE(ABORT, 'a decision is never changed; record another one'); END"
