"""A court's account changes only the listings of its courts, by changes and by snapshots."""

import asyncio
import functools

import pytest

from checker.accounts.keys import AccountRole
from checker.accounts.scope import AccountScope
from checker.corrections.correction import Ruling
from checker.corrections.intake import Filing
from checker.domain.court import Courts
from checker.errors import Conflict, InvalidRequest, NotFound
from checker.intake.feed_requests import FeedTerms
from checker.intake.quarantine import LineViewer
from checker.operators.action import AT_THE_SERVER
from tests.support.operation_lines import (
    delist,
    fulfil,
    list_,
    officers,
    permit,
    retain,
    shield,
    unshield,
    withdraw,
)
from tests.support.registry_grounds import (
    COURT,
    accepted,
    apply,
    company_listing,
    listings_in_force,
    outcome_of,
    person_listing,
    publish,
    query,
)

pytestmark = pytest.mark.anyio
OTHER = "徐闻县人民法院"
OWN = FeedTerms(courts=Courts([COURT]))
OTHERS = FeedTerms(courts=Courts([OTHER]))


def of_other(index, **changes):
    return person_listing(index, court=OTHER, **changes)


@pytest.fixture
async def listed(node):
    """Three listings of one court, and three of another."""
    own = [person_listing(1), person_listing(2), company_listing(3, ("principal", 7))]
    others = [of_other(4), of_other(5), company_listing(6, ("principal", 8), court=OTHER)]
    await publish(node, [*own, *others])
    await accepted(node, permit("theirs", index=5, court=OTHER))
    return node


def codes(report):
    return [line.code for line in report.rejected]


async def test_an_operation_on_another_courts_listing_or_permit_is_not_yours(listed):
    foreign = [
        delist(4),
        shield(4),
        unshield(4),
        fulfil(4),
        officers(6, []),
        retain(4, "cn-2016-64/2.7.1", until="2027-01-01"),
        list_(of_other(4, public=False)),
        list_(person_listing(4)),
        list_(of_other(9)),
        permit("new", index=1, court=OTHER),
        permit("theirs", index=5),
        withdraw("theirs"),
    ]
    before = await listings_in_force(listed)
    [[version]] = await query(listed, "SELECT max(version) FROM change")
    report = await apply(listed, *foreign, terms=OWN)
    assert codes(report) == ["not-yours"] * len(foreign)
    assert await listings_in_force(listed) == before
    later = "SELECT count(*) FROM {} WHERE from_version > :version OR until_version > :version"
    for table in ("listing", "directive", "permit"):
        assert await query(listed, later.format(table), version=version) == [(0,)]


async def test_a_court_changes_its_own_listings_and_binds_documents(listed):
    bound = {
        "op": "bind",
        "documents": [each["party"]["documents"][0] for each in map(person_listing, (1, 9))],
    }
    report = await apply(listed, shield(1), delist(2), permit(), withdraw(), bound, terms=OWN)
    assert (codes(report), report.accepted) == ([], 5)
    unknown = await apply(listed, delist(99), withdraw("none"), terms=OWN)
    assert codes(unknown) == ["unknown-listing", "unknown-permit"]


@pytest.mark.parametrize("spelled", ["雷州市 人民法院", "雷州市人民法院\u3000", "雷州市\n人民法院"])
async def test_the_names_of_courts_are_compared_without_spaces(listed, spelled):
    report = await apply(listed, delist(1), terms=FeedTerms(courts=Courts([spelled])))
    assert codes(report) == []
    again = await apply(listed, list_(person_listing(2, court=spelled.strip())), terms=OWN)
    assert codes(again) == []


async def test_a_snapshot_of_a_court_replaces_its_part_alone(listed):
    report = await publish(listed, [person_listing(1), person_listing(10)], terms=OWN)
    assert (report.accepted, codes(report)) == (2, [])
    assert await listings_in_force(listed) == {
        "listing-1",
        "listing-10",
        "listing-4",
        "listing-5",
        "listing-6",
    }
    assert [await outcome_of(listed, index) for index in (1, 10, 4)] == ["deny"] * 3
    assert [await outcome_of(listed, index) for index in (2, 7)] == ["allow"] * 2
    await publish(listed, [person_listing(1)], allow_shrink=True)
    assert await listings_in_force(listed) == {"listing-1"}, "the platform replaces the whole list"


async def test_lines_of_other_courts_in_a_courts_snapshot_are_not_yours(listed):
    lines = [
        person_listing(1),
        of_other(4),
        person_listing(9, id="listing-5"),
        of_other(11),
        person_listing(2),
        company_listing(3, ("principal", 7)),
    ]
    report = await publish(listed, lines, terms=OWN, allow_rejected=True)
    assert report.accepted == 3
    assert [(line.line, line.code) for line in report.rejected] == [
        (2, "not-yours"),
        (3, "not-yours"),
        (4, "not-yours"),
    ]
    assert await listings_in_force(listed) == {f"listing-{index}" for index in range(1, 7)}


async def test_a_courts_snapshot_is_compared_with_its_own_part(listed):
    with pytest.raises(InvalidRequest):
        await publish(listed, [], terms=OWN)
    with pytest.raises(Conflict, match="1 listings would replace 3"):
        await publish(listed, [person_listing(1)], terms=OWN)
    await publish(listed, [], terms=OWN, allow_empty=True)
    assert await listings_in_force(listed) == {"listing-4", "listing-5", "listing-6"}
    await publish(listed, [person_listing(1)], terms=OWN)


async def test_the_directives_of_other_courts_stay_through_a_courts_snapshot(listed, clock):
    await accepted(listed, shield(4), delist(5, on="2026-11-25"), fulfil(6))
    clock.move(days=3)  # the delisting has ended what the next whole list would begin anew
    own = [person_listing(1), person_listing(2), company_listing(3, ("principal", 7))]
    await publish(listed, [*own, person_listing(10)], terms=OWN)
    assert [await outcome_of(listed, index) for index in (4, 5)] == ["allow"] * 2
    kinds = await query(listed, "SELECT kind FROM directive WHERE until_version IS NULL")
    assert sorted(kind for [kind] in kinds) == ["delisting", "fulfilment", "shielding"]


async def test_snapshots_of_two_courts_at_once_both_stand(listed):
    own = [person_listing(index) for index in range(10, 40)]
    others = [of_other(index) for index in range(40, 70)]
    for _ in range(2):
        reports = await asyncio.gather(
            publish(listed, own, terms=OWN), publish(listed, others, terms=OTHERS)
        )
        assert [report.accepted for report in reports] == [30, 30]
    assert await listings_in_force(listed) == {f"listing-{index}" for index in range(10, 70)}
    assert [await outcome_of(listed, index) for index in (10, 69)] == ["deny"] * 2
    assert [await outcome_of(listed, index) for index in (1, 4)] == ["allow"] * 2


async def test_a_bound_court_sees_and_retries_its_own_quarantined_lines_alone(listed):
    made = [
        await listed.accounts.create(
            name=name, role=AccountRole.COURT, scope=AccountScope(courts=(name,)), by=AT_THE_SERVER
        )
        for name in (COURT, OTHER)
    ]
    own, other = (LineViewer(account_id=each.id, courts=Courts(each.scope.courts)) for each in made)
    await apply(listed, delist(20), terms=FeedTerms(account_id=own.account_id, courts=own.courts))
    await accepted(listed, list_(of_other(20)))
    [line] = await listed.quarantine.open_lines(0, 10, own)
    assert await listed.quarantine.open_lines(0, 10, other) == ()
    with pytest.raises(NotFound):
        await listed.quarantine.retry([line.id], other)
    report = await listed.quarantine.retry([line.id], own)
    assert codes(report) == ["not-yours"]
    assert "listing-20" in await listings_in_force(listed)


async def test_a_bound_court_sees_and_rules_on_corrections_of_its_own_listings_alone(listed):
    corrections = listed.corrections
    filed = [
        await corrections.file(
            Filing(
                listing_id=f"listing-{index}",
                decision_id=None,
                ground="已履行",
                contact="someone@example.com",
                account_id=None,
                sees_all=True,
            )
        )
        for index in (1, 4)
    ]
    made = await listed.accounts.create(
        name="court", role=AccountRole.COURT, scope=AccountScope(courts=(COURT,)), by=AT_THE_SERVER
    )
    courts = Courts([COURT])
    assert [each.id for each in await corrections.page(None, 0, 10, courts)] == [filed[0].id]
    assert len(await corrections.page(None, 0, 10)) == 2
    for ruling in Ruling:
        with pytest.raises(NotFound):
            await corrections.rule(filed[1].id, ruling, ruled_by=made.id, courts=courts)
    ruled = await corrections.rule(filed[0].id, Ruling.UPHELD, ruled_by=made.id, courts=courts)
    assert ruled.ruling is Ruling.UPHELD
    assert await outcome_of(listed, 1) == "allow"
    assert await outcome_of(listed, 4) == "deny"


async def test_only_a_courts_account_has_courts(node):
    scope = AccountScope(courts=(COURT,))
    with pytest.raises(InvalidRequest):
        await node.accounts.create(
            name="hotel", role=AccountRole.INSTITUTION, scope=scope, by=AT_THE_SERVER
        )
    create = functools.partial(node.account_keys.create_named, by=AT_THE_SERVER)
    with pytest.raises(InvalidRequest):
        await create(name="hotel", role=AccountRole.INSTITUTION, courts=(COURT,))
    await create(name="court", role=AccountRole.COURT, courts=(COURT,))
    await create(name="court", role=AccountRole.COURT)
    await create(name="court", role=AccountRole.COURT, courts=("雷州市 人民法院",))
    with pytest.raises(Conflict):
        await create(name="court", role=AccountRole.COURT, courts=(OTHER,))
    assert (await node.accounts.named("court")).scope.courts == (COURT,)
