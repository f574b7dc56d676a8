"""A record without an id stays one listing, however it is spelt and whatever version read it."""

import json

import msgspec
import pytest

from checker.formats.feed_format import ListFormat
from checker.formats.former_identity import former_zxgk_id
from checker.formats.zxgk import ZXGK, parse_zxgk
from tests.support.platform_records import OTHER, PERSON, company, officer, record
from tests.support.platform_shapes import COMPANIES, PERSONS
from tests.support.registry_grounds import apply, feed_of, ndjson, query

pytestmark = pytest.mark.anyio

OLD_CASE = "(2014)雷法执字第00232号"
SPELT = [
    record(cardNum=f"{PERSON[:6]} {PERSON[6:]}", courtName="雷州市 人民法院"),
    record(caseCode=OLD_CASE, publishDate=None),
    company(cardNum="--", courtName="雷州市 人民法院"),
    company(caseCode=OLD_CASE, qysler=[officer()]),
    company(caseCode=OLD_CASE, qysler=[officer(cardNum=PERSON)]),
]
RESPELT = [
    record(cardNum=PERSON, courtName="雷州市人民法院", iname="陈 示例"),
    record(caseCode="（2014）雷法执字第232号", publishDate="2016-07-07 00:00:00"),
    company(cardNum=None, qysler=json.dumps([officer()])),
    company(caseCode="〔2014〕雷法执00232号", qysler=[officer(cardNum=PERSON)]),
    company(caseCode="2014雷法执字第232号", qysler=officer()),
]


def _read_as_before(line, reading):
    """Return a record under the id that it got before decision 0045."""
    entry = parse_zxgk(line, reading)
    court = json.loads(line)["courtName"]
    return msgspec.structs.replace(entry, id=former_zxgk_id(line, reading), court=court)


BEFORE = ListFormat(name="zxgk", example=b"", read_line=_read_as_before, former_id=former_zxgk_id)


async def load(node, records, feed_format=ZXGK):
    return await node.feed.replace(feed_of(ndjson(records)), feed_format=feed_format)


async def ids_in_force(node):
    rows = await query(node, "SELECT id FROM listing WHERE until_version IS NULL")
    return {row.id for row in rows}


async def ended(node):
    return [(row.listing_id, row.ground) for row in await query(node, "SELECT * FROM ending")]


async def test_the_ids_of_a_list_from_before_the_upgrade_stay(node):
    first = await load(node, SPELT, BEFORE)
    before = await ids_in_force(node)
    for records in (SPELT, RESPELT, SPELT[::-1]):
        report = await load(node, records)

        assert (report.accepted, report.rejected) == (first.accepted, ())
        assert await ids_in_force(node) == before
        assert await ended(node) == []


async def test_an_unchanged_list_from_before_the_upgrade_is_not_written_anew(node):
    records = [record(), record(caseCode=OLD_CASE), company()]
    await load(node, records, BEFORE)
    await load(node, records)

    assert await query(node, "SELECT pk FROM listing WHERE until_version IS NOT NULL") == []


async def test_a_respelt_list_ends_nothing_in_any_order(node):
    await load(node, SPELT)
    before = await ids_in_force(node)
    for records in (RESPELT, RESPELT[::-1], SPELT[::-1], SPELT):
        report = await load(node, records)

        assert (report.accepted, report.rejected) == (5, ())
        assert await ids_in_force(node) == before
        assert await ended(node) == []


async def test_a_further_record_of_a_case_takes_the_id_of_no_other(node):
    await load(node, SPELT[3:])
    before = await ids_in_force(node)
    further = company(caseCode=OLD_CASE, qysler=[officer(cardNum="H12345678")])
    await load(node, [further, *SPELT[:2:-1]])

    assert before < await ids_in_force(node)
    assert await ended(node) == []


async def test_a_record_that_is_gone_or_is_anothers_ends_its_listing(node):
    await load(node, SPELT[:2])
    await load(node, [SPELT[0], record(caseCode=OLD_CASE, cardNum=OTHER)])

    assert [ground for _, ground in await ended(node)] == ["removed"]


async def test_a_respelt_record_among_changes_is_no_second_listing(node):
    await load(node, SPELT)
    before = await ids_in_force(node)
    for records in (RESPELT, SPELT):
        report = await node.changes.apply(feed_of(ndjson(records)), line_format=ZXGK)

        assert (report.accepted, await ids_in_force(node)) == (5, before)
    assert await ended(node) == []


async def test_a_record_of_a_case_with_other_officers_is_one_more_listing(node):
    await load(node, SPELT[3:4])
    for records in (SPELT[4:], SPELT[4:], RESPELT[3:]):
        await node.changes.apply(feed_of(ndjson(records)), line_format=ZXGK)

    assert len(await ids_in_force(node)) == 2
    assert await ended(node) == []


async def test_records_in_all_shapes_stand_and_what_was_dropped_is_counted(node):
    shapes = [*PERSONS.values(), *COMPANIES.values()]
    report = await load(node, shapes)

    assert {line.code for line in report.rejected} == {"duplicate-id"}
    # In an empty list nothing shows that a uscc and the code inside are one company's.
    assert report.accepted == len(await ids_in_force(node)) == 3
    assert report.dropped_fields == {"regDate": 1, "partyTypeName": 3}


async def test_fields_that_changes_drop_are_counted_too(node):
    records = [record(regDate="soon"), record(regDate="soon", caseCode=OLD_CASE), company()]
    report = await node.changes.apply(feed_of(ndjson(records)), line_format=ZXGK)

    assert (report.accepted, report.dropped_fields) == (3, {"regDate": 2})


async def test_an_officer_under_18_on_the_day_of_filing_is_rejected_among_changes(node):
    await load(node, [company(regDate="1909-05-04", qysler=[officer()])])
    [listing_id] = await ids_in_force(node)
    documents = [{"type": "resident_id", "number": PERSON}]
    officers = [{"role": "principal", "name": "陈示例", "documents": documents}]
    report = await apply(node, {"op": "officers", "listing_id": listing_id, "officers": officers})

    assert [line.code for line in report.rejected] == ["minor"]
