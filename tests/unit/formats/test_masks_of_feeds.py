"""Masks as the courts' platform writes them: one number, or a rejected line that is kept."""

import pytest

from checker.domain.masking import MaskedNumber
from checker.registry.entry import LineRejected, MaskedDocument, RejectCode
from tests.support.platform_records import ORG_CODE, PERSON, USCC, company, officer, read, record

AMBIGUOUS = "4408822001*2518"


def masked(kind, pattern):
    return (MaskedDocument(type=kind, number=MaskedNumber(pattern=pattern)),)


@pytest.mark.parametrize("stars", [1, 3, 4, 5, 8])
def test_a_run_of_stars_stands_for_the_rest_of_a_persons_number(stars):
    shown = PERSON[:11] + "*" * stars + PERSON[14:]
    pattern = PERSON[:11] + "***" + PERSON[14:]
    assert read(record(cardNum=shown)).party.documents == masked("resident_id", pattern)


def test_a_number_that_fits_two_persons_is_rejected_for_a_party_and_unresolved_for_an_officer():
    with pytest.raises(LineRejected) as caught:
        read(record(cardNum=AMBIGUOUS))
    assert caught.value.code is RejectCode.INVALID_DOCUMENT
    [found] = read(company(qysler=[officer(cardNum=AMBIGUOUS)])).officers
    assert not found.resolved


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("uscc", USCC[:10] + "****" + USCC[14:]),
        ("org_code", ORG_CODE[:4] + "****" + ORG_CODE[8:]),
    ],
)
def test_a_companys_masked_number_is_taken(kind, shown):
    assert read(company(cardNum=shown)).party.documents == masked(kind, shown)
