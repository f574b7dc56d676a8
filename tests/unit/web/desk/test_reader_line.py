"""A reader's text is reduced to number, name and issuer; a garbled text is nobody's number."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.domain.document import DocumentType
from checker.web.desk.reader_line import (
    GuestReading,
    ReaderFault,
    UnreadableLine,
    likely_fault,
    read_line,
)
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT, PASSPORT
from tests.support.zones import td1, td3

CARD = f"{DEBTOR_NAME}|男|汉|18900101|广东省雷州市某路 1 号|{DEBTOR}|雷州市公安局|20200101|20400101"
SPECIMEN = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
)
"""The specimen of ICAO Doc 9303 part 4, appendix B."""


def fault_of(text: str) -> ReaderFault:
    with pytest.raises(UnreadableLine) as caught:
        read_line(text)
    assert text not in str(caught.value)
    return caught.value.fault


def test_a_typed_number_stays_as_it_is() -> None:
    assert read_line(f" {DEBTOR} ") == GuestReading(number=DEBTOR)


@pytest.mark.parametrize("bar", ["|", " | ", "｜"])
def test_of_a_card_the_name_and_the_number_are_read_and_nothing_else(bar: str) -> None:
    read = read_line(CARD.replace("|", bar))
    assert read == GuestReading(number=DEBTOR, name=DEBTOR_NAME, type=DocumentType.RESIDENT_ID)


def test_a_card_whose_fields_have_another_order_is_read_by_the_form_of_the_number() -> None:
    read = read_line("SAMPLE, TRAVELLER|F|UTO110101900204|18900204|UTO")
    assert read.number == "UTO110101900204"
    assert read.name == "SAMPLE, TRAVELLER"
    assert read.type is DocumentType.FOREIGN_PERMANENT_RESIDENT_ID


def test_a_card_without_a_number_or_with_two_is_nobody() -> None:
    assert fault_of(CARD.replace(DEBTOR, DEBTOR[:9])) is ReaderFault.NO_NUMBER
    assert fault_of(f"{CARD}|{INNOCENT}") is ReaderFault.TWO_NUMBERS
    assert read_line(f"{CARD}|{CARD}").number == DEBTOR


@pytest.mark.parametrize("between", ["", "\n", "\r\n", " "])
def test_a_passport_is_read_with_and_without_line_breaks(between: str) -> None:
    read = read_line(between.join(td3(PASSPORT, issuer="D")))
    assert (read.number, read.issuer) == (PASSPORT, "DEU")
    assert (read.name, read.type) == ("TRAVELLER SAMPLE", DocumentType.PASSPORT)


def test_the_specimen_of_the_standard_is_read() -> None:
    assert read_line("".join(SPECIMEN).lower()).number == "L898902C3"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("H12345678", DocumentType.HK_MACAO_PERMIT),
        ("HA1234567", DocumentType.HK_MACAO_PERMIT),
        ("H1234567801", DocumentType.HK_MACAO_PERMIT),
        ("01234567", DocumentType.TAIWAN_PERMIT),
        ("C12345678", DocumentType.EXIT_ENTRY_PERMIT),
    ],
)
def test_a_travel_permit_is_known_by_the_form_of_its_number(
    number: str, kind: DocumentType
) -> None:
    read = read_line("\n".join(td1(number)))
    assert read == GuestReading(number=number, name="CHEN SHILI", type=kind, issuer="CHN")


def test_an_identity_card_of_another_state_is_not_taken_for_a_permit() -> None:
    assert fault_of("".join(td1("H12345678", issuer="UTO"))) is ReaderFault.ZONE_KIND


def test_a_name_that_the_zone_may_have_cut_is_left_out() -> None:
    assert read_line("".join(td3(PASSPORT, name="A" * 39))).name is None


def value_of(character: str) -> int:
    return 0 if character == "<" else int(character, 36) % 10


@given(st.integers(0, 87), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"))
def test_one_wrong_character_never_makes_another_number(place: int, wrong: str) -> None:
    zone = "".join(td3(PASSPORT))
    try:
        read = read_line(zone[:place] + wrong + zone[place + 1 :])
    except UnreadableLine:
        return
    # The check digit of the standard cannot tell characters of one value apart, as 0 and <.
    assert read.number == PASSPORT or value_of(wrong) == value_of(zone[place])


@given(st.integers(1, 87))
def test_a_part_of_a_zone_is_nobody(length: int) -> None:
    part = "".join(td3(PASSPORT))[:length]
    if "<" in part:
        assert fault_of(part) is ReaderFault.ZONE_CUT


@given(st.text(max_size=300))
def test_any_text_is_a_reading_or_a_fault(text: str) -> None:
    with contextlib.suppress(UnreadableLine):
        assert read_line(text).number == text.strip()


@pytest.mark.parametrize("phone", ["13800138000", "+86 138-0013-8000", "8613800138000"])
def test_a_phone_number_is_no_document_of_any_kind(phone: str) -> None:
    assert fault_of(phone) is ReaderFault.PHONE


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (DEBTOR + DEBTOR, ReaderFault.TWICE),
        (f"{DEBTOR} {DEBTOR}", ReaderFault.TWICE),
        (DEBTOR[:9], ReaderFault.HALF),
        (DEBTOR_NAME, ReaderFault.NAME),
        (DEBTOR[:-1], None),
    ],
)
def test_an_invalid_number_names_the_likely_fault(number: str, fault: ReaderFault | None) -> None:
    assert likely_fault(number, DocumentType.RESIDENT_ID) is fault
