"""A JSON object with the same member twice is refused, wherever the object stands."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.checks.repeated_members import (
    refuse_repeated_at_top,
    refuse_repeated_in_check,
    refuse_repeated_in_subject,
)
from checker.checks.request import Check
from checker.decoding import decode_once, refuse_repeated
from checker.errors import InvalidRequest

NUMBER = "440882189001011230"
DOCUMENT = '"document": {"type": "resident_id", "number": "440882189001011230"}'
SERVICE = '"service": {"type": "rail", "train": "G79", "seat": "second"}'
PLAIN = f'{{"subject": {{{DOCUMENT}}}, {SERVICE}}}'

REPEATED = {
    "a subject": (
        f'{{"subject": {{{DOCUMENT}}}, "subject": {{{DOCUMENT}}}, {SERVICE}}}',
        "/subject",
    ),
    "an escaped name": (
        f'{{"\\u0073ubject": {{{DOCUMENT}}}, "subject": {{{DOCUMENT}}}, {SERVICE}}}',
        "/subject",
    ),
    "a document": (f'{{"subject": {{{DOCUMENT}, {DOCUMENT}}}, {SERVICE}}}', "/subject/document"),
    "a number": (
        PLAIN.replace('"number"', '"number": "X", "number"'),
        "/subject/document/number",
    ),
    "a type of document": (
        PLAIN.replace('"type": "resident_id"', '"type": "passport", "type" : "resident_id"'),
        "/subject/document/type",
    ),
    "a field of the service": (
        PLAIN.replace('"seat"', '"seat": "first", "seat"'),
        "/service/seat",
    ),
    "a default beside its repetition": (
        PLAIN[:-1] + ', "receipt": false, "receipt": false}',
        "/receipt",
    ),
    "a null beside a repetition": (
        PLAIN[:-1] + ', "reference": "receipt", "reference": null}',
        "/reference",
    ),
    "a null name beside a repetition": (
        f'{{"subject": {{{DOCUMENT}, "name": null, "name": null}}, {SERVICE}}}',
        "/subject/name",
    ),
    "a repetition beside escaped colons": (
        PLAIN[:-1] + ', "jurisdiction":"44", "jurisdiction":"44", "reference":"a\\u003ab"}',
        "/jurisdiction",
    ),
    "a repetition beside a colon": (
        PLAIN[:-1] + ', "reference":"a", "reference":"a:b"}',
        "/reference",
    ),
    "a text like a field": (
        PLAIN[:-1] + ', "reference":"a", "reference": "\\"receipt\\":"}',
        "/reference",
    ),
}
UNIQUE = {
    "the least": PLAIN,
    "all fields": PLAIN[:-1] + ', "jurisdiction": "44", "reference": "A", "receipt": true}',
    "a default": PLAIN[:-1] + ', "receipt": false}',
    "nulls": PLAIN[:-1] + ', "jurisdiction": null, "reference": null, "receipt": false}',
    "a colon in the reference": PLAIN[:-1] + ', "reference": "A:B", "receipt": false}',
    "a null name": f'{{"subject": {{{DOCUMENT}, "name": null}}, {SERVICE}}}',
    "colons in a text": PLAIN[:-1] + ', "reference": "A:B::\\"C\\":"}',
}

_check = msgspec.json.Decoder(Check)


@pytest.mark.parametrize("name", REPEATED)
def test_a_repeated_member_of_a_check_is_refused_by_its_name(name: str) -> None:
    body, pointer = REPEATED[name]
    with pytest.raises(InvalidRequest) as refused:
        refuse_repeated_in_check(body.encode(), _check.decode(body))
    assert [each.pointer for each in refused.value.faults] == [pointer]


@pytest.mark.parametrize("name", UNIQUE)
def test_a_check_without_a_repetition_is_taken(name: str) -> None:
    body = UNIQUE[name]
    refuse_repeated_in_check(body.encode(), _check.decode(body))
    refuse_repeated(body.encode())


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"amount_fen": 1, "amount_fen": 2}', "/amount_fen"),
        ('{"a": [{"b": 1}, {"b": 1, "c": {}, "b": 2}]}', "/a/1/b"),
        ('{"440882189001011230": 1, "440882189001011230": 2}', ""),
        ('[[{"a": 1, "a": 1}]]', "/0/0/a"),
    ],
)
def test_the_pointer_names_a_field_and_no_value(body: str, pointer: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        refuse_repeated(body.encode())
    assert [each.pointer for each in refused.value.faults] == [pointer]
    assert NUMBER not in str(refused.value.faults)


def test_a_repeated_member_of_a_subject_is_refused() -> None:
    refuse_repeated_in_subject(f"{{{DOCUMENT}}}".encode(), has_name=False)
    refuse_repeated_in_subject(f'{{{DOCUMENT}, "name": "a:b"}}'.encode(), has_name=True)
    for body in (f"{{{DOCUMENT}, {DOCUMENT}}}", f'{{{DOCUMENT}, "name": "x", "name": null}}'):
        with pytest.raises(InvalidRequest):
            refuse_repeated_in_subject(body.encode(), has_name=False)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"checks": [], "checks": [{"a": "b"}]}', "/checks"),
        ('{"subjects": ["x:y"], "service": {"type": "air"}, "subjects" : []}', "/subjects"),
        ('{"\\u0063hecks": [], "checks": []}', ""),
    ],
)
def test_a_repeated_member_of_a_batch_is_refused(body: str, pointer: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        refuse_repeated_at_top(body.encode(), _top(body))
    assert [each.pointer for each in refused.value.faults] == [pointer]


def test_a_batch_with_colons_everywhere_is_taken() -> None:
    body = json.dumps({"subjects": [{"name": "a:b"}], "service": {"type": "x:y"}}, indent=1)
    refuse_repeated_at_top(body.encode(), _top(body))


def _top(body: str) -> Any:
    return msgspec.json.decode(body, type=dict[str, msgspec.Raw])


@given(st.data(), st.from_type(dict[str, dict[str, str]]))
def test_a_repeated_member_is_refused_in_any_value_that_is_decoded_once(
    data: st.DataObject, value: dict[str, dict[str, str]]
) -> None:
    decoder = msgspec.json.Decoder[Any]()
    texts = st.sampled_from(["", ":", "\\u003a", '\\":'])
    text = json.dumps(value | {"other": {}})[:-1] + f', "text": "{data.draw(texts)}"}}'
    assert decode_once(decoder, text.encode()) == json.loads(text)
    twice = text[:-1] + ', "other": {}}'
    with pytest.raises(InvalidRequest) as refused:
        decode_once(decoder, twice.encode())
    assert [fault.pointer for fault in refused.value.faults] == ["/other"]
