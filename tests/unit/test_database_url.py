"""The URL of the database, as deployments write it."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from checker.database.engine import driver_errors
from checker.database.urls import database_url
from checker.errors import ConfigurationError, Unavailable


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_any_spelling_of_postgresql_gets_our_driver(scheme):
    url = database_url(f"{scheme}://me:secret@db:5433/checker?ssl=require")

    assert (url.drivername, url.host, url.port) == ("postgresql+asyncpg", "db", 5433)
    assert (url.username, url.password, url.database) == ("me", "secret", "checker")
    assert url.query == {"ssl": "require"}


@pytest.mark.parametrize(
    "text", ["", "checker", "mysql://me:secret@db/checker", "postgresql://me:secret@db:port/x"]
)
def test_anything_else_is_refused_and_no_password_repeated(text):
    with pytest.raises(ConfigurationError, match="DATABASE_URL") as refused:
        database_url(text)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        ConnectionResetError(),
        FileNotFoundError(),
        # As COPY raises them, which speaks to the driver directly.
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.AdminShutdownError(),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_as_unavailable(error):
    with pytest.raises(Unavailable), driver_errors():
        raise error


@pytest.mark.parametrize("error", [DBAPIError("x", {}, Exception()), ValueError(), KeyError()])
def test_a_mistake_of_ours_passes_as_it_is(error):
    with pytest.raises(type(error)), driver_errors():
        raise error
