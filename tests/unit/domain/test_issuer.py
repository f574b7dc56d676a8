"""Issuers of passports: codes, the form of Chinese numbers, and when two passports are one."""

from datetime import date

import pytest

from checker.domain.document import Document, DocumentType, normalize, normalize_listed
from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.issuer import STATES, IssuerMatch, compare_issuers

TODAY = date(2026, 11, 23)
CHINESE, OTHER = "E12345678", "X1234567"


def passport(number: str, issuer: str) -> Document:
    return normalize(Document(type=DocumentType.PASSPORT, number=number, issuer=issuer), TODAY)


@pytest.mark.parametrize(
    ("number", "one", "other", "match"),
    [
        (OTHER, "USA", "USA", IssuerMatch.SAME),
        (OTHER, "USA", "GBR", IssuerMatch.OTHER),
        (OTHER, "USA", None, IssuerMatch.UNKNOWN),
        (OTHER, None, None, IssuerMatch.UNKNOWN),
        (CHINESE, None, None, IssuerMatch.SAME),
        (CHINESE, "CHN", None, IssuerMatch.SAME),
        (CHINESE, "USA", None, IssuerMatch.OTHER),
        ("EA1234567", None, "USA", IssuerMatch.OTHER),
        ("A12345678", None, "CHN", IssuerMatch.UNKNOWN),
    ],
)
def test_issuers_are_compared_in_either_order(
    number: str, one: str | None, other: str | None, match: IssuerMatch
) -> None:
    assert compare_issuers(one, other, number) is match
    assert compare_issuers(other, one, number) is match


def test_a_chinese_number_with_and_without_its_issuer_is_one_document() -> None:
    plain = Document(type=DocumentType.PASSPORT, number=CHINESE)
    for issuer in ("CHN", "HKG", "MAC"):
        assert passport(CHINESE, issuer) == plain
        assert normalize(passport(CHINESE, issuer), TODAY) == plain
    assert passport(CHINESE, "USA") != plain
    assert passport(OTHER, "CHN").known_issuer == "CHN"


@pytest.mark.parametrize("issuer", ["XXA", "GBD", "UNO", "usa", "ZZZ", "D<<"])
def test_a_code_that_is_not_in_iso_3166_is_refused(issuer: str) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        passport(OTHER, issuer)
    assert (refusal.value.reason, refusal.value.field) == (InvalidReason.ISSUER, "issuer")


def test_there_are_249_states() -> None:
    assert len(STATES) == 249
    assert all(code.isascii() and code.isupper() and len(code) == 3 for code in STATES)


def test_no_list_has_a_document_of_the_public_identity_service() -> None:
    net_id = Document(type=DocumentType.NET_ID, number="net-1 a")
    assert normalize(net_id, TODAY).number == "NET1A"
    with pytest.raises(InvalidDocument) as refusal:
        normalize_listed(net_id, TODAY)
    assert refusal.value.field == "type"
