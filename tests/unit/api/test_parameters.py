"""A parameter of a query is read strictly, and an error never repeats what was sent."""

import re
from datetime import date
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.api.parameters import (
    INSTANT_PATTERN,
    NUMBER_MAX,
    Parameter,
    flag,
    instant,
    month,
    number,
    optional_word,
    printable,
    refuse_unknown,
    word,
    words_of,
)
from checker.errors import InvalidRequest


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


LIMIT = number("limit", "x", default=100, low=1, high=1_000)
FLAG = flag("strict", "x")
WORD = word("colour", "x", words_of(Colour), default="red")
OPTIONAL = optional_word("colour", "x", words_of(Colour))


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (LIMIT, None, 100),
        (LIMIT, "1000", 1_000),
        (FLAG, None, False),
        (FLAG, "true", True),
        (WORD, None, Colour.RED),
        (WORD, "blue", Colour.BLUE),
        (OPTIONAL, None, None),
        (OPTIONAL, "blue", Colour.BLUE),
        (month("month", "x"), "2026-02", date(2026, 2, 1)),
        (month("month", "x"), None, None),
        (instant("from", "x"), None, None),
        (printable("account", "x", "is an id"), "an id", "an id"),
    ],
)
def test_a_parameter_has_the_value_of_its_text(
    parameter: Parameter[Any], text: str | None, value: object
) -> None:
    assert parameter.read(text) == value


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        *((LIMIT, text) for text in ("0", "1001", "-1", "1.0", " 1", "１", "")),
        *((FLAG, text) for text in ("True", "1", "")),
        *((WORD, text) for text in ("RED", "")),
        (OPTIONAL, ""),
        (month("month", "x"), "2026-13"),
        (instant("from", "x"), "yesterday"),
        (printable("account", "x", "is an id"), "\x00"),
    ],
)
def test_a_bad_parameter_is_refused_by_its_name(parameter: Parameter[Any], text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parameter.read(text)
    [fault] = refused.value.faults
    assert fault.pointer == f"/{parameter.name}"


def test_an_unknown_parameter_is_refused_with_the_known_names() -> None:
    refuse_unknown({"limit": "1"}, [LIMIT, FLAG])
    with pytest.raises(InvalidRequest) as refused:
        refuse_unknown({"440882189001011230": "1"}, [LIMIT, FLAG])
    assert refused.value.faults[0].detail == "the parameters are limit, strict"
    assert "440882" not in str(refused.value)


@given(st.from_regex(INSTANT_PATTERN, fullmatch=True) | st.text(max_size=30))
def test_the_pattern_of_an_instant_describes_the_texts_that_are_read(text: str) -> None:
    read = instant("from", "x").read
    fits = re.fullmatch(INSTANT_PATTERN, text, re.ASCII) is not None
    try:
        read(text)
    except InvalidRequest:
        # The pattern knows neither the length of a month nor the first and the last instant.
        assert not fits or text[8:10] > "28" or text[:4] in {"0000", "0001", "9999"}
    else:
        assert fits


def test_a_number_is_described_with_both_bounds() -> None:
    for high in (1_000, NUMBER_MAX):
        schema = number("after", "x", default=0, low=0, high=high).schema
        assert (schema["minimum"], schema["maximum"]) == (0, high)
