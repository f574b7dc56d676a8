"""The list's figures agree with counting by hand."""

import pytest

from checker.domain.clock import shanghai_day
from checker.formats.zxgk import ZXGK
from checker.registry.summary import summarize
from loadtest.circles import Shares
from loadtest.holders import Organization
from loadtest.population import Population
from tests.support.registry_grounds import (
    AT,
    company_listing,
    document,
    feed_of,
    name_of,
    person_listing,
    publish,
    resident_id,
    uscc,
)

pytestmark = pytest.mark.anyio
TODAY = shanghai_day(AT)


async def figures(node):
    summary = await summarize(node.engine, TODAY, node.policies.deadlines)
    return {
        field: getattr(summary, field)
        for field in ("persons", "organizations", "listings", "unresolved_officers", "masked")
    }


async def test_an_empty_registry_counts_nothing_and_has_no_version(node):
    summary = await summarize(node.engine, TODAY, node.policies.deadlines)

    assert summary.version is None
    assert set((await figures(node)).values()) == {0}


async def test_a_party_of_two_listings_is_counted_once_and_an_officer_not_at_all(node):
    masked = resident_id(4)[:10] + "****" + resident_id(4)[14:]
    hidden = person_listing(4)["party"] | {"documents": [document(masked)]}
    code = company_listing(5)["party"] | {"documents": [document(uscc(5)[8:17], "org_code")]}
    unresolved = [{"role": "principal", "name": name_of(9)}] * 2
    await publish(
        node,
        [
            person_listing(1),
            person_listing(1, id="again"),
            person_listing(4, party=hidden),
            company_listing(5, ("principal", 7), ("legal_representative", 8)),
            company_listing(5, id="by code", party=code),
            company_listing(6, officers=unresolved),
        ],
    )

    assert await figures(node) == {
        "persons": 2,
        "organizations": 2,
        "listings": 6,
        "unresolved_officers": 2,
        "masked": 1,
    }


async def test_what_is_no_longer_in_force_is_not_counted(node):
    await publish(node, [company_listing(1, officers=[{"role": "principal", "name": "甲"}])])
    await publish(node, [person_listing(2)])
    summary = await summarize(node.engine, TODAY, node.policies.deadlines)

    assert summary.version.version == 2
    assert (summary.listings, summary.organizations, summary.unresolved_officers) == (1, 0, 0)


async def test_the_figures_of_a_population_are_those_of_counting_it(node):
    population = Population(19, 1_000, shares=Shares(elsewhere=0))
    await node.feed.replace(feed_of(*population.zxgk_lines()), feed_format=ZXGK)
    listings = list(population.listings())
    officers = [shown for listing in listings for shown in listing.officers]
    companies = {
        listing.party.holder.index
        for listing in listings
        if isinstance(listing.party.holder, Organization)
    }
    counted = await figures(node)

    assert counted["listings"] == 1_000
    assert counted["organizations"] == len(companies) > 100
    assert counted["unresolved_officers"] == sum(not each.documents for each in officers) > 10
    assert counted["masked"] == sum(
        shown.is_masked for listing in listings for shown in listing.appearances
    )
