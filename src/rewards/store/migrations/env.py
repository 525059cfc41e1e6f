"""Runs the steps on the connection that `migrate` (or a developer's Alembic call) brings."""

from __future__ import annotations

from alembic import context

from rewards.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
