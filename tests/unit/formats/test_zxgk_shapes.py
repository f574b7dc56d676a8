"""The same record in all shapes: the same listing, which reaches the same people."""

import json
from contextlib import suppress

import msgspec
import pytest

from checker.domain.document import lookup_key
from checker.domain.role import Role
from checker.formats.record_officers import members_of
from checker.formats.zxgk import ZXGK, parse_zxgk
from checker.registry.entry import LineRejected, PartyType, RejectCode
from loadtest.document_numbers import NumberSpace
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
from tests.support.platform_shapes import COMPANIES, PERSONS, QYSLER

pytestmark = pytest.mark.anyio

SHAPES = [*PERSONS.values(), *COMPANIES.values()]
_numbers = (NumberSpace(16).resident_id(index, "0704") for index in range(5, 200))
WITH_X = next(number for number in _numbers if number.endswith("X"))
MASKED = PERSON[:10] + "****" + PERSON[14:]


def dropped_by(sent):
    dropped = []
    line = json.dumps(sent, ensure_ascii=False).encode()
    parse_zxgk(line, msgspec.structs.replace(READING, drop=dropped.append))
    return dropped


def reached(entry):
    return [
        (officer.role, *map(lookup_key, officer.holder.documents))
        for officer in entry.officers
        if officer.resolved
    ]


async def test_a_file_of_all_shapes_is_read_line_by_line():
    async def arriving():
        for sent in SHAPES:
            yield json.dumps(sent, ensure_ascii=False).encode() + b"\n"

    lines = [line async for _, line in ZXGK.open(arriving())]
    entries = [ZXGK.read_line(line, READING) for line in lines]

    assert len(entries) == len(SHAPES)
    parties = [(entry.party_type, *map(lookup_key, entry.party.documents)) for entry in entries]
    person, organization = (PartyType.PERSON, PartyType.ORGANIZATION)
    assert parties[: len(PERSONS)] == [(person, ("resident_id", PERSON))] * len(PERSONS)
    assert set(parties[len(PERSONS) :]) == {(organization, ("organization", USCC[8:17]))}
    officers = [reached(entry) for entry in entries[len(PERSONS) :]]
    expected = [(Role.LEGAL_REPRESENTATIVE, ("resident_id", OTHER))]
    assert officers == [expected] * len(COMPANIES)


@pytest.mark.parametrize("sent", PERSONS.values(), ids=PERSONS)
def test_a_respelt_record_of_a_person_keeps_its_identity(sent):
    assert read(sent).id == read(record()).id


@pytest.mark.parametrize("spelt", [WITH_X.lower(), f" {WITH_X[:6]}-{WITH_X[6:]} "])
def test_a_number_with_a_small_x_is_the_same_listing(spelt):
    entry = read(record(cardNum=spelt))

    assert entry == read(record(cardNum=WITH_X))


@pytest.mark.parametrize(
    "sent",
    [sent for shape, sent in COMPANIES.items() if shape != "the code with a hyphen"],
)
def test_a_respelt_record_of_a_company_keeps_its_identity(sent):
    assert read(sent).id == read(company()).id


@pytest.mark.parametrize("shape", QYSLER)
def test_one_officer_is_one_member_in_every_shape(shape):
    [member] = members_of(QYSLER[shape])

    assert (member.name, member.number.replace(" ", "")) == ("李示例", OTHER)


@pytest.mark.parametrize(
    ("sent", "names"),
    [
        ("李示例、王示例", ["李示例", "王示例"]),
        ("李示例,王示例；赵示例", ["李示例", "王示例", "赵示例"]),
        ("李示例\n王示例", ["李示例", "王示例"]),
        (["李示例", "王示例"], ["李示例", "王示例"]),
        ([{"iname": "李示例"}, "王示例"], ["李示例", "王示例"]),
        ({"a": {"iname": "李示例"}, "b": {"name": "王示例"}}, ["李示例", "王示例"]),
        ([{"cardNum": OTHER}], [""]),
    ],
)
def test_officers_known_by_name_or_number_alone_are_all_read(sent, names):
    assert [member.name for member in members_of(sent)] == names


@pytest.mark.parametrize(
    "sent",
    [
        3,
        True,
        1.5,
        '[{"iname": "李示例"',
        "{broken",
        {"foo": "bar"},
        [{"iname": [[]], "cardNum": {"a": 1}}],
        [[[[[[[[[[["李示例"]]]]]]]]]]],
        "[" * 3_000,
    ],
)
def test_an_unreadable_officer_is_counted_and_reaches_nobody(sent):
    [unreadable, _] = read(company(qysler=[sent], businessEntity="李示例")).officers

    assert (unreadable.holder.name, unreadable.holder.documents) == ("", ())
    assert not unreadable.resolved
    assert dropped_by(company(qysler=sent)) == ["qysler"]


@pytest.mark.parametrize("sent", [None, "", "暂无", "null", "--", "[]", "{}", [], {}, [None], "无"])
def test_a_company_without_officers_has_none(sent):
    assert read(company(qysler=sent, businessEntity=sent)).officers == ()


def test_an_officer_with_a_number_and_no_name_is_reached():
    [member, _] = read(company(qysler=[officer(iname="暂无")])).officers

    assert member.resolved


@pytest.mark.parametrize("field", ["regDate", "publishDate"])
@pytest.mark.parametrize("sent", ["2016年13月04日", "20160230", "2016", "soon", {"a": 1}, True])
def test_an_unreadable_date_is_dropped_and_counted(field, sent):
    entry = read(record(**{field: sent}))

    assert {"regDate": entry.filed_on, "publishDate": entry.published_on}[field] is None
    assert dropped_by(record(**{field: sent})) == [field]


def test_a_record_in_its_usual_shape_drops_nothing():
    assert dropped_by(record()) == dropped_by(company()) == []


@pytest.mark.parametrize(
    ("sent", "party_type"),
    [
        (record(cardNum=USCC, partyTypeName="580"), PartyType.ORGANIZATION),
        (record(cardNum=ORG_CODE, partyTypeName="580"), PartyType.ORGANIZATION),
        (record(cardNum=ORG_CODE, partyTypeName="自然人"), PartyType.ORGANIZATION),
        (record(cardNum=f"{USCC[:10]}****{USCC[14:]}", partyTypeName=0), PartyType.ORGANIZATION),
        (record(partyTypeName="581"), PartyType.PERSON),
        (record(partyTypeName="7"), PartyType.PERSON),
        (record(partyTypeName=[], cardNum=USCC), PartyType.ORGANIZATION),
    ],
)
def test_a_number_that_is_certain_decides_against_the_type(sent, party_type):
    entry = read(sent)

    assert entry.party_type is party_type
    assert len(entry.party.documents) == 1
    assert dropped_by(sent) == ["partyTypeName"]


@pytest.mark.parametrize("sent", [MASKED, "E12345678", "H12345678"])
def test_a_number_that_both_may_have_leaves_the_type_as_it_is(sent):
    assert read(record(cardNum=sent)).party_type is PartyType.PERSON


@pytest.mark.parametrize(
    ("sent", "party_type"),
    [
        ("自然人", PartyType.PERSON),
        ("0.00", PartyType.PERSON),
        (" ５８０ ", PartyType.PERSON),
        ("法人", PartyType.ORGANIZATION),
        ("非法人组织", PartyType.ORGANIZATION),
        ("法人或其他组织", PartyType.ORGANIZATION),
        ("个人独资企业", PartyType.ORGANIZATION),
        ("1.0", PartyType.ORGANIZATION),
        (1.0, PartyType.ORGANIZATION),
        (["581"], PartyType.ORGANIZATION),
    ],
)
def test_a_type_is_read_in_words_and_numbers(sent, party_type):
    number = MASKED if party_type is PartyType.PERSON else "91440882****000000"

    assert read(record(partyTypeName=sent, cardNum=number)).party_type is party_type


def test_a_company_known_by_a_persons_number_still_reaches_its_officers():
    entry = read(company(cardNum=PERSON))

    assert entry.party_type is PartyType.ORGANIZATION
    assert [one.number for one in entry.party.documents] == [PERSON]
    assert reached(entry) == [(Role.LEGAL_REPRESENTATIVE, ("resident_id", OTHER))]


def test_officers_of_a_person_are_counted_as_dropped():
    assert dropped_by(record(qysler=[officer()])) == ["qysler"]


@pytest.mark.parametrize("sent", [record, company])
def test_a_person_under_18_on_the_day_of_filing_is_rejected(sent):
    by_day = {"regDate": "1886-01-02"}

    with pytest.raises(LineRejected) as rejected:
        read(sent(**by_day))
    assert rejected.value.code is RejectCode.MINOR
    assert PERSON not in rejected.value.detail


@pytest.mark.parametrize("day", [None, "--", "soon", "2016-05-04"])
def test_without_a_day_of_filing_no_age_is_decided(day):
    assert read(record(regDate=day)).party.documents


@pytest.mark.parametrize(
    ("plain", "written"), [('"age": 41', '"age": NaN'), ('"暂无"', "-Infinity"), ("还款", "还\n款")]
)
def test_a_line_that_python_wrote_and_json_does_not_know_is_read(plain, written):
    line = json.dumps(record(), ensure_ascii=False)

    assert plain in line
    assert parse_zxgk(line.replace(plain, written).encode(), READING) == read(record())


def test_half_of_a_surrogate_pair_is_no_text():
    line = json.dumps(record(iname="陈\ud800")).encode()

    with pytest.raises(LineRejected) as rejected:
        parse_zxgk(line, READING)
    assert rejected.value.code is RejectCode.INVALID_JSON


@pytest.mark.parametrize("filler", [" ", "\n", "\u3000", "、", "0", "*", "[", '{"a":', "示 "])
def test_long_values_are_read_in_one_pass(filler):
    long = f"示{filler * (200_000 // len(filler))}。"
    fields = ("regDate", "publishDate", "qysler", "businessEntity", "partyTypeName", "sexy")
    sent = company(**dict.fromkeys(fields, long)) | {"qysler": [officer(iname=long), long]}

    with suppress(LineRejected):
        read(sent | {"iname": long, "courtName": long, "caseCode": long})
    assert read(sent).party.documents
