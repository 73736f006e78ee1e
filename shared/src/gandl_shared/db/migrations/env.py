"""Alembic's entry: run the migrations on the connection it is handed (`Database.connect`), in that transaction."""

from alembic import context
from gandl_shared.db.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
