"""The table of PostgreSQL's error codes, and how the errors of a driver are read by it."""

import asyncio
import inspect

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from checker.database.engine import driver_errors
from checker.database.sqlstates import CLASSES, CODES, TEXTS, outage_of_code
from checker.errors import Outage, Unavailable
from tests.support.violations import assert_none

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


def test_the_class_of_each_code_that_the_driver_knows_has_a_row() -> None:
    assert_none(code for code in CODES_OF_THE_DRIVER if code[:2] not in CLASSES)


def test_a_code_with_a_row_of_its_own_means_something_else_than_its_class() -> None:
    assert all(CLASSES[code[:2]] is not outage for code, outage in CODES.items())


def test_each_outage_has_its_sentence_and_its_code() -> None:
    assert {*TEXTS} == {*Outage} == {*CLASSES.values(), *CODES.values()} - {None}


@pytest.mark.parametrize("wrap", [lambda error: error, Wrapped], ids=["bare", "wrapped"])
def test_each_code_is_unavailable_or_our_bug_as_its_row_says(wrap: type) -> None:
    def read(sqlstate: str) -> tuple[Outage, str] | None:
        """Return the outage and its text as the error is raised; None: the error is our bug."""
        error = wrap(error_of(sqlstate))
        with pytest.raises((Unavailable, type(error))) as raised, driver_errors():
            raise error
        if isinstance(raised.value, Unavailable):
            return raised.value.outage, str(raised.value)
        assert raised.value is error
        return None

    def expected(sqlstate: str) -> tuple[Outage, str] | None:
        outage = outage_of_code(sqlstate)
        return outage and (outage, TEXTS[outage])

    assert_none(
        f"{sqlstate}: {read(sqlstate)} is not {expected(sqlstate)}"
        for sqlstate in CODES_OF_THE_DRIVER
        if read(sqlstate) != expected(sqlstate)
    )


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
