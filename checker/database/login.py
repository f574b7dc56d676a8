"""Names in one line why PostgreSQL refuses the login of a deployment."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError

from checker.errors import ConfigurationError

_REFUSES_SETTINGS = "unsupported startup parameter"
"""PgBouncer's text at a login with settings of a session; its code stands for much else."""

_IS_POOLER = (
    "a pooler shares the sessions of PostgreSQL; DATABASE_URL must lead to PostgreSQL itself, and "
    "DATABASE_POOLER_URL to the pooler"
)
_REFUSALS: tuple[tuple[type[BaseException], str], ...] = (
    # In this order: a wrong password is a kind of invalid authorization to the driver.
    (asyncpg.exceptions.InvalidPasswordError, "PostgreSQL refuses the user or the password"),
    (
        asyncpg.exceptions.InvalidAuthorizationSpecificationError,
        "PostgreSQL does not admit this user from here",
    ),
    (asyncpg.exceptions.InvalidCatalogNameError, "PostgreSQL has no database of this name"),
    (asyncpg.exceptions.DuplicatePreparedStatementError, _IS_POOLER),
    (asyncpg.exceptions.InvalidSQLStatementNameError, _IS_POOLER),
    (asyncpg.exceptions.ClientConfigurationError, "the settings of the connection cannot be used"),
)


@contextmanager
def refused_logins(variable: str = "DATABASE_URL") -> Iterator[None]:
    """Turn a login that PostgreSQL refuses into `ConfigurationError`, for a start.

    The message names the variable of the URL, and repeats no part of the URL.
    """
    try:
        yield
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        _raise_if_refused(cause, variable)
        raise
    except asyncpg.PostgresError as error:
        _raise_if_refused(error, variable)
        raise


def _raise_if_refused(error: BaseException | None, variable: str) -> None:
    if isinstance(error, asyncpg.ProtocolViolationError) and _REFUSES_SETTINGS in str(error):
        raise ConfigurationError(f"{variable}: {_IS_POOLER}") from None
    for kind, text in _REFUSALS:
        if isinstance(error, kind):
            raise ConfigurationError(f"{variable}: {text}") from None
