"""Personal data goes when its term is over, the record still verifies, and nobody comes back."""

from datetime import date

import pytest
from sqlalchemy import text

from checker.corrections.correction import Ruling
from checker.database.locks import Lock, hold_to_commit
from checker.domain.retention import RetentionSettings
from checker.errors import NotFound
from checker.journal.faults import Faults
from checker.node.record import NotedHeads, verify_record
from checker.publication.outlines_verified import verify_outlines
from checker.registry.entry import RejectCode
from checker.registry.listing_search import find_listings_of
from checker.retention.keeper import RetentionKeeper
from tests.integration.registry.correction_filings import about, listed_for_correction, rule
from tests.support.operation_lines import delist, list_, officers, permit, retain, shield
from tests.support.registry_grounds import (
    accepted,
    apply,
    company_listing,
    document,
    outcome_of,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio

TERMS = RetentionSettings(
    listing_days=100,
    permit_days=100,
    correction_days=100,
    corrected_line_days=30,
    rejected_line_days=100,
)
AIR = "cn-2016-64/2.7.1"


def keeper(node):
    return RetentionKeeper(node.work_engine, node.sealer.vault, node.clock, TERMS)


async def removed(node):
    """Remove what is over; return the kinds of which something was removed."""
    found = await keeper(node).remove_all()
    return {kind: count for kind, count in found.items() if count}


async def faults_of(node):
    verified = await verify_record(node.work_engine, node.sealer, NotedHeads())
    faults = Faults()
    async with node.work_engine.connect() as connection:
        await verify_outlines(connection, faults)
    return [*verified.journal.faults, *faults.first]


async def personal(node):
    """Return the ids of the listings of which something personal is there."""
    rows = await query(
        node,
        "SELECT DISTINCT listing.id FROM listing LEFT JOIN document ON listing_pk = listing.pk"
        " LEFT JOIN officer_link o ON o.listing_pk = listing.pk"
        " WHERE document.token IS NOT NULL OR o.pk IS NOT NULL OR party_name <> ''"
        " OR case_number <> '' ORDER BY id",
    )
    return [row.id for row in rows]


def masked(index):
    number = resident_id(index)
    listing = person_listing(index)
    hidden = document(number[:10] + "****" + number[14:])
    return listing | {"party": listing["party"] | {"documents": [hidden]}}


async def everybody(node):
    """Listings that end in every way: 1 to 6 are over on 23 November, and 7 and 8 are not."""
    await publish(
        node,
        [
            masked(1),
            person_listing(2),
            person_listing(3),
            person_listing(4, expires_on="2026-11-24"),
            company_listing(5, ("principal", 9)),
            person_listing(6),
            person_listing(7),
            person_listing(8),
        ],
    )
    await accepted(
        node,
        delist(1),
        delist(2, on="2026-11-24"),
        delist(3, "settled"),
        delist(5),
        retain(6, AIR, until="2026-11-25"),
        delist(6),
        retain(7, AIR, until="2027-12-31"),
        delist(7),
    )
    await settled(node)


async def test_listings_that_are_over_lose_what_is_personal_and_the_record_verifies(node):
    await everybody(node)
    node.clock.move(days=100)
    # Delisted on its day, expired and kept until a later day: the terms of 2, 4 and 6 still run.
    assert await removed(node) == {}
    node.clock.move(days=1)
    assert await removed(node) == {"listings": 3}
    assert await personal(node) == [f"listing-{each}" for each in (2, 4, 6, 7, 8)]
    node.clock.move(days=5)
    assert await removed(node) == {"listings": 3}
    assert await personal(node) == ["listing-7", "listing-8"]
    assert await faults_of(node) == []
    await settled(node)
    outcomes = {each: await outcome_of(node, each) for each in range(1, 9)}
    assert outcomes == dict.fromkeys(range(1, 7), "allow") | {7: "deny", 8: "deny"}
    assert await removed(node) == {}


async def test_a_purged_listing_is_known_and_an_old_operation_changes_nothing(node):
    await everybody(node)
    node.clock.move(days=106)
    await removed(node)
    again = [delist(each) for each in (1, 2, 3, 5)]
    assert (await apply(node, *again)).rejected == ()
    rejected = (await apply(node, shield(1), officers(5, []), shield(2))).rejected
    assert [each.code for each in rejected] == [RejectCode.LISTING_ENDED] * 3
    assert await query(node, "SELECT id FROM listing WHERE digest = '' AND purged_at IS NULL") == []
    [(version,)] = await query(node, "SELECT max(version) FROM change")
    await accepted(node, list_(person_listing(4)), list_(person_listing(1)))
    assert await outcome_of(node, 4) == await outcome_of(node, 1) == "deny"
    endings = "SELECT listing_id FROM ending WHERE version > :version"
    assert await query(node, endings, version=version) == []
    assert await faults_of(node) == []
    number, today = person_listing(3)["case_number"], date(2027, 3, 1)
    found = await find_listings_of(node.engine, node.sealer.vault, number, today)
    assert found == ()


async def test_a_row_that_somebody_else_emptied_is_found(node):
    await everybody(node)
    node.clock.move(days=101)
    await removed(node)
    for statement in (
        "UPDATE listing SET purged_at = now(), case_number = '' WHERE id = 'listing-8'",
        "UPDATE listing SET purged_at = NULL WHERE id = 'listing-3'",
        "UPDATE listing SET case_number = 'x' WHERE id = 'listing-5'",
    ):
        before = await faults_of(node)
        async with node.work_engine.begin() as connection:
            await connection.execute(text(statement))
        assert len(await faults_of(node)) > len(before), statement


async def test_a_permit_that_is_over_is_emptied_and_not_granted_anew(node):
    await publish(node, [person_listing(1)])
    granted = permit(valid_until="2026-11-24", uses=2)
    await accepted(node, granted, permit("permit-2", valid_until="2026-12-31"))
    assert await outcome_of(node, 1) == "allow"
    node.clock.move(days=102)
    assert await removed(node) == {"permits": 1}
    [(number, token, ground)] = await query(
        node, "SELECT number, token, ground FROM permit WHERE id = 'permit-1'"
    )
    assert (number, token, len(ground)) == (b"", b"", 0)
    assert (await apply(node, granted)).rejected == ()
    assert (await apply(node, permit(valid_until="2027-12-31"))).rejected[0].code == "id-taken"
    assert await outcome_of(node, 1) == "deny"
    assert await faults_of(node) == []


async def test_a_correction_goes_with_its_term_after_the_ruling(node):
    await listed_for_correction(node)
    without_journal = await faults_of(node)
    ruled, open_ = [await node.corrections.file(about(each)) for each in (1, 2)]
    await rule(node, ruled, Ruling.REJECTED)
    node.clock.move(days=100)
    assert await removed(node) == {}
    node.clock.move(days=1)
    assert await removed(node) == {"corrections": 1}
    with pytest.raises(NotFound):
        await node.corrections.find(ruled.id)
    assert (await node.corrections.find(open_.id)).id == open_.id
    assert await faults_of(node) == without_journal
    async with node.work_engine.begin() as connection:
        await connection.execute(text("DELETE FROM correction_listing"))
        await connection.execute(text("DELETE FROM correction"))
    assert len(await faults_of(node)) == len(without_journal) + 1


async def test_rejected_lines_go_with_their_terms(node):
    await publish(node, [person_listing(1)])
    await apply(node, list_(person_listing(2) | {"court": ""}), {"op": "nothing"})
    [(first,), _] = await query(node, "SELECT pk FROM quarantine ORDER BY pk")
    [(version,)] = await query(node, "SELECT max(version) FROM change")
    async with node.work_engine.begin() as connection:
        await connection.execute(
            text("UPDATE quarantine SET resolved_version = :version WHERE pk = :pk"),
            {"version": version, "pk": first},
        )
        await connection.execute(text("UPDATE quarantine SET at = :at"), {"at": node.clock.now()})
    for days, count in ((30, 0), (1, 1), (69, 0), (1, 1)):
        node.clock.move(days=days)
        assert (await removed(node)).get("rejected lines", 0) == count


async def test_two_keepers_at_once_remove_each_row_once(node):
    await everybody(node)
    node.clock.move(days=101)
    async with node.work_engine.begin() as connection:
        await hold_to_commit(connection, Lock.RETENTION)
        assert await removed(node) == {}
    assert await removed(node) == {"listings": 3}


async def test_a_change_by_a_clock_that_was_wrong_ends_no_term(node):
    await publish(node, [person_listing(1), person_listing(2), person_listing(3)])
    await accepted(node, delist(1))
    node.clock.move(days=-400)
    await accepted(node, delist(2))
    node.clock.move(days=400)
    assert await removed(node) == {}
    node.clock.move(days=101)
    assert await removed(node) == {"listings": 2}
