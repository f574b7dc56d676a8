"""Laws of documents, names and masked numbers, for any text whatever."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.domain.document import Document, DocumentType, lookup_key, normalize
from checker.domain.errors import EXPLANATIONS, InvalidDocument, InvalidReason
from checker.domain.mask_reading import read_masked
from checker.domain.masking import (
    MaskedNumber,
    further_keys,
    masked_lookup_key,
    masked_lookup_keys,
)
from checker.domain.name import NAME_KEYS_MAX, name_keys, names_agree, normalize_name
from checker.domain.organization import org_code_check_character
from checker.domain.resident_id import check_digit

T = TypeVar("T")
TODAY = date(2026, 11, 23)

ANYTHING = st.text(max_size=64)
# Close to real numbers, so that some pass and the rest fail late.
NUMBERS = st.one_of(
    ANYTHING,
    st.text("0123456789X*－- ０１９ｘ", max_size=24),
    st.from_regex(r"[0-9]{6}(18|19)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9X]", fullmatch=True),
    st.from_regex(r"[A-Z]{0,3}[0-9]{5,12}", fullmatch=True),
)


def spaced(draw: st.DrawFn, number: str) -> str:
    """Write `number` as people do: some characters full-width, lower-case, or behind a gap."""
    gaps = st.sampled_from(["", "", "", " ", "-", "\u3000", "－", "\u200b"])
    shapes = st.sampled_from([str, str.lower, lambda one: chr(ord(one) + 0xFEE0)])
    return "".join(draw(gaps) + draw(shapes)(character) for character in number)


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1850, 1, 1), date(1905, 12, 31)))
    county = draw(st.integers(110000, 659999))
    sequence = draw(st.integers(0, 999))
    body = f"{county}{born:%Y%m%d}{sequence:03}"
    return body + check_digit(body)


@st.composite
def org_codes(draw: st.DrawFn) -> str:
    body = draw(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8))
    return body + org_code_check_character(body)


def attempt(act: Callable[[], T]) -> T | InvalidDocument:
    try:
        return act()
    except InvalidDocument as error:
        return error


@given(kind=st.sampled_from(DocumentType), number=NUMBERS)
def test_a_number_is_refused_without_repeating_it_or_becomes_stable(
    kind: DocumentType, number: str
) -> None:
    once = attempt(lambda: normalize(Document(type=kind, number=number), TODAY))
    if isinstance(once, InvalidDocument):
        assert once.args == (EXPLANATIONS[once.reason],)
        assert once.__cause__ is None
    else:
        assert normalize(once, TODAY) == once
        assert lookup_key(once)[1]
        # No list knows a net ID, so its number is never compared.
        if kind is not DocumentType.NET_ID:
            assert once.number.isascii()
            assert once.number.isalnum()


@given(number=resident_ids(), data=st.data())
def test_a_resident_id_is_the_same_in_any_spelling(number: str, data: st.DataObject) -> None:
    spelling = data.draw(st.composite(spaced)(number))
    given_document = Document(type=DocumentType.RESIDENT_ID, number=spelling)
    assert normalize(given_document, TODAY).number == number


@given(number=resident_ids(), place=st.integers(0, 16), step=st.integers(1, 9))
def test_one_wrong_digit_is_never_another_valid_number(number: str, place: int, step: int) -> None:
    digit = str((int(number[place]) + step) % 10)
    wrong = number[:place] + digit + number[place + 1 :]
    with pytest.raises(InvalidDocument):
        normalize(Document(type=DocumentType.RESIDENT_ID, number=wrong), TODAY)


@given(code=org_codes())
def test_an_organization_code_is_the_same_with_a_hyphen(code: str) -> None:
    written = Document(type=DocumentType.ORG_CODE, number=f"{code[:8]}-{code[8]}")
    assert lookup_key(normalize(written, TODAY)) == ("organization", code)


@given(text=st.text(max_size=40))
def test_a_name_normalised_twice_is_as_normalised_once(text: str) -> None:
    once = normalize_name(text)
    assert normalize_name(once) == once


@given(text=st.text("e \u0301\u0345\u1e9eßſIİı·•.（(ﬁ㍍\u00a8", max_size=12))
def test_a_name_of_awkward_characters_settles_too(text: str) -> None:
    once = normalize_name(text)
    assert normalize_name(once) == once
    assert " " not in once


# Characters that one of the steps of a name changes or drops.
AWKWARD_NAMES = st.text(
    "陈陳示例·•.（()【】曾用名原、:男\ue863䶮⻩黄\uf9e1\ufe00\u200d〇○A é\u0301ｅ1", max_size=16
)


@given(name=st.one_of(st.text(max_size=40), AWKWARD_NAMES))
def test_a_name_agrees_with_its_keys_and_nothing_else_has_no_key(name: str) -> None:
    keys = name_keys(name)
    assert len(set(keys)) == len(keys) <= NAME_KEYS_MAX
    assert all(keys)
    assert keys[:1] == ((normalize_name(name),) if normalize_name(name) else ())
    for key in keys:
        assert key in name_keys(key)
    assert names_agree(name, name) is bool(keys)


@given(number=resident_ids(), name=AWKWARD_NAMES.filter(normalize_name), data=st.data())
def test_any_name_that_agrees_finds_the_masked_number(
    number: str, name: str, data: st.DataObject
) -> None:
    masked = MaskedNumber(pattern=number[:10] + "****" + number[14:])
    other = data.draw(st.sampled_from(name_keys(name)))
    for listed, asked in ((name, other), (other, name)):
        keys = {masked_lookup_key(masked, listed)}
        keys |= {key for _, _, key in further_keys("resident_id", masked, listed)}
        document = Document(type=DocumentType.RESIDENT_ID, number=number)
        assert not keys.isdisjoint(masked_lookup_keys(document, asked))


@given(
    number=resident_ids(),
    hidden=st.sets(st.integers(0, 17), min_size=1, max_size=8),
    name=st.text(min_size=1, max_size=8).filter(normalize_name),
)
def test_a_number_always_finds_its_own_masked_form(
    number: str, hidden: set[int], name: str
) -> None:
    shown = "".join("*" if place in hidden else one for place, one in enumerate(number))
    masked = read_masked(DocumentType.RESIDENT_ID, shown, TODAY)
    assert masked is not None
    assert masked.pattern == shown
    assert masked.matches(number)
    document = Document(type=DocumentType.RESIDENT_ID, number=number)
    assert masked_lookup_key(masked, name) in masked_lookup_keys(document, name)


@given(number=resident_ids(), first=st.integers(1, 17), data=st.data())
def test_one_run_of_any_length_never_hides_the_number_that_it_stands_for(
    number: str, first: int, data: st.DataObject
) -> None:
    past = data.draw(st.integers(first + 1, min(18, first + 8)))
    stars = "*" * data.draw(st.integers(1, 12))
    masked = attempt(
        lambda: read_masked(DocumentType.RESIDENT_ID, number[:first] + stars + number[past:], TODAY)
    )
    # A refusal is counted and kept. A reading must find the number.
    if isinstance(masked, InvalidDocument):
        assert masked.reason is InvalidReason.AMBIGUOUS_MASK
    else:
        assert masked is not None
        assert masked.matches(number) or len(number[:first] + stars + number[past:]) == 18


@given(number=resident_ids(), other=resident_ids(), hidden=st.sets(st.integers(0, 17), max_size=8))
def test_a_masked_form_matches_only_numbers_that_agree_where_it_shows(
    number: str, other: str, hidden: set[int]
) -> None:
    masked = MaskedNumber(
        pattern="".join("*" if place in hidden else one for place, one in enumerate(number))
    )
    agrees = all(number[place] == other[place] for place in range(18) if place not in hidden)
    assert masked.matches(other) is agrees


@given(kind=st.sampled_from(DocumentType), text=NUMBERS)
def test_a_masked_number_is_read_or_refused_without_repeating_it(
    kind: DocumentType, text: str
) -> None:
    masked = attempt(lambda: read_masked(kind, text, TODAY))
    if isinstance(masked, InvalidDocument):
        assert masked.args == (EXPLANATIONS[masked.reason],)
    elif masked is not None:
        length, least = (9, 5) if kind is DocumentType.ORG_CODE else (18, 10)
        assert len(masked.pattern) == length
        assert length - masked.pattern.count("*") >= least
        assert read_masked(kind, masked.pattern, TODAY) == masked
