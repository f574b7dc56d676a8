"""Passports, permits and residence cards: what passes, what it becomes, what is refused."""

from datetime import date

import pytest

from checker.domain.document import Document, DocumentType, normalize
from checker.domain.errors import InvalidDocument, InvalidReason

TODAY = date(2026, 11, 23)

PASSING = [
    (DocumentType.PASSPORT, "E12345678", "E12345678"),
    (DocumentType.PASSPORT, "EA1234567", "EA1234567"),
    (DocumentType.PASSPORT, "12345", "12345"),
    (DocumentType.PASSPORT, "ＭＡ 123-4567", "MA1234567"),
    (DocumentType.HK_MACAO_PERMIT, "H12345678", "H12345678"),
    (DocumentType.HK_MACAO_PERMIT, "m1234567802", "M12345678"),
    (DocumentType.HK_MACAO_PERMIT, "ha 1234567", "HA1234567"),
    (DocumentType.HK_MACAO_PERMIT, "ＭＡ1234567", "MA1234567"),
    (DocumentType.TAIWAN_PERMIT, "12345678", "12345678"),
    (DocumentType.TAIWAN_PERMIT, "0012345601(B)", "00123456"),
    (DocumentType.TAIWAN_PERMIT, "1234567801", "12345678"),
    (DocumentType.TAIWAN_PERMIT, "1234567801B", "12345678"),
    (DocumentType.TAIWAN_PERMIT, "1234567801（B）", "12345678"),
    (DocumentType.TAIWAN_PERMIT, "L12345678", "L12345678"),
    (DocumentType.TAIWAN_PERMIT, "T12345678", "T12345678"),
    (DocumentType.EXIT_ENTRY_PERMIT, "C12345678", "C12345678"),
    (DocumentType.EXIT_ENTRY_PERMIT, "CA1234567", "CA1234567"),
    (DocumentType.EXIT_ENTRY_PERMIT, "W12345678", "W12345678"),
    (DocumentType.EXIT_ENTRY_PERMIT, "1234567", "1234567"),
    (DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, "can110085010112", "CAN110085010112"),
    (DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, "911124189001010029", "911124189001010029"),
]

REFUSED = [
    (DocumentType.PASSPORT, "E123", InvalidReason.LENGTH),
    (DocumentType.PASSPORT, "E123456789", InvalidReason.LENGTH),
    (DocumentType.PASSPORT, "PASSPORT", InvalidReason.CHARACTER),
    (DocumentType.PASSPORT, "E1234567é", InvalidReason.CHARACTER),
    (DocumentType.HK_MACAO_PERMIT, "A12345678", InvalidReason.CHARACTER),
    (DocumentType.HK_MACAO_PERMIT, "H1234567A", InvalidReason.CHARACTER),
    (DocumentType.HK_MACAO_PERMIT, "H123456780", InvalidReason.LENGTH),
    (DocumentType.HK_MACAO_PERMIT, "HB1234567", InvalidReason.CHARACTER),
    (DocumentType.HK_MACAO_PERMIT, "HA123456", InvalidReason.LENGTH),
    (DocumentType.HK_MACAO_PERMIT, "HA123456702", InvalidReason.CHARACTER),
    (DocumentType.TAIWAN_PERMIT, "1234567", InvalidReason.LENGTH),
    (DocumentType.TAIWAN_PERMIT, "123456789", InvalidReason.CHARACTER),
    (DocumentType.TAIWAN_PERMIT, "L1234567801", InvalidReason.CHARACTER),
    (DocumentType.TAIWAN_PERMIT, "12345678(B)01", InvalidReason.CHARACTER),
    (DocumentType.EXIT_ENTRY_PERMIT, "C1234567*", InvalidReason.CHARACTER),
    (DocumentType.EXIT_ENTRY_PERMIT, "C12345", InvalidReason.LENGTH),
    (DocumentType.EXIT_ENTRY_PERMIT, "ABCDEFGH", InvalidReason.CHARACTER),
    (DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, "CAN11008501011", InvalidReason.LENGTH),
    (DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, "CA1110085010112", InvalidReason.CHARACTER),
    (DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, "CAN110085013212", InvalidReason.BIRTH_DATE),
    (DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, "911124189001010027", InvalidReason.CHECK_DIGIT),
    (DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, "440882189001011230", InvalidReason.CHARACTER),
]


@pytest.mark.parametrize(("kind", "number", "canonical"), PASSING)
def test_a_number_becomes_what_identifies_for_life(
    kind: DocumentType, number: str, canonical: str
) -> None:
    assert normalize(Document(type=kind, number=number), TODAY).number == canonical


@pytest.mark.parametrize(("kind", "number", "reason"), REFUSED)
def test_a_number_that_nobody_issues_is_refused(
    kind: DocumentType, number: str, reason: InvalidReason
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        normalize(Document(type=kind, number=number), TODAY)
    assert caught.value.reason is reason


def test_a_residence_card_is_judged_by_either_century() -> None:
    leap_day_of_2000 = Document(
        type=DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, number="CAN110000022912"
    )
    assert normalize(leap_day_of_2000, TODAY) == leap_day_of_2000
    with pytest.raises(InvalidDocument):
        normalize(leap_day_of_2000, date(2000, 2, 28))


def test_every_kind_of_travel_document_has_a_row() -> None:
    elsewhere = {
        DocumentType.RESIDENT_ID,
        DocumentType.USCC,
        DocumentType.ORG_CODE,
        DocumentType.NET_ID,
    }
    assert {kind for kind, *_ in PASSING} == set(DocumentType) - elsewhere
    assert {kind for kind, *_ in REFUSED} == set(DocumentType) - elsewhere
