"""Names in one line why PostgreSQL refuses the login of a deployment."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError

from checker.errors import ConfigurationError

_REFUSALS: tuple[tuple[type[BaseException], str], ...] = (
    # In this order: a wrong password is a kind of invalid authorization to the driver.
    (asyncpg.exceptions.InvalidPasswordError, "PostgreSQL refuses the user or the password"),
    (
        asyncpg.exceptions.InvalidAuthorizationSpecificationError,
        "PostgreSQL does not admit this user from here",
    ),
    (asyncpg.exceptions.InvalidCatalogNameError, "PostgreSQL has no database of this name"),
    (asyncpg.exceptions.ClientConfigurationError, "the settings of the connection cannot be used"),
)


@contextmanager
def refused_logins() -> Iterator[None]:
    """Turn a login that PostgreSQL refuses into `ConfigurationError`, for a start.

    The message repeats no part of the URL.
    """
    try:
        yield
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        _raise_if_refused(cause)
        raise
    except asyncpg.PostgresError as error:
        _raise_if_refused(error)
        raise


def _raise_if_refused(error: BaseException | None) -> None:
    for kind, text in _REFUSALS:
        if isinstance(error, kind):
            raise ConfigurationError(f"DATABASE_URL: {text}") from None
