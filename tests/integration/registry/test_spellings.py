"""A listed person is found in any spelling of the name, and by either number of an organization."""

import pytest
from sqlalchemy import text

from checker.domain.clock import shanghai_day
from checker.journal.faults import Faults
from checker.publication.outlines_verified import verify_outlines
from checker.registry.contents import LISTING
from checker.registry.journaled import list_kinds
from checker.registry.summary import summarize
from tests.support.registry_grounds import (
    AT,
    accepted,
    check_of,
    company_listing,
    document,
    masked_listing,
    outcomes,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
    uscc,
)

pytestmark = pytest.mark.anyio


async def write(node, statement):
    async with node.work_engine.begin() as connection:
        await connection.execute(text(statement))


async def test_a_masked_number_is_found_in_any_spelling_of_the_name(node):
    await publish(node, [masked_listing(1, "陳示例（曾用名阿卜杜拉·买买提）")])
    for name in ("陈示例", "陳示例", "阿卜杜拉买买提", "陈示例（曾用名：阿卜杜拉•买买提）"):
        assert await outcomes(node, [check_of(resident_id(1), name)]) == ["review"]
    assert await outcomes(node, [check_of(resident_id(2), "陈示例")]) == ["allow"]
    assert await outcomes(node, [check_of(resident_id(1), "陈示列")]) == ["allow"]


async def test_a_masked_company_is_found_by_its_uscc_and_by_the_code_in_it(node):
    number = uscc(1)
    code = number[8:17]
    listing = company_listing(1)
    for shown in (
        document(number[:10] + "****" + number[14:], "uscc"),
        document(code[:4] + "*" + code[8:], "org_code"),
    ):
        listing = listing | {"party": listing["party"] | {"documents": [shown]}}
        await publish(node, [listing])
        name = listing["party"]["name"]
        checks = [
            check_of(number, name, "uscc"),
            check_of(code, name, "org_code"),
            check_of(number, "别的有限公司", "uscc"),
            check_of(uscc(2), name, "uscc"),
        ]
        assert await outcomes(node, checks) == ["review", "review", "allow", "allow"]
    assert (await query(node, "SELECT count(*) FROM listing"))[0].count == 2


async def test_a_whole_number_agrees_with_any_spelling_of_the_name(node):
    listing = person_listing(1)
    party = listing["party"] | {"name": "陳示例（曾用名王\ue863）"}
    officer = {"role": "principal", "name": "李\ufe00四", "documents": [document(resident_id(2))]}
    await publish(node, [listing | {"party": party}, company_listing(3) | {"officers": [officer]}])
    asked = {
        (1, "陈示例"): "deny",
        (1, "王䶮"): "deny",
        (1, "王一"): "review",
        (2, "李四"): "deny",
        (2, "李五"): "review",
    }
    checks = [check_of(resident_id(index), name) for index, name in asked]
    assert await outcomes(node, checks) == list(asked.values())


async def test_a_list_of_the_old_keys_is_found_as_before_until_the_next_list_brings_all(node):
    lines = [masked_listing(1, "阿卜杜拉·买买提"), masked_listing(2, "陈示例")]
    old_spelling = check_of(resident_id(1), "阿卜杜拉•买买提")
    new_spelling = check_of(resident_id(1), "阿卜杜拉买买提")
    await publish(node, lines)
    await write(node, "DELETE FROM document WHERE derived")
    await write(node, "UPDATE listing SET digest = '\\x00' WHERE id = 'listing-1'")
    await accepted(node, {"op": "shield", "listing_id": "listing-1"})
    await accepted(node, {"op": "unshield", "listing_id": "listing-1"})
    await settled(node)
    assert await outcomes(node, [old_spelling, new_spelling]) == ["review", "allow"]
    report = await publish(node, lines)
    assert await outcomes(node, [old_spelling, new_spelling]) == ["review", "review"]
    endings = "SELECT listing_id FROM ending WHERE version = :version"
    assert await query(node, endings, version=report.version) == []
    assert await outcomes(node, [check_of(resident_id(2), "陈示例")]) == ["review"]


async def test_derived_rows_change_no_count_and_no_digest_of_the_journal(node):
    await publish(node, [masked_listing(1, "陳示例（曾用名李四）"), person_listing(2)])
    rows = await query(node, "SELECT derived FROM document WHERE masked")
    assert sorted(row.derived for row in rows) == [False] + [True] * 5
    summary = await summarize(node.engine, shanghai_day(AT), node.policies.deadlines)
    assert (summary.masked, summary.persons) == (1, 2)
    faults = Faults()
    async with node.work_engine.connect() as connection:
        await verify_outlines(connection, faults)
        digests = {}
        for kind in list_kinds(node.sealer):
            if kind.name == LISTING:
                found = (await connection.execute(text(kind.rows))).all()
                digests = dict(zip(found, await kind.digests(connection, found), strict=True))
    assert faults.first == []
    assert [type(each) for each in digests.values()] == [bytes, bytes]
