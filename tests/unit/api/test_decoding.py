"""Decoding: an error names the field at fault, and never its value."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.checks.batch_request import ChecksBatch, SubjectsBatch
from checker.checks.request import Check
from checker.decoding import decode
from checker.errors import Fault, InvalidRequest
from checker.formats.listing import ListingLine

MARK = "440882189001011230"
DECODERS = [msgspec.json.Decoder(kind) for kind in (Check, ChecksBatch, SubjectsBatch, ListingLine)]
RIGHT = {
    "subject": {"document": {"type": "resident_id", "number": MARK}, "name": MARK},
    "service": {"type": "rail", "train": "G79", "seat": "second"},
}

# Names that occur in requests, so that random ones get past the first look at them.
NAMES = st.sampled_from(
    [
        "subject",
        "document",
        "type",
        "number",
        "name",
        "service",
        "train",
        "seat",
        "jurisdiction",
        "checks",
        "subjects",
        "id",
        "party",
        "officers",
        "role",
    ]
)
MARKED = st.sampled_from(
    [
        MARK,
        f"x{MARK}",
        f"a` - at `$.{MARK}",
        f"a` - at `$[{MARK}]",
        f"`{MARK}`",
        f"$.{MARK}\n",
        f"Expected {MARK}",
    ]
)
LEAVES = st.one_of(
    MARKED, NAMES, st.none(), st.booleans(), st.integers(), st.just(int(MARK)), st.floats()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | MARKED, inner, max_size=4),
    max_leaves=12,
)


def told(error: InvalidRequest) -> str:
    faults = (f"{fault.pointer} {fault.detail}" for fault in error.faults)
    return "\n".join((str(error), *faults))


def refusal(decoder: msgspec.json.Decoder[Any], value: Any) -> InvalidRequest | None:
    try:
        decode(decoder, json.dumps(value).encode())
    except InvalidRequest as error:
        return error
    return None


def fault_of(decoder: msgspec.json.Decoder[Any], value: Any) -> Fault:
    error = refusal(decoder, value)
    assert error is not None
    [fault] = error.faults
    return fault


@given(value=VALUES)
def test_no_message_quotes_what_was_sent(value: Any) -> None:
    for decoder in DECODERS:
        for body in (value, {**RIGHT, "subject": value}, {**RIGHT, "service": value}):
            error = refusal(decoder, body)
            assert error is None or (MARK not in told(error) and error.__cause__ is None)


@given(name=MARKED)
def test_an_unknown_field_is_quoted_only_where_it_could_be_a_misspelling(name: str) -> None:
    for value in ({**RIGHT, name: 1}, {**RIGHT, "service": {**RIGHT["service"], name: 1}}):
        fault = fault_of(DECODERS[0], value)
        assert MARK not in fault.pointer + fault.detail
        assert fault.pointer in {"", "/service"}


def test_a_misspelt_field_is_pointed_at() -> None:
    fault = fault_of(DECODERS[0], {**RIGHT, "jurisdictoin": "44"})
    assert (fault.pointer, fault.detail) == ("/jurisdictoin", "is not a field of this object")


@pytest.mark.parametrize(
    ("value", "pointer", "detail"),
    [
        ({}, "/subject", "is required"),
        ({**RIGHT, "receipt": 1}, "/receipt", "expected `bool`, got `int`"),
        ({**RIGHT, "reference": "x" * 201}, "/reference", "expected `str` of length <= 200"),
        (
            {**RIGHT, "service": {**RIGHT["service"], "seat": MARK}},
            "/service/seat",
            "is not one of the values allowed here",
        ),
        (
            {**RIGHT, "service": {**RIGHT["service"], "train": MARK[:10]}},
            "/service/train",
            "is not written as this field must be",
        ),
    ],
)
def test_what_is_wrong_is_told_by_field_and_kind(
    value: dict[str, Any], pointer: str, detail: str
) -> None:
    fault = fault_of(DECODERS[0], value)
    assert (fault.pointer, fault.detail) == (pointer, detail)


def test_a_reason_of_ours_is_told_in_its_words() -> None:
    line = {
        "id": "1",
        "case_number": "1",
        "court": "x",
        "party": {"type": "organization", "name": "x", "documents": [RIGHT["subject"]["document"]]},
        "officers": [{"role": "debtor", "name": "x"}],
    }
    fault = fault_of(DECODERS[3], line)
    assert (fault.pointer, fault.detail) == ("/officers/0", "an officer cannot be the debtor")


def test_the_pointer_of_what_is_decoded_stands_before_that_of_the_fault() -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode(DECODERS[0], b"{}", under="/checks/3")
    assert caught.value.faults[0].pointer == "/checks/3/subject"


@given(data=st.binary(max_size=200))
def test_random_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    for decoder in DECODERS:
        with pytest.raises(InvalidRequest):
            decode(decoder, data)
