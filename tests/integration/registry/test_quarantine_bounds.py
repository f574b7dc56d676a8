"""A file of junk fills no disk: quarantine keeps a transfer's first lines and counts the rest."""

import pytest
from sqlalchemy import text

from checker.intake.feed_requests import FeedTerms
from checker.intake.quarantine_rows import ACCOUNT_LINES_MAX, REQUEST_LINES_MAX, trim
from tests.support.registry_grounds import apply, person_listing, publish, query

pytestmark = pytest.mark.anyio

JUNK = [{"op": "nothing"}] * (REQUEST_LINES_MAX + 30)


async def lines_of(node):
    return [row.line for row in await query(node, "SELECT line FROM quarantine ORDER BY pk")]


@pytest.mark.parametrize("strict", [False, True])
async def test_the_first_rejected_lines_of_changes_are_kept(node, strict):
    report = await apply(node, *JUNK, strict=strict)
    assert (report.rejected_count, report.not_quarantined) == (len(JUNK), 30)
    assert len(report.rejected) == len(JUNK)
    assert await lines_of(node) == list(range(1, REQUEST_LINES_MAX + 1))


async def test_the_first_rejected_lines_of_a_list_are_kept(node):
    report = await publish(node, [*JUNK, person_listing(1)], allow_rejected=True)
    assert (report.rejected_count, report.not_quarantined) == (len(JUNK), 30)
    assert await lines_of(node) == list(range(1, REQUEST_LINES_MAX + 1))


async def test_an_account_keeps_its_newest_lines_and_no_others(node):
    async with node.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO account (id, name, role) VALUES ('court', 'court', 'court')")
        )
        await connection.execute(
            text(
                "INSERT INTO quarantine (feed, format, line, code, detail, raw)"
                " SELECT 'old', 'changes', line, 'duplicate-id', 'x', ''"
                " FROM generate_series(1, :lines) AS line"
            ),
            {"lines": ACCOUNT_LINES_MAX},
        )
    await apply(node, *JUNK[:5], terms=FeedTerms(account_id="court"))
    assert len(await lines_of(node)) == ACCOUNT_LINES_MAX + 5
    await apply(node, *JUNK[:7])
    kept = await query(
        node, "SELECT feed = 'old' AS old, account_id, count(*) FROM quarantine GROUP BY 1, 2"
    )
    assert {(row.old, row.account_id): row.count for row in kept} == {
        (True, None): ACCOUNT_LINES_MAX - 7,
        (False, None): 7,
        (False, "court"): 5,
    }
    first = await query(node, "SELECT min(line) AS line FROM quarantine WHERE feed = 'old'")
    assert first[0].line == 8


async def test_long_lines_count_by_their_bytes(node):
    async with node.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO quarantine (feed, format, line, code, detail, raw)"
                " SELECT 'old', 'changes', line, 'duplicate-id', 'x',"
                " decode(repeat('00', 10), 'hex') FROM generate_series(1, 18) AS line"
            )
        )
    await trim(node.engine, None, bytes_max=160)
    assert await lines_of(node) == list(range(3, 19))
