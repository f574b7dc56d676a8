"""Brings a database to the newest schema; several processes may ask at once.

Alembic is imported only where migrations are missing: its import takes a tenth of a second of every
start, and most starts find none missing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.locks import Lock, hold

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"

_HAS_REVISION = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_REVISION = text("SELECT version_num FROM alembic_version")

KeyDigest = Callable[[str, str], bytes]
"""Returns the keyed digest of a spending key: account id, key."""

Seal = Callable[[str, str, str], bytes]
"""Returns a sealed text: the text, its place, the name of its row."""


def alembic_config(
    connection: Connection | None = None,
    key_digest: KeyDigest | None = None,
    seal: Seal | None = None,
) -> "Config":
    """Return Alembic's configuration, which is made here; there is no alembic.ini."""
    from alembic.config import Config  # noqa: PLC0415 - see the module

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["key_digest"] = key_digest
    config.attributes["seal"] = seal
    return config


async def upgrade(
    engine: AsyncEngine, key_digest: KeyDigest | None = None, seal: Seal | None = None
) -> None:
    """Run the migrations that are missing; where none is missing, no lock is taken.

    Migration 0011 needs `key_digest` where the database holds idempotency keys as they were sent.
    Migration 0024 needs `seal` where the database holds a court's words in clear.
    """
    if await _is_current(engine):
        return
    async with hold(engine, Lock.MIGRATION), engine.begin() as connection:
        await connection.run_sync(_run, key_digest, seal)


def newest_revision() -> str:
    """Return the revision of the newest migration: the number that its file's name begins with."""
    return max(path.name[:4] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


async def _is_current(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        if not (await connection.execute(_HAS_REVISION)).scalar_one():
            return False
        found = (await connection.execute(_REVISION)).scalars().all()
    return found == [newest_revision()]


def _run(connection: Connection, key_digest: KeyDigest | None, seal: Seal | None) -> None:
    from alembic import command  # noqa: PLC0415 - see the module

    command.upgrade(alembic_config(connection, key_digest, seal), "head")
