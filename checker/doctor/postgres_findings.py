"""The findings about PostgreSQL, by its answers: one function for each finding."""

from collections.abc import Callable
from typing import Final

from checker.database.engine import POOL_SIZE
from checker.database.upgrade import newest_revision
from checker.doctor.clocks import clock_finding
from checker.doctor.finding import Finding
from checker.doctor.postgres_facts import PostgresFacts

OLDEST: Final = 14_00_00

CONNECTIONS_FREE_MIN: Final = 3 * POOL_SIZE
"""A worker opens three pools, and more of them start during a rolling restart."""

_DURABLE: Final = {"fsync": "on", "full_page_writes": "on"}
_CUTTING: Final = (
    "statement_timeout",
    "transaction_timeout",
    "idle_session_timeout",
    "idle_in_transaction_session_timeout",
)


def _version(facts: PostgresFacts) -> Finding:
    text = facts.settings["server_version"].partition(" ")[0]
    if int(facts.settings["server_version_num"]) < OLDEST:
        return Finding.fault("PostgreSQL version", f"{text} is too old", "install 14 or later")
    return Finding.ok("PostgreSQL version", text)


def _writes(facts: PostgresFacts) -> Finding:
    name = "PostgreSQL writes"
    if facts.is_standby:
        return Finding.fault(name, "is a standby, which takes none", "name the primary")
    if facts.settings["default_transaction_read_only"] == "on":
        return Finding.fault(
            name, "takes none by default", "ALTER SYSTEM RESET default_transaction_read_only"
        )
    return Finding.ok(name, "are taken")


def _durability(facts: PostgresFacts) -> Finding:
    name = "PostgreSQL durability"
    lax = [each for each, wanted in _DURABLE.items() if facts.settings[each] != wanted]
    if facts.settings["synchronous_commit"] == "off":
        lax.append("synchronous_commit")
    if lax:
        text = f"{' and '.join(lax)} is off: a crash loses writes that were acknowledged"
        return Finding.fault(name, text, f"ALTER SYSTEM RESET {lax[0]}, and reload")
    return Finding.ok(name, "a write that is acknowledged survives a crash")


def _time_outs(facts: PostgresFacts) -> Finding:
    name = "PostgreSQL time-outs"
    cutting = [each for each in _CUTTING if facts.settings.get(each, "0") != "0"]
    if cutting:
        text = f"{' and '.join(cutting)} cuts the loading of a large list"
        return Finding.warning(name, text, f"ALTER ROLE … SET {cutting[0]} = 0")
    return Finding.ok(name, "none of the server's cuts the work of the service")


def _connections(facts: PostgresFacts) -> Finding:
    name, most = "PostgreSQL connections", int(facts.settings["max_connections"])
    text = f"{facts.connections_used} of {most} are used"
    if most - facts.connections_used < CONNECTIONS_FREE_MIN:
        text = f"{text}; another worker needs up to {CONNECTIONS_FREE_MIN}"
        return Finding.warning(name, text, "raise max_connections, and restart PostgreSQL")
    return Finding.ok(name, text)


def _log(facts: PostgresFacts) -> Finding:
    settings = facts.settings
    logs = settings["log_statement"] in {"mod", "all"}
    logs |= settings["log_min_duration_statement"] != "-1"
    if logs and settings.get("log_parameter_max_length", "-1") != "0":
        text = "has statements with their parameters, and so the tokens of subjects"
        return Finding.warning(
            "PostgreSQL log", text, "ALTER SYSTEM SET log_parameter_max_length = 0, and reload"
        )
    return Finding.ok("PostgreSQL log", "has no parameter of a statement")


def _encoding(facts: PostgresFacts) -> Finding:
    encoding = facts.settings["server_encoding"]
    if encoding != "UTF8":
        text = f"is {encoding}, which has not every name of a person"
        return Finding.fault(
            "PostgreSQL encoding", text, "create the database with ENCODING 'UTF8'"
        )
    return Finding.ok("PostgreSQL encoding", "is UTF-8")


def _migrations(facts: PostgresFacts) -> Finding:
    name, newest = "migrations", newest_revision()
    if facts.revision is None:
        return Finding.warning(name, "the database is empty", "start checker serve")
    if facts.revision > newest:
        text = f"the database is at {facts.revision}, and this program knows {newest}"
        return Finding.fault(name, text, "install the newer program")
    if facts.revision < newest:
        text = f"the database is at {facts.revision}, and this program needs {newest}"
        return Finding.warning(
            name, text, "stop all processes of the old version, and start this one"
        )
    return Finding.ok(name, f"all have run, up to {newest}")


def _clock(facts: PostgresFacts) -> Finding:
    return clock_finding("PostgreSQL", facts.ahead_s)


EXAMINATIONS: Final[tuple[Callable[[PostgresFacts], Finding], ...]] = (
    _version,
    _writes,
    _durability,
    _encoding,
    _migrations,
    _time_outs,
    _connections,
    _log,
    _clock,
)
