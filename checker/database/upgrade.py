"""Brings a database to the newest schema; several processes may ask at once."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.locks import Lock, hold

MIGRATIONS = Path(__file__).parent / "migrations"


KeyDigest = Callable[[str, str], bytes]
"""Returns the keyed digest of a spending key: account id, key."""


def alembic_config(
    connection: Connection | None = None, key_digest: KeyDigest | None = None
) -> Config:
    """Build Alembic's configuration in code; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["key_digest"] = key_digest
    return config


async def upgrade(engine: AsyncEngine, key_digest: KeyDigest | None = None) -> None:
    """Run the migrations that are missing; most starts find none and take no lock.

    Migration 0011 needs `key_digest` where the database holds idempotency keys as they were sent.
    """
    if await _is_current(engine):
        return
    async with hold(engine, Lock.MIGRATION), engine.begin() as connection:
        await connection.run_sync(_run, key_digest)


async def _is_current(engine: AsyncEngine) -> bool:
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    async with engine.connect() as connection:
        found = await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )
    return found == head


def _run(connection: Connection, key_digest: KeyDigest | None) -> None:
    command.upgrade(alembic_config(connection, key_digest), "head")
