"""Which document a person's `cardNum` is taken for, of parties and officers alike."""

import pytest

from checker.domain.document import Document, DocumentType
from checker.domain.masking import MaskedNumber
from checker.formats.record_numbers import personal_type
from checker.registry.entry import LineRejected, MaskedDocument, RejectCode
from tests.support.platform_records import PERSON, company, officer, read, record

OLD = PERSON[:6] + "050704" + "123"
WIDE = str.maketrans("0123456789X*", "０１２３４５６７８９Ｘ＊")

KNOWN = [
    (PERSON, "resident_id", PERSON),
    (f" {PERSON}\n", "resident_id", PERSON),
    (PERSON.translate(WIDE), "resident_id", PERSON),
    (f"{PERSON[:6]} {PERSON[6:14]} {PERSON[14:]}", "resident_id", PERSON),
    ("H12345678", "hk_macao_permit", "H12345678"),
    ("M1234567801", "hk_macao_permit", "M12345678"),
    ("h12345678", "hk_macao_permit", "H12345678"),
    ("E12345678", "passport", "E12345678"),
    ("G1234567", "passport", "G1234567"),
    ("EA1234567", "passport", "EA1234567"),
    ("ＥＡ１２３４５６７", "passport", "EA1234567"),
    ("H1234567", "passport", "H1234567"),
    ("0012345601(B)", "taiwan_permit", "00123456"),
    ("００１２３４５６０１（Ｂ）", "taiwan_permit", "00123456"),
    ("0012345601B", "taiwan_permit", "00123456"),
    ("0012345601(1)", "taiwan_permit", "00123456"),
    ("CAN110090030212", "foreign_permanent_resident_id", "CAN110090030212"),
    ("can 1100 90030212", "foreign_permanent_resident_id", "CAN110090030212"),
]
HIDDEN = [
    (PERSON[:10] + "****" + PERSON[14:], PERSON[:10] + "****" + PERSON[14:]),
    (PERSON[:6] + "********" + PERSON[14:], PERSON[:6] + "********" + PERSON[14:]),
    (PERSON[:14] + "****", PERSON[:14] + "****"),
    ("*" + PERSON[1:], "*" + PERSON[1:]),
    ((PERSON[:10] + "****" + PERSON[14:]).translate(WIDE), PERSON[:10] + "****" + PERSON[14:]),
    (OLD[:8] + "****" + OLD[12:], f"{OLD[:6]}19{OLD[6:8]}****{OLD[12:]}*"),
]
UNREADABLE = [
    "12345678",  # eight digits: a permit for Taiwan residents, or anything
    "H123456789",
    "EA12345678",  # longer than any passport's number
    "E123456",
    "ABC1234567",
    "ABC123456789012",
    "E12345678*",
    PERSON[:17],
    PERSON[:6] + "18991301" + PERSON[14:],
    PERSON[:9] + "*********",
    "*" * 18,
]


def documents_of_party(number):
    return read(record(cardNum=number)).party.documents


def documents_of_officer(number):
    return read(company(qysler=[officer(cardNum=number)])).officers[0].holder.documents


@pytest.mark.parametrize("documents_of", [documents_of_party, documents_of_officer])
@pytest.mark.parametrize(("sent", "kind", "number"), KNOWN)
def test_a_number_is_taken_for_the_document_it_must_be(documents_of, sent, kind, number):
    assert documents_of(sent) == (Document(type=kind, number=number),)


@pytest.mark.parametrize("documents_of", [documents_of_party, documents_of_officer])
@pytest.mark.parametrize(("sent", "pattern"), HIDDEN)
def test_a_number_shown_in_part_is_taken_for_a_masked_resident_id(documents_of, sent, pattern):
    masked = MaskedDocument(type="resident_id", number=MaskedNumber(pattern=pattern))

    assert documents_of(sent) == (masked,)


def test_an_old_number_is_upgraded():
    [document] = documents_of_party(OLD)

    assert document.number.startswith(OLD[:6] + "19" + OLD[6:])


@pytest.mark.parametrize("sent", UNREADABLE)
def test_any_other_number_rejects_a_person(sent):
    with pytest.raises(LineRejected) as rejected:
        documents_of_party(sent)
    assert rejected.value.code is RejectCode.INVALID_DOCUMENT


@pytest.mark.parametrize("sent", UNREADABLE)
def test_any_other_number_leaves_an_officer_unresolved(sent):
    assert documents_of_officer(sent) == ()


@pytest.mark.parametrize("number", ["HA1234567", "MA1234567"])
def test_a_card_with_a_letter_in_second_place_is_a_permit(number):
    assert personal_type(number) is DocumentType.HK_MACAO_PERMIT


@pytest.mark.parametrize("sent", ["H12345678", "EA1234567"])
def test_a_companys_number_is_never_a_travel_document(sent):
    with pytest.raises(LineRejected):
        read(company(cardNum=sent, qysler=[]))
