"""Alembic's entry: runs the migrations on the connection that `checker.database.upgrade` gives."""

from alembic import context

from checker.database.metadata import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
