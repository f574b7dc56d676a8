"""Asks PostgreSQL for the facts of an examination, by one connection that changes nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from checker.database.locks import Lock
from checker.database.login import refused_logins
from checker.database.upgrade import newest_revision
from checker.database.urls import connect_options
from checker.doctor.clocks import ahead_s
from checker.domain.clock import Clock
from checker.errors import ConfigurationError, Unavailable

ANSWER_S_MAX: Final = 2.0
"""For one answer: an examination has as much patience as a check."""

_SETTINGS: Final = (
    "default_transaction_read_only",
    "fsync",
    "full_page_writes",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "log_min_duration_statement",
    "log_parameter_max_length",
    "log_statement",
    "max_connections",
    "server_encoding",
    "server_version",
    "server_version_num",
    "statement_timeout",
    "synchronous_commit",
    "transaction_timeout",
)
_SETTINGS_QUERY: Final = "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])"
_STATE_QUERY: Final = """
    SELECT clock_timestamp() AS now,
           pg_is_in_recovery() AS is_standby,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
           to_regclass('alembic_version') IS NOT NULL AS has_schema,
           EXISTS (
               SELECT FROM pg_locks
               WHERE locktype = 'advisory' AND granted AND objsubid = 1
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND classid = ($1::bigint >> 32)::oid AND objid = ($1::bigint & 4294967295)::oid
           ) AS is_published
"""
_SCHEMA_QUERY: Final = "SELECT version_num FROM alembic_version"
_LIST_QUERY: Final = """
    SELECT (SELECT token_key_fingerprint FROM deployment) AS token_key, newest.*,
           EXISTS (SELECT FROM lost_change WHERE accepted_at IS NULL) AS is_set_back
    FROM (SELECT 1) AS always LEFT JOIN (
        SELECT version, change_id FROM change ORDER BY version DESC LIMIT 1
    ) AS newest ON true
"""
_KEYS_QUERY: Final = "SELECT number, fingerprint FROM encryption_key ORDER BY number"
_TOKEN_KEYS_QUERY: Final = "SELECT number, fingerprint FROM token_key ORDER BY number"  # noqa: S105 - a query


class PostgresFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The answers of PostgreSQL. `settings` are in PostgreSQL's own units, as `pg_settings` has.

    `revision` is the newest migration that ran; None: the database has no schema of ours.
    `token_key` is the fingerprint with which the list was written. `version` and `change_id` are
    the newest change's. Each is None where there is none. `is_set_back`: the list went back to an
    older state, and no operator has accepted this list. `encryption_keys` and `token_keys` are the
    fingerprints of the keys under which a value or a token may stand, by number.
    """

    settings: Mapping[str, str]
    ahead_s: float
    is_standby: bool
    connections_used: int
    is_published: bool
    revision: str | None
    token_key: str | None = None
    version: int | None = None
    change_id: str | None = None
    is_set_back: bool = False
    encryption_keys: Mapping[int, str] = msgspec.field(default_factory=dict)
    token_keys: Mapping[int, str] = msgspec.field(default_factory=dict)


async def read_postgres(url: str, clock: Clock) -> PostgresFacts:
    """Return the facts.

    Raises:
        Unavailable: PostgreSQL does not answer, or refuses the login; the text names the error and
            no part of the URL.
    """
    try:
        with refused_logins():
            connection = await asyncpg.connect(
                **connect_options(url), timeout=ANSWER_S_MAX, command_timeout=ANSWER_S_MAX
            )
        try:
            return await _read(connection, clock)
        finally:
            await connection.close(timeout=ANSWER_S_MAX)
    except ConfigurationError as error:
        raise Unavailable(str(error)) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Unavailable(f"does not answer ({type(error).__name__})") from None


async def _read(connection: Any, clock: Clock) -> PostgresFacts:
    settings = dict(await connection.fetch(_SETTINGS_QUERY, list(_SETTINGS)))
    before = clock.now()
    state = await connection.fetchrow(_STATE_QUERY, int(Lock.PUBLISHER))
    now: datetime = state["now"]
    facts = PostgresFacts(
        settings=settings,
        ahead_s=ahead_s(before, now, clock.now()),
        is_standby=state["is_standby"],
        connections_used=state["used"],
        is_published=state["is_published"],
        revision=None,
    )
    if not state["has_schema"]:
        return facts
    revision = await connection.fetchval(_SCHEMA_QUERY)
    if revision != newest_revision():
        # The queries know the newest schema alone.
        return msgspec.structs.replace(facts, revision=revision)
    found = await connection.fetchrow(_LIST_QUERY)
    return msgspec.structs.replace(
        facts,
        revision=revision,
        token_key=found["token_key"],
        version=found["version"],
        change_id=None if found["change_id"] is None else found["change_id"].hex,
        is_set_back=found["is_set_back"],
        encryption_keys=dict(await connection.fetch(_KEYS_QUERY)),
        token_keys=dict(await connection.fetch(_TOKEN_KEYS_QUERY)),
    )
