"""Masked numbers as lists write them: one reading, or none."""

from datetime import date

import pytest

from checker.domain.document import DocumentType
from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.mask_reading import read_masked

TODAY = date(2026, 11, 23)
NUMBER = "440882189001011230"
PERSON, USCC, CODE = DocumentType.RESIDENT_ID, DocumentType.USCC, DocumentType.ORG_CODE
CARD = DocumentType.FOREIGN_PERMANENT_RESIDENT_ID


def read(kind: DocumentType, text: str) -> str | None:
    masked = read_masked(kind, text, TODAY)
    return None if masked is None else masked.pattern


def refused(kind: DocumentType, text: str) -> InvalidReason:
    with pytest.raises(InvalidDocument) as caught:
        read_masked(kind, text, TODAY)
    return caught.value.reason


@pytest.mark.parametrize("stars", range(1, 12))
def test_a_run_of_any_length_stands_for_the_rest(stars: int) -> None:
    run = "*" * stars
    assert read(PERSON, f"4408821890{run}1230") == "4408821890****1230"
    assert read(PERSON, f"44088218900{run}1230") == "44088218900***1230"
    assert read(PERSON, f"440882189001{run}") == "440882189001******"
    assert read(USCC, f"91440882MA{run}01XX") == "91440882MA****01XX"
    assert read(CODE, f"MA4U{run}X") == "MA4U****X"


@pytest.mark.parametrize(
    "text",
    [
        "4408821890＊＊＊＊1230",
        " 4408821890****1230",
        "440882-1890﹡﹡﹡﹡-1230",
        "4408821890●●●●1230",
        "4408821890xxxx1230",
        "4408821890ＸＸＸＸ1230",
        "4408821890∗∗∗∗1230",
        "4408821890××1230",
    ],
)
def test_every_sign_for_a_hidden_character_is_read(text: str) -> None:
    assert read(PERSON, text) == "4408821890****1230"


@pytest.mark.parametrize(
    ("kind", "text", "pattern"),
    [
        (PERSON, "4408821890****101x", "4408821890****101X"),
        (PERSON, "4408821890xxxx101x", "4408821890****101X"),
        (PERSON, "44088218900101xxxx", "44088218900101****"),
        (PERSON, "4408**1890****1230", "4408**1890****1230"),
        (PERSON, "440882********1230", "440882********1230"),
        (PERSON, "8100001890****1230", "8100001890****1230"),
        (CARD, "9408821890****1230", "9408821890****1230"),
        (USCC, "N2440882MF****0012", "N2440882MF****0012"),
        (USCC, "9***0882MA4UX001XX", "9***0882MA4UX001XX"),
        (CODE, "MA4U**01-X", "MA4U**01X"),
    ],
)
def test_a_masked_number_is_read(kind: DocumentType, text: str, pattern: str) -> None:
    assert read(kind, text) == pattern
    assert read(kind, pattern) == pattern


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (PERSON, NUMBER),
        (PERSON, "4408821X9001011230"),
        (PERSON, "44088218900101101X"),
        (USCC, "91440882MAXXXX01XX"),
        (CODE, "MA4UX001X"),
        (DocumentType.PASSPORT, "E1234****"),
    ],
)
def test_a_number_that_hides_nothing_is_no_masked_one(kind: DocumentType, text: str) -> None:
    assert read(kind, text) is None


def test_fifteen_characters_become_eighteen_with_a_hidden_check_digit() -> None:
    assert read(PERSON, "4408820102****3") == "440882190102****3*"
    assert read(PERSON, "440882890102*3") == "44088219890102**3*"


@pytest.mark.parametrize(
    "text",
    [
        # 15 digits of somebody born in 1920, or 18 of somebody born in 2001.
        "4408822001*2518",
        "4408822001**2518",
        "4408821901****123",
        # Which run hides how many?
        "4408*1890****1230",
        "44*82*8900101*230",
    ],
)
def test_a_number_that_fits_two_persons_is_refused(text: str) -> None:
    assert refused(PERSON, text) is InvalidReason.AMBIGUOUS_MASK


def test_as_many_stars_as_hidden_characters_are_not_ambiguous() -> None:
    assert read(PERSON, "4408822001****2518") == "4408822001****2518"
    assert read(PERSON, "4408**2001****2518") == "4408**2001****2518"


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (PERSON, "440882****", InvalidReason.MASK),
        (PERSON, "440882*********230", InvalidReason.MASK),
        (PERSON, "440882******123", InvalidReason.MASK),
        (PERSON, "******************", InvalidReason.MASK),
        (CODE, "MA*X", InvalidReason.MASK),
        (CODE, "MA4*-X", InvalidReason.MASK),
        (PERSON, NUMBER + "*", InvalidReason.LENGTH),
        (CODE, "MA4UX001X*", InvalidReason.LENGTH),
        (PERSON, "4*0882*189*010*112*3", InvalidReason.LENGTH),
        (PERSON, "4408821890****1I30", InvalidReason.CHARACTER),
        (PERSON, "44A8821890****1230", InvalidReason.CHARACTER),
        (PERSON, "4408821890xxxx?230", InvalidReason.CHARACTER),
        (PERSON, "440882M102****3", InvalidReason.CHARACTER),
        (CARD, "4408821890****1230", InvalidReason.CHARACTER),
        (USCC, "95440882MA****01XX", InvalidReason.CHARACTER),
        (USCC, "91A40882MA****01XX", InvalidReason.CHARACTER),
        (USCC, "91440882MI****01XX", InvalidReason.CHARACTER),
        (CODE, "MA4U****A", InvalidReason.CHARACTER),
        (PERSON, "4408821799****1230", InvalidReason.BIRTH_DATE),
        (PERSON, "4408829913****1230", InvalidReason.BIRTH_DATE),
        (PERSON, "4408822027****1230", InvalidReason.BIRTH_DATE),
        (PERSON, "44088218900230*230", InvalidReason.BIRTH_DATE),
    ],
)
def test_a_text_without_a_reading_is_refused(
    kind: DocumentType, text: str, reason: InvalidReason
) -> None:
    assert refused(kind, text) is reason


def test_a_refusal_shows_nothing_of_the_number() -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_masked(PERSON, "4408822001*2518", TODAY)
    assert "2001" not in str(caught.value)
    assert caught.value.__cause__ is None
