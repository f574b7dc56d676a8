"""The one table of PostgreSQL's error codes: which outage a code stands for, or that it is our bug.

A code (SQLSTATE) has five characters, and its first two are its class. A code of its own row goes
before the row of its class. A class without a row is our bug, and a test demands a row for each
class that PostgreSQL 14 to 18 and the driver know.

Source: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes", versions 14 to 18.
"""

from collections.abc import Mapping
from typing import Final

from checker.errors import Outage

OUR_BUG: Final = None
"""The statement or its data is wrong: no operator and no retry mends it. Answered 500."""

CLASSES: Final[Mapping[str, Outage | None]] = {
    "00": OUR_BUG,  # successful completion: never an error
    "01": OUR_BUG,  # warning
    "02": OUR_BUG,  # no data
    "03": OUR_BUG,  # statement not yet complete
    "08": Outage.AWAY,  # connection exception
    "09": OUR_BUG,  # triggered action exception
    "0A": OUR_BUG,  # feature not supported
    "0B": OUR_BUG,  # invalid transaction initiation
    "0F": OUR_BUG,  # locator exception
    "0L": Outage.REFUSED,  # invalid grantor
    "0P": Outage.REFUSED,  # invalid role specification
    "0Z": OUR_BUG,  # diagnostics exception
    "10": OUR_BUG,  # XQuery error
    "20": OUR_BUG,  # case not found
    "21": OUR_BUG,  # cardinality violation
    "22": OUR_BUG,  # data exception
    "23": OUR_BUG,  # integrity constraint violation
    "24": OUR_BUG,  # invalid cursor state
    "25": OUR_BUG,  # invalid transaction state
    "26": Outage.REFUSED,  # invalid statement name: a pooler mixes sessions
    "27": OUR_BUG,  # triggered data change violation
    "28": Outage.REFUSED,  # invalid authorization specification
    "2B": OUR_BUG,  # dependent privilege descriptors still exist
    "2D": OUR_BUG,  # invalid transaction termination
    "2F": OUR_BUG,  # SQL routine exception
    "34": OUR_BUG,  # invalid cursor name
    "38": OUR_BUG,  # external routine exception
    "39": OUR_BUG,  # external routine invocation exception
    "3B": OUR_BUG,  # savepoint exception
    "3D": Outage.REFUSED,  # invalid catalog name: the database does not exist
    "3F": OUR_BUG,  # invalid schema name
    "40": Outage.AWAY,  # transaction rollback: done again, it may pass
    "42": OUR_BUG,  # syntax error or access rule violation
    "44": OUR_BUG,  # WITH CHECK OPTION violation
    "53": Outage.AWAY,  # insufficient resources
    "54": OUR_BUG,  # program limit exceeded
    "55": Outage.REFUSED,  # object not in prerequisite state
    "57": Outage.AWAY,  # operator intervention
    "58": Outage.BROKEN,  # system error
    "72": Outage.AWAY,  # snapshot failure (until version 16)
    "F0": Outage.REFUSED,  # configuration file error
    "HV": OUR_BUG,  # foreign data wrapper error
    "P0": OUR_BUG,  # PL/pgSQL error
    "XX": Outage.BROKEN,  # internal error
}

CODES: Final[Mapping[str, Outage | None]] = {
    "25006": Outage.READ_ONLY,  # read_only_sql_transaction
    "25P03": Outage.AWAY,  # idle_in_transaction_session_timeout
    "25P04": Outage.AWAY,  # transaction_timeout
    "42501": Outage.REFUSED,  # insufficient_privilege; a read-only file system is answered so too
    "42P05": Outage.REFUSED,  # duplicate_prepared_statement: a pooler mixes sessions
    "53100": Outage.FULL,  # disk_full
    "53400": Outage.REFUSED,  # configuration_limit_exceeded
    "55006": Outage.AWAY,  # object_in_use
    "55P02": OUR_BUG,  # cant_change_runtime_param
    "55P03": Outage.AWAY,  # lock_not_available
    "55P04": OUR_BUG,  # unsafe_new_enum_value_usage
    "57P04": Outage.REFUSED,  # database_dropped
}
"""Codes that mean something else than their class."""

TEXTS: Final[Mapping[Outage, str]] = {
    Outage.AWAY: "the registry cannot be reached",
    Outage.FULL: "the registry has no room left to write",
    Outage.READ_ONLY: "the registry takes no writes",
    Outage.REFUSED: "the registry refuses this service by its configuration",
    Outage.BROKEN: "the registry met a fault of its own",
}
"""The sentence for each outage in an answer."""


def outage_of_code(sqlstate: str) -> Outage | None:
    """Return the outage that a code stands for; None: the error is our bug."""
    if sqlstate in CODES:
        return CODES[sqlstate]
    return CLASSES.get(sqlstate[:2], OUR_BUG)
