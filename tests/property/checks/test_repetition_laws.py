"""The count of colons and a parser agree on every check that is decoded."""

import json
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from checker.checks.repeated_members import refuse_repeated_in_check
from checker.checks.request import Check
from checker.errors import InvalidRequest

TEXTS = st.text(st.sampled_from('a:\\"u03{}, 陈\n'), max_size=6)
NAMES = TEXTS.filter(bool)
DOCUMENT = (("type", st.just("passport")), ("number", TEXTS))
SERVICES = (
    (("type", st.just("air")), ("flight", st.just("CA1501")), ("cabin", st.just("first"))),
    (
        ("type", st.just("lodging")),
        ("star_rating", st.integers(0, 5)),
        ("high_consumption", st.booleans()),
    ),
    (("type", st.just("vehicle")), ("operating_necessity", st.booleans())),
)

_check = msgspec.json.Decoder(Check)


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """A value as JSON, with the spaces and the escapes that JSON allows."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = json.dumps(value, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 3)):
        return plain
    return '"' + "".join(f"\\u{ord(each):04x}" for each in value) + '"'


@st.composite
def objects(draw: st.DrawFn, members: tuple[tuple[str, Any], ...]) -> str:
    """An object with these members, in any order; sometimes one is there twice, or missing."""
    chosen = list(members)
    if not draw(st.integers(0, 3)):
        chosen.append(draw(st.sampled_from(members)))
    if not draw(st.integers(0, 5)):
        chosen.remove(draw(st.sampled_from(chosen)))
    pairs = [
        draw(written(name)) + draw(st.sampled_from(("", "", " "))) + ":" + draw(texts)
        for name, texts in draw(st.permutations(chosen))
    ]
    return "{" + draw(st.sampled_from((",", ", "))).join(pairs) + "}"


def values(drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return drawn.flatmap(written)


def of(members: tuple[tuple[str, Any], ...]) -> st.SearchStrategy[str]:
    return objects(tuple((name, values(drawn)) for name, drawn in members))


SUBJECTS = objects((("document", of(DOCUMENT)), ("name", values(st.none() | NAMES))))
CHECKS = st.sampled_from(SERVICES).flatmap(
    lambda service: objects(
        (
            ("subject", SUBJECTS),
            ("service", of(service)),
            ("jurisdiction", values(st.none() | st.just("44"))),
            ("reference", values(st.none() | TEXTS)),
            ("receipt", values(st.booleans())),
        )
    )
)


@given(body=CHECKS)
@example(
    body='{"subject":{"document":{"type":"passport","number":""}},"reference":"a",'
    '"reference":"\\u003a","service":{"type":"vehicle","operating_necessity":true}}'
)
def test_a_check_is_refused_if_and_only_if_an_object_has_a_member_twice(body: str) -> None:
    try:
        check = _check.decode(body)
    except msgspec.DecodeError:
        return
    assert is_refused(body, check) is has_a_repetition(body)


def is_refused(body: str, check: Check) -> bool:
    try:
        refuse_repeated_in_check(body.encode(), check)
    except InvalidRequest:
        return True
    return False


def has_a_repetition(body: str) -> bool:
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found |= len({name for name, _ in pairs}) < len(pairs)

    json.loads(body, object_pairs_hook=look)
    return found
