"""The table of PostgreSQL's error codes, and how the errors of a driver are read by it."""

import asyncio
import inspect

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from checker.database.engine import driver_errors
from checker.database.sqlstates import CLASSES, CODES, TEXTS, outage_of_code
from checker.errors import Outage, Unavailable

CODES_OF_THE_DRIVER = sorted(
    {
        kind.sqlstate
        for _, kind in inspect.getmembers(asyncpg.exceptions, inspect.isclass)
        if issubclass(kind, asyncpg.PostgresError) and kind.sqlstate is not None
    }
)


class Wrapped(DBAPIError):
    """An error as SQLAlchemy wraps it: the driver's own is the cause of the wrapped one."""

    def __init__(self, own: BaseException, *, invalidated: bool = False) -> None:
        orig = Exception("wrapped")
        orig.__cause__ = own
        super().__init__("SELECT 1", None, orig, connection_invalidated=invalidated)


def error_of(sqlstate: str) -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": sqlstate, "M": "as PostgreSQL says it"})


def test_the_driver_knows_many_codes() -> None:
    assert len(CODES_OF_THE_DRIVER) > 200


@pytest.mark.parametrize("sqlstate", CODES_OF_THE_DRIVER)
def test_the_class_of_each_code_that_the_driver_knows_has_a_row(sqlstate: str) -> None:
    assert sqlstate[:2] in CLASSES


def test_a_code_with_a_row_of_its_own_means_something_else_than_its_class() -> None:
    assert all(CLASSES[code[:2]] is not outage for code, outage in CODES.items())


def test_each_outage_has_its_sentence_and_its_code() -> None:
    assert {*TEXTS} == {*Outage} == {*CLASSES.values(), *CODES.values()} - {None}


@pytest.mark.parametrize("sqlstate", CODES_OF_THE_DRIVER)
@pytest.mark.parametrize("wrap", [lambda error: error, Wrapped], ids=["bare", "wrapped"])
def test_each_code_is_unavailable_or_our_bug_as_its_row_says(sqlstate: str, wrap: type) -> None:
    expected = outage_of_code(sqlstate)
    error = wrap(error_of(sqlstate))
    with pytest.raises((Unavailable, type(error))) as raised, driver_errors():
        raise error

    if expected is None:
        assert raised.value is error
    else:
        assert isinstance(raised.value, Unavailable)
        assert (raised.value.outage, str(raised.value)) == (expected, TEXTS[expected])


@pytest.mark.parametrize(
    ("sqlstate", "outage"),
    [
        ("53100", Outage.FULL),
        ("25006", Outage.READ_ONLY),
        ("53300", Outage.AWAY),
        ("57P03", Outage.AWAY),
        ("55P03", Outage.AWAY),
        ("40001", Outage.AWAY),
        ("40P01", Outage.AWAY),
        ("28P01", Outage.REFUSED),
        ("42501", Outage.REFUSED),
        ("3D000", Outage.REFUSED),
        ("58030", Outage.BROKEN),
        ("XX001", Outage.BROKEN),
        ("42703", None),
        ("23505", None),
        ("ZZ999", None),
    ],
)
def test_a_code_stands_for(sqlstate: str, outage: Outage | None) -> None:
    assert outage_of_code(sqlstate) is outage


@pytest.mark.parametrize(
    "lost",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.InterfaceError("connection is closed"),
        Wrapped(ValueError(), invalidated=True),
        Wrapped(TimeoutError()),
        Wrapped(asyncpg.exceptions.InvalidCachedStatementError("planned anew")),
    ],
    ids=repr,
)
def test_a_lost_connection_is_unavailable(lost: Exception) -> None:
    with pytest.raises(Unavailable) as raised, driver_errors():
        raise lost
    assert raised.value.outage is Outage.AWAY


@pytest.mark.parametrize(
    "bug", [asyncpg.DataError("a wrong parameter"), Wrapped(asyncpg.DataError("x")), KeyError()]
)
def test_a_bug_passes_as_it_is(bug: Exception) -> None:
    with pytest.raises(type(bug)) as raised, driver_errors():
        raise bug
    assert raised.value is bug


def test_a_cancelled_caller_is_not_an_outage() -> None:
    with pytest.raises(asyncio.CancelledError), driver_errors():
        raise asyncio.CancelledError
