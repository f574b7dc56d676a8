"""The table of problems: a row for each class of error, and nothing of a bug's text."""

import msgspec
import pytest

from checker.api.problems import ALL_KINDS, KINDS, headers_of, problem_of
from checker.errors import (
    CheckerError,
    ConfigurationError,
    Fault,
    InvalidRequest,
    InvalidSubject,
    Outage,
    OutOfScope,
    QuotaExceeded,
    Unauthenticated,
    Unavailable,
)

# Told on the command line alone: a server that is set up wrongly does not start.
NEVER_OVER_HTTP = {ConfigurationError}


WHERE_ERRORS_ARE = {"checker.errors", "checker.spending.errors"}


def classes(base: type[CheckerError]) -> set[type[CheckerError]]:
    return {base}.union(*map(classes, base.__subclasses__()))


def test_each_class_of_error_has_a_row_of_its_own() -> None:
    told = {kind for kind in classes(CheckerError) if kind.__module__ in WHERE_ERRORS_ARE}
    assert set(KINDS) == told - NEVER_OVER_HTTP - {CheckerError}


def test_codes_are_told_once() -> None:
    codes = [kind.code for kind in ALL_KINDS]
    assert len(codes) == len(set(codes))
    assert all(kind.title and kind.advice for kind in ALL_KINDS)


def test_a_bug_is_told_without_a_word_of_what_it_said() -> None:
    problem = problem_of(ValueError("440882189001011230"))
    assert (problem.status, problem.code) == (500, "internal")
    assert b"440882" not in msgspec.json.encode(problem)


def test_faults_are_told_with_their_pointers() -> None:
    fault = Fault("/service/seat", "is required")
    problem = problem_of(InvalidRequest("a field is not as it must be", [fault]))
    assert (problem.status, problem.errors) == (400, (fault,))


def test_a_wrong_number_is_told_apart_from_a_wrong_request() -> None:
    assert problem_of(InvalidSubject("x")).status == 422


def test_an_outage_is_told_by_its_word_and_left_out_where_none_is_known() -> None:
    assert problem_of(Unavailable("x", outage=Outage.READ_ONLY)).outage == "read-only"
    assert b"outage" not in msgspec.json.encode(problem_of(Unavailable("x")))


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (Unauthenticated("x"), {"www-authenticate": "Bearer"}),
        (Unavailable("x"), {"retry-after": "1"}),
        (Unavailable("x", retry_after_s=9), {"retry-after": "9"}),
        (QuotaExceeded("x", retry_after_s=7), {"retry-after": "7"}),
        (OutOfScope("x"), {}),
        (ValueError("x"), {}),
    ],
)
def test_headers_tell_what_to_do_next(error: Exception, headers: dict[str, str]) -> None:
    assert headers_of(error) == headers
