"""Every change by a hand in the database is found, and the first fault names the row."""

import pytest

from checker.journal.chained_table import ChainHead
from checker.node.record import NotedHeads
from tests.integration.record.record_grounds import SPENDERS, chain, spend
from tests.integration.record.record_tricks import NEWEST, TRICKS

pytestmark = pytest.mark.anyio


async def test_a_deployment_in_which_everything_has_happened_has_no_fault(record):
    told = await record.verified()

    assert await record.faults() == []
    assert told.fault_count == 0
    assert told.journal.waiting == 0
    assert told.journal.since is not None
    assert [name for name, count in told.journal.rows.items() if not count] == [
        "listing-end",
        "directive-end",
        "bound-document-end",
        "permit-end",
        "listing-purge",
        "permit-purge",
        "permit_return",
        "removal",
    ]


@pytest.mark.parametrize("trick", TRICKS)
async def test_what_a_hand_in_the_database_does_is_found(record, trick):
    statements, says = TRICKS[trick]
    await record.tamper(*statements)
    await chain(record.engine)

    faults = await record.faults()
    assert faults
    assert says in faults[0], faults[:5]


async def test_entries_that_wait_for_their_links_are_counted_and_no_fault(record):
    [account] = await record.query("SELECT id FROM account WHERE name = 'hotel'")
    await spend(record.engine, record.clock, account.id, SPENDERS[0], 100, "another key")

    told = await record.verified()
    assert (told.fault_count, told.journal.waiting) == (0, 2)


async def test_an_entry_that_is_dropped_before_its_link_is_made_leaves_a_row_that_is_found(record):
    [account] = await record.query("SELECT id FROM account WHERE name = 'hotel'")
    await spend(record.engine, record.clock, account.id, SPENDERS[0], 100, "another key")
    await record.tamper("DELETE FROM journal WHERE number IS NULL")
    await chain(record.engine)

    faults = await record.faults()
    assert "no entry of the journal names it" in faults[0]


async def test_the_newest_entries_cut_off_with_their_rows_are_found_by_a_noted_head(record):
    [account] = await record.query("SELECT id FROM account WHERE name = 'hotel'")
    await spend(record.engine, record.clock, account.id, SPENDERS[0], 100, "another key")
    await chain(record.engine)
    told = await record.verified()
    noted = NotedHeads(
        decisions=ChainHead(
            number=told.decisions.head_number, digest=bytes.fromhex(told.decisions.head_digest)
        ),
        journal=ChainHead(
            number=told.journal.head_number, digest=bytes.fromhex(told.journal.head_digest)
        ),
    )
    assert await record.faults(noted) == []
    await record.tamper(
        f"DELETE FROM journal WHERE number > {told.journal.head_number - 3}",
        f"DELETE FROM authorization_step WHERE authorization_id = {NEWEST}",
        "UPDATE spending_total SET captured_fen = captured_fen - 100 WHERE day = '2026-11-24'",
    )
    faults = await record.faults(noted)
    assert any("its digest is not the one that was noted" in fault for fault in faults)


async def test_a_head_of_the_decisions_alone_is_taken_as_before(record):
    told = await record.verified()
    digest = bytes.fromhex(told.decisions.head_digest)
    head = ChainHead(number=told.decisions.head_number, digest=digest)

    assert await record.faults(NotedHeads(decisions=head)) == []
