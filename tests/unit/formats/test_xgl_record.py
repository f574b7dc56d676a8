"""The platform's list of orders: who is reached, and who is only counted."""

import json
from datetime import date

import msgspec
import pytest

from checker.domain.document import Document
from checker.domain.listing_kind import ListingKind
from checker.domain.masking import MaskedNumber
from checker.domain.role import Role
from checker.formats.xgl import parse_xgl
from checker.registry.entry import LineRejected, MaskedDocument, PartyType, RejectCode
from tests.support.platform_records import ORG_CODE, OTHER, PERSON, READING, USCC, read, record

MASKED = PERSON[:10] + "****" + PERSON[14:]


def row(**changes):
    """A row about a company and its representative, as the platform gives it."""
    return {
        "XM": "李示例",
        "QY_MC": "示例有限公司",
        "QY_DM": USCC,
        "AH": "（2019）粤0882执321号",
        "LASJStr": "2019年12月02日",
        "ZXFYMC": "雷州市人民法院",
        "FILEPATH": "/xgl/321.pdf",
    } | changes


def person_row(**changes):
    return row(XM="陈示例", QY_MC="", QY_DM="", IDNUMBER=PERSON) | changes


def read_order(sent, drop=lambda _field: None):
    reading = msgspec.structs.replace(READING, drop=drop)
    return parse_xgl(json.dumps(sent, ensure_ascii=False).encode(), reading)


def test_a_company_is_reached_by_its_code_and_its_person_is_unresolved():
    entry = read_order(row())
    [person] = entry.officers

    assert (entry.kind, entry.party_type) == (
        ListingKind.CONSUMPTION_ORDER,
        PartyType.ORGANIZATION,
    )
    assert (entry.case_number, entry.court) == ("（2019）粤0882执321号", "雷州市人民法院")
    assert (entry.filed_on, entry.published_on) == (date(2019, 12, 2), None)
    assert entry.party.name == "示例有限公司"
    assert entry.party.documents == (Document(type="uscc", number=USCC),)
    assert (person.holder.name, person.role) == ("李示例", Role.LEGAL_REPRESENTATIVE)
    assert not person.resolved


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (OTHER, Document(type="resident_id", number=OTHER)),
        (MASKED, MaskedDocument(type="resident_id", number=MaskedNumber(pattern=MASKED))),
        ("H1234567801", Document(type="hk_macao_permit", number="H12345678")),
    ],
)
def test_a_person_with_a_number_is_reached_whole_or_masked(number, found):
    for entry in (read_order(row(IDNUMBER=number)), read_order(person_row(IDNUMBER=number))):
        holders = [entry.party, *(officer.holder for officer in entry.officers)]

        assert found in [one for holder in holders for one in holder.documents]


def test_a_row_of_a_person_is_an_order_against_the_person():
    entry = read_order(person_row())

    assert (entry.party_type, entry.party.name, entry.officers) == (PartyType.PERSON, "陈示例", ())
    assert entry.party.documents == (Document(type="resident_id", number=PERSON),)


@pytest.mark.parametrize("number", [None, "", "暂无", "--"])
def test_a_row_of_a_person_without_a_number_is_kept_and_reaches_nobody(number):
    entry = read_order(person_row(IDNUMBER=number))

    assert (entry.party_type, entry.party.documents) == (PartyType.PERSON, ())


@pytest.mark.parametrize(
    ("code", "kind", "number"),
    [
        (f"{ORG_CODE[:8]}-{ORG_CODE[8]}", "org_code", ORG_CODE),
        (USCC.lower(), "uscc", USCC),
    ],
)
def test_a_company_comes_with_either_code(code, kind, number):
    assert read_order(row(QY_DM=code)).party.documents == (Document(type=kind, number=number),)


def test_a_company_without_a_code_is_kept_for_its_person():
    entry = read_order(row(QY_DM="暂无"))

    assert (entry.party.documents, len(entry.officers)) == ((), 1)


def test_a_code_is_not_needed_where_the_person_is_reached():
    dropped = []
    entry = read_order(row(QY_DM="4408820000", IDNUMBER=OTHER), dropped.append)

    assert (entry.party.documents, entry.officers[0].resolved) == ((), True)
    assert dropped == ["QY_DM"]


def test_several_persons_have_their_numbers_in_order():
    entry = read_order(row(XM="李示例、陈示例", IDNUMBER=f"{OTHER},{PERSON}"))

    assert [officer.holder.documents[0].number for officer in entry.officers] == [OTHER, PERSON]


def test_a_number_that_may_be_either_persons_is_dropped_and_counted():
    dropped = []
    entry = read_order(row(XM="李示例、陈示例", IDNUMBER=OTHER), dropped.append)

    assert [officer.resolved for officer in entry.officers] == [False, False]
    assert dropped == ["IDNUMBER"]


def test_the_company_named_again_as_the_person_is_no_officer():
    assert read_order(row(XM="示例 有限公司")).officers == ()


@pytest.mark.parametrize("day", ["2019-12-02 00:00:00", 1575216000000, "2019/12/2"])
def test_a_respelt_row_is_the_same_listing(day):
    spelt = row(LASJStr=day, AH="(2019)粤0882执字第00321号", ZXFYMC="雷州市 人民法院", XM="李 示例")

    assert read_order({key.lower(): value for key, value in spelt.items()}).id == (
        read_order(row()).id
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"XM": "王示例"},
        {"QY_DM": ORG_CODE[::-1], "IDNUMBER": OTHER},
        {"AH": "（2019）粤0882执322号"},
    ],
)
def test_another_person_company_or_case_is_another_order(changed):
    assert read_order(row(**changed)).id != read_order(row()).id


def test_an_order_is_another_listing_than_an_entry_of_the_same_case():
    entry = read(record(caseCode="（2019）粤0882执321号", publishDate=None))

    assert read_order(person_row()).id != entry.id


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (row(AH=None), RejectCode.INVALID_LISTING),
        (row(ZXFYMC="暂无"), RejectCode.INVALID_LISTING),
        (row(XM="", QY_MC=None), RejectCode.INVALID_LISTING),
        (row(XM="", QY_DM=""), RejectCode.NOBODY_REACHED),
        (row(QY_DM=USCC[:17]), RejectCode.INVALID_DOCUMENT),
        (person_row(IDNUMBER=PERSON[:17]), RejectCode.INVALID_DOCUMENT),
        (person_row(LASJStr="1910-01-01"), RejectCode.MINOR),
        (row(IDNUMBER=PERSON, LASJStr="1910-01-01"), RejectCode.MINOR),
    ],
)
def test_a_row_that_cannot_stand_is_rejected_and_nothing_of_it_repeated(sent, code):
    with pytest.raises(LineRejected) as rejected:
        read_order(sent)

    assert rejected.value.code is code
    for text in ("示例", PERSON[:10], USCC[:10]):
        assert text not in rejected.value.detail
