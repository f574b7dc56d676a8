"""A login that PostgreSQL refuses is a setting to mend, and every other error stays what it is."""

import asyncpg
import pytest

from checker.database.login import refused_logins
from checker.errors import ConfigurationError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (asyncpg.InvalidPasswordError("for hunter2"), "the user or the password"),
        (asyncpg.InvalidAuthorizationSpecificationError("hunter2"), "does not admit this user"),
        (asyncpg.InvalidCatalogNameError("hunter2"), "no database of this name"),
        (asyncpg.DuplicatePreparedStatementError("hunter2"), "a pooler shares the sessions"),
        (
            asyncpg.ProtocolViolationError("unsupported startup parameter: hunter2"),
            "DATABASE_POOLER_URL to the pooler",
        ),
    ],
)
def test_a_refused_login_is_told_without_what_was_sent(
    error: asyncpg.PostgresError, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused, refused_logins():
        raise error
    assert "hunter2" not in str(refused.value)


def test_another_error_passes() -> None:
    with pytest.raises(asyncpg.UndefinedTableError), refused_logins():
        raise asyncpg.UndefinedTableError("no such table")
