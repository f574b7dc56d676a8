"""The outage that an error of the driver stands for."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from checker.database.sqlstates import outage_of_code
from checker.errors import Outage, Unavailable


def outage_of(error: BaseException) -> Outage | None:
    """Return the outage that an error stands for; None: the error is our bug, or not a driver's."""
    own = own_error(error)
    if isinstance(own, Unavailable):
        return own.outage
    if isinstance(own, asyncpg.InvalidCachedStatementError):
        return Outage.AWAY  # the schema was upgraded; the next attempt plans anew
    if isinstance(own, asyncpg.PostgresError) and own.sqlstate is not None:
        outage = outage_of_code(own.sqlstate)
        if outage is not None:
            return outage
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return Outage.AWAY
    if isinstance(own, asyncpg.TargetServerAttributeNotMatched):
        return Outage.AWAY  # standbys alone: the primary is gone, and no standby is promoted yet
    # The driver refuses a wrong parameter by an InterfaceError that is a ValueError too.
    if isinstance(own, asyncpg.InterfaceError) and not isinstance(own, ValueError):
        return Outage.AWAY
    if isinstance(own, (PoolTimeoutError, TimeoutError, OSError)):
        return Outage.AWAY
    return None


def own_error(error: BaseException) -> BaseException:
    """Return the driver's own error, which SQLAlchemy wraps twice."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return error
    return error.orig.__cause__ or error.orig
