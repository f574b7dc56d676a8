"""Short transactions through a pooler, such as PgBouncer in transaction mode.

Such a pooler lends a session of PostgreSQL to one transaction, and then to the transaction of
another client. Nothing may outlive a transaction:

- no prepared statement has a name, and no plan is kept
- no statement runs outside a transaction, because the driver prepares and executes in two messages,
  which may reach two sessions
- settings hold for the transaction: `SET LOCAL` travels in the same message as `BEGIN`
- the same message asks for the position of the log of writes, which a standby refuses to give. A
  pooler that leads to a standby serves nothing

Leads, locks of a session, `LISTEN`, migrations, feeds and exports need a session of their own. They
use `DATABASE_URL`, which must lead to PostgreSQL itself (docs/decisions/0055).
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.config import POOLER_VARIABLE
from checker.errors import ConfigurationError

KEPT_SETTING: Final[Mapping[str, str]] = {"checker.session": "kept"}
"""A setting of a session that a pooler refuses or drops; PostgreSQL keeps it."""

_POOLER_SETTINGS: Final[Mapping[str, str]] = {"application_name": "checker", "timezone": "UTC"}
"""The settings that PgBouncer carries from a client to a session."""

_BEHIND: Final = "checker_behind_pooler"
_REFUSED_BY_STANDBY: Final = "SELECT pg_current_wal_lsn();"

_IS_KEPT = text("SELECT current_setting('checker.session', true)")
_LOCK = text("SELECT pg_try_advisory_xact_lock(:n)")


def pooler_options() -> dict[str, Any]:
    """Return the options of connections to a pooler, besides their class."""
    return {
        "server_settings": dict(_POOLER_SETTINGS),
        # The pooler has no role of its own: each transaction looks by itself.
        "target_session_attrs": "any",
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": str,  # always the empty name
    }


def pooler_words(settings: Mapping[str, str]) -> str:
    """Return what each transaction begins with. `settings` hold for the transaction."""
    local = "".join(f"SET LOCAL {name} = '{value}';" for name, value in settings.items())
    return local + _REFUSED_BY_STANDBY


def mark_pooled(engine: AsyncEngine) -> None:
    """Note that an engine is behind a pooler: from now on it refuses autocommit."""
    engine.sync_engine.update_execution_options(**{_BEHIND: True})
    for name in ("set_connection_execution_options", "set_engine_execution_options"):
        event.listen(engine.sync_engine, name, _refuse_autocommit)


def has_own_sessions(engine: AsyncEngine) -> bool:
    """Return whether the engine's connections are sessions of PostgreSQL, and no pooler's."""
    return not engine.get_execution_options().get(_BEHIND, False)


async def refuse_pooler(engine: AsyncEngine) -> None:
    """Refuse a `DATABASE_URL` that leads to a pooler. `engine` was opened with `KEPT_SETTING`.

    Raises:
        ConfigurationError: the settings of a session are lost on the way.
    """
    async with engine.connect() as connection:
        if (await connection.execute(_IS_KEPT)).scalar_one() != KEPT_SETTING["checker.session"]:
            raise ConfigurationError(
                "DATABASE_URL leads to a pooler that drops the settings of a session: it must lead "
                f"to PostgreSQL itself, and {POOLER_VARIABLE} to the pooler"
            )


async def verify_pooler(engine: AsyncEngine, pooled: AsyncEngine) -> None:
    """Verify that the pooler leads to the database of `engine`.

    A lock of a transaction holds in one database of one server. So the pooler's transaction cannot
    get the lock that `engine`'s transaction holds.

    Raises:
        ConfigurationError: the pooler leads to another database.
    """
    number = {"n": secrets.randbits(62)}
    async with engine.connect() as connection, pooled.connect() as other:
        await connection.execute(_LOCK, number)
        if (await other.execute(_LOCK, number)).scalar_one():
            raise ConfigurationError(
                f"{POOLER_VARIABLE} leads to another database than DATABASE_URL"
            )


def _refuse_autocommit(_on: object, options: Mapping[str, Any]) -> None:
    assert "isolation_level" not in options, "a pooler may split a statement outside a transaction"
