"""The platform's record, as wild as the contract's section 5 says it is."""

import json
from datetime import date

import pytest

from checker.domain.document import Document
from checker.domain.masking import MaskedNumber
from checker.domain.role import Role
from checker.formats.record_officers import TITLES
from checker.formats.zxgk import PARTY_TYPES, parse_zxgk
from checker.registry.entry import LineRejected, MaskedDocument, PartyType, RejectCode
from tests.support.platform_records import (
    ORG_CODE,
    OTHER,
    PERSON,
    READING,
    USCC,
    company,
    officer,
    read,
    record,
)

MASKED = PERSON[:10] + "****" + PERSON[14:]


def only_document(entry):
    [document] = entry.party.documents
    return document


def test_a_persons_record_is_read():
    entry = read(record())

    assert (entry.party_type, entry.party.name) == (PartyType.PERSON, "陈示例")
    assert only_document(entry) == Document(type="resident_id", number=PERSON)
    assert (entry.case_number, entry.court) == ("（2016）粤0882执123号", "雷州市人民法院")
    assert (entry.filed_on, entry.published_on) == (date(2016, 5, 4), date(2016, 7, 7))
    assert (entry.expires_on, entry.public, entry.officers) == (None, True, ())


def test_a_companys_record_is_read_with_its_officers():
    entry = read(company())
    [member] = entry.officers

    assert (entry.party_type, entry.party.name) == (PartyType.ORGANIZATION, "示例有限公司")
    assert only_document(entry) == Document(type="uscc", number=USCC)
    assert (member.role, member.holder.name) == (Role.LEGAL_REPRESENTATIVE, "李示例")
    assert member.holder.documents == (Document(type="resident_id", number=OTHER),)
    assert member.resolved


@pytest.mark.parametrize("sent", [*PARTY_TYPES, *map(int, PARTY_TYPES), " 581 "])
def test_both_pairs_of_party_types_are_known(sent):
    make = company if str(sent).strip() in ("1", "581") else record

    assert read(make(partyTypeName=sent)).party_type is PARTY_TYPES[str(sent).strip()]


@pytest.mark.parametrize(
    "sent",
    [
        {"age": 0},
        {"age": "0"},
        {"age": "四十一"},
        {"age": None},
        {"age": 41.5},
        {"gistId": ["（2015）雷民初字第9号", "（2015）雷民初字第10号"]},
        {"gistId": None},
        {"gistId": {"0": "x"}},
        {"duty": "\r\n\t\u3000"},
        {"sexy": "暂无"},
        {"areaName": 440882},
        {"qysler": None},
        {"qysler": "暂无"},
        {"businessEntity": "暂无"},
        {"id": "not a number"},
        {"focusNumber": 3},
        {"partyTypeExt": {"deep": [[]]}},
    ],
)
def test_what_decides_nothing_may_be_anything(sent):
    assert read(record(**sent)) == read(record())


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("2016年05月04日", date(2016, 5, 4)),
        ("20160504", date(2016, 5, 4)),
        (20160504, date(2016, 5, 4)),
        ("2016年5月4日", date(2016, 5, 4)),
        ("2016-05-04", date(2016, 5, 4)),
        (" ２０１６年０５月０４日\n", date(2016, 5, 4)),
        ("2016年 05月 04日", date(2016, 5, 4)),
        ("暂无", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_comes_in_either_shape_or_not_at_all(sent, day):
    entry = read(record(regDate=sent, publishDate=sent))

    assert (entry.filed_on, entry.published_on) == (day, day)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("(2016)粤0882执123号", "（2016）粤0882执123号"),
        ("〔2016〕粤0882执123号", "（2016）粤0882执123号"),
        ("[2016]粤0882执123号", "（2016）粤0882执123号"),
        ("（２０１６）粤0882执123号", "（2016）粤0882执123号"),
        (" (2016) 粤0882执\n123号", "（2016）粤0882执123号"),
        ("（2014）某法执字第00232号", "（2014）某法执字第00232号"),
        ("(2014)某法执字第00232号", "（2014）某法执字第00232号"),
    ],
)
def test_a_case_number_has_one_spelling(sent, kept):
    assert read(record(caseCode=sent)).case_number == kept


def test_two_spellings_of_one_record_are_one_listing():
    spelt = record(
        caseCode="(2016)粤0882执123号", iname="陈 示例", publishDate="20160707", partyTypeName="580"
    )

    assert read(spelt).id == read(record()).id


@pytest.mark.parametrize(
    "changed",
    [
        {"courtName": "湛江市中级人民法院"},
        {"caseCode": "（2016）粤0882执124号"},
        {"iname": "陈示"},
        {"cardNum": OTHER},
        {"publishDate": "20160708"},
    ],
)
def test_another_court_case_party_or_day_is_another_listing(changed):
    assert read(record(**changed)).id != read(record()).id


def test_line_breaks_in_a_text_are_taken_out():
    entry = read(record(iname="陈\r\n示例", courtName="雷州市\n 人民法院\0"))

    assert (entry.party.name, entry.court) == ("陈示例", "雷州市人民法院")


@pytest.mark.parametrize(
    "sent",
    [USCC, USCC.lower(), f" {USCC[:8]} {USCC[8:]}", f"{USCC[:8]}-{USCC[8:]}"],
)
def test_a_company_comes_with_its_uscc(sent):
    assert only_document(read(company(cardNum=sent))) == Document(type="uscc", number=USCC)


@pytest.mark.parametrize(
    "sent", [ORG_CODE, f"{ORG_CODE[:8]}-{ORG_CODE[8]}", f"{ORG_CODE[:8]} - {ORG_CODE[8]}"]
)
def test_a_company_comes_with_its_organization_code(sent):
    assert only_document(read(company(cardNum=sent))) == Document(type="org_code", number=ORG_CODE)


def test_a_masked_uscc_is_kept_as_masked():
    hidden = f"{USCC[:10]}****{USCC[14:]}"

    assert only_document(read(company(cardNum=hidden))) == MaskedDocument(
        type="uscc", number=MaskedNumber(pattern=hidden)
    )


@pytest.mark.parametrize(("title", "role"), TITLES)
def test_every_title_has_its_role(title, role):
    assert read(company(qysler=[officer(corporationtypename=title)])).officers[0].role is role


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("法定代表人（负责人）", Role.LEGAL_REPRESENTATIVE),
        ("主要负责人", Role.PRINCIPAL),
        ("影响债务履行的直接责任人员", Role.DIRECTLY_RESPONSIBLE),
        (" 实际控制人 ", Role.ACTUAL_CONTROLLER),
    ],
)
def test_titles_are_known_within_longer_ones(title, role):
    assert read(company(qysler=[officer(corporationtypename=title)])).officers[0].role is role


@pytest.mark.parametrize("title", ["监事", "", None, 7])
def test_an_officer_of_an_unknown_title_is_kept_and_reaches_nobody(title):
    [member] = read(company(qysler=[officer(corporationtypename=title)])).officers

    assert (member.role, member.resolved) == (None, False)


@pytest.mark.parametrize("sent", ["暂无", "", None, "4408", PERSON[:17] + "?", "not a number"])
def test_an_officer_without_a_number_is_kept_as_unresolved(sent):
    [member] = read(company(qysler=[officer(cardNum=sent)])).officers

    assert (member.holder.name, member.holder.documents, member.resolved) == ("李示例", (), False)


def test_a_representative_known_by_name_alone_is_kept_as_unresolved():
    [member] = read(company(qysler=[])).officers

    assert (member.role, member.holder.name) == (Role.LEGAL_REPRESENTATIVE, "李示例")
    assert not member.resolved


def test_a_representative_who_stands_among_the_officers_is_kept_once():
    spaced = officer(iname="李 示例")

    assert len(read(company(qysler=[spaced, officer(iname="王示例")])).officers) == 2


@pytest.mark.parametrize("member", [None, "", "暂无", [], {}, {"iname": "暂无"}])
def test_an_empty_officer_is_passed_over(member):
    assert read(company(qysler=[member, officer()])) == read(company())


def test_a_person_has_no_officers():
    assert read(record(qysler=[officer()], businessEntity="李示例")).officers == ()


@pytest.mark.parametrize("number", ["", "暂无", None, "not a number"])
def test_a_company_without_a_number_still_reaches_its_officers(number):
    entry = read(company(cardNum=number))

    assert entry.party.documents == ()
    assert entry.officers[0].resolved


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (record(cardNum="暂无"), RejectCode.NOBODY_REACHED),
        (record(cardNum=None), RejectCode.NOBODY_REACHED),
        (company(cardNum="", qysler=[]), RejectCode.NOBODY_REACHED),
        (record(cardNum=PERSON[:17] + "?"), RejectCode.INVALID_DOCUMENT),
        (company(cardNum=USCC[:17], qysler=[]), RejectCode.INVALID_DOCUMENT),
        (record(partyTypeName="2", cardNum=MASKED), RejectCode.INVALID_LISTING),
        (record(partyTypeName=False, cardNum="E12345678"), RejectCode.INVALID_LISTING),
        (record(iname="暂无"), RejectCode.INVALID_LISTING),
        (record(caseCode=""), RejectCode.INVALID_LISTING),
        (record(courtName=None), RejectCode.INVALID_LISTING),
        (record(courtName="院" * 301), RejectCode.INVALID_LISTING),
        (company(qysler=[officer()] * 501), RejectCode.INVALID_LISTING),
    ],
)
def test_a_record_that_cannot_stand_is_rejected_and_nothing_of_it_repeated(sent, code):
    with pytest.raises(LineRejected) as rejected:
        read(sent)

    assert rejected.value.code is code
    for text in ("示例", PERSON[:10], USCC[:10], OTHER[:10]):
        assert text not in rejected.value.detail


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b'"x"', b"[" * 100_000])
def test_a_line_that_is_no_object_is_rejected_as_such(line):
    with pytest.raises(LineRejected) as rejected:
        parse_zxgk(line, READING)
    assert rejected.value.code is RejectCode.INVALID_JSON


def test_a_record_of_nothing_but_what_is_read_is_enough():
    fields = ("iname", "caseCode", "cardNum", "courtName", "partyTypeName")
    bare = {name: value for name, value in record().items() if name in fields}

    assert parse_zxgk(json.dumps(bare).encode(), READING).party.name == "陈示例"
