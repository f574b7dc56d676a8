"""Any sequence of snapshots and losses: both caches, built from one registry, answer as a model."""

import time
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_grounds import (
    AT,
    FINGERPRINT,
    FixedClock,
    check_of,
    company_listing,
    document,
    name_of,
    person_listing,
    publish,
    resident_id,
)

from cache.breaker import Breaker
from cache.memory import Memory, MemoryStandingCache
from checker.checks.checks import Checks
from checker.domain.clock import shanghai_day
from checker.domain.service import Air, RealEstate
from checker.domain.service_terms import Transaction
from checker.registry.publisher import Publisher

pytestmark = pytest.mark.anyio

TODAY = shanghai_day(AT)
PEOPLE = range(5)
ROLES = ("legal_representative", "principal", "actual_controller", "directly_responsible")
AIR = Air(flight="CZ3101")
FOR_DEBTORS = RealEstate(transaction=Transaction.RESOURCE_DEVELOPMENT)

days = st.sampled_from([None, *(TODAY + timedelta(days=offset) for offset in (-9, -1, 0, 1, 9))])
officers = st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(PEOPLE)), max_size=4)


@st.composite
def a_listing(draw):
    """A listing as an object of the feed, valid and of few people."""
    starts_on, ends_on = draw(days), draw(days)
    if starts_on is not None and ends_on is not None and ends_on <= starts_on:
        ends_on = None
    term = {
        "published_on": None if starts_on is None else starts_on.isoformat(),
        "expires_on": None if ends_on is None else ends_on.isoformat(),
    }
    index = draw(st.sampled_from(PEOPLE))
    if draw(st.booleans()):
        return company_listing(index, *draw(officers), **term, id=draw(ids))
    listing = person_listing(index, **term, id=draw(ids))
    if draw(st.booleans()):
        number = resident_id(index)
        hidden = number[:10] + "****" + number[14:]
        listing["party"] = listing["party"] | {"documents": [document(hidden)]}
    return listing


ids = st.sampled_from("abcdefghijklmnop")
lists = st.lists(a_listing(), max_size=16, unique_by=lambda listing: listing["id"])
steps = st.lists(lists | st.sampled_from(["redis is emptied", "a rebuild"]), max_size=3)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=lists, then=steps)
async def test_checks_agree_with_a_naive_model_whatever_happened_before(
    node, redis_client, first, then
):
    twin = Twin(node)
    listed = first
    for step in (first, *then):
        match step:
            case "redis is emptied":
                redis_client.flushall()
                twin.empty()
            case "a rebuild":
                await node.publisher.rebuild()
                await twin.publisher.rebuild()
            case _:
                listed = step
                await publish(node, listed, allow_empty=True)
                await twin.publisher.look()
        for service in (AIR, FOR_DEBTORS):
            for name in (name_of, lambda _: None, lambda _: "别人"):
                asked = [
                    check_of(resident_id(index), name(index), service=service) for index in PEOPLE
                ]
                expected = [
                    modelled(listed, index, name(index), service is FOR_DEBTORS) for index in PEOPLE
                ]
                assert await told(node.checks, asked) == expected
                assert await told(twin.checks, asked) == expected
        await node.publisher.look()
        await twin.publisher.look()


class Twin:
    """The same node on a cache in memory."""

    def __init__(self, node):
        self._memory = Memory()
        cache = MemoryStandingCache(self._memory, token_key=FINGERPRINT)
        self.publisher = Publisher(node.work_engine, cache, FINGERPRINT)
        self.checks = Checks(
            cache=cache,
            engine=node.engine,
            sealer=node.sealer,
            publisher=self.publisher,
            policies=node.policies,
            clock=FixedClock(AT),
            registry_breaker=Breaker(clock=time.monotonic, pause_s=0),
            stale_after_ms=node.config.list.stale_after_ms,
        )

    def empty(self):
        for name in self._memory.names():
            self._memory.remove(name)


async def told(checks, asked):
    decided = await checks.decide(asked)
    return [
        (decision.outcome.value, sorted((r.code.value, r.role.value) for r in decision.reasons))
        for decision in decided.decisions
    ]


def modelled(listed, index, name, is_for_debtors):
    """Go through the whole list for one person, as a clerk would."""
    reasons = []
    for listing in listed:
        if not _covers(listing, TODAY):
            continue
        shown = [("debtor", listing["party"])]
        shown += [(officer["role"], officer) for officer in listing.get("officers", ())]
        # An officer who stands twice in one listing is reached by it once.
        reasons += {
            (code, role)
            for role, holder in shown
            if (code := _code(holder, index, name)) and (role == "debtor" or not is_for_debtors)
        }
    outcome = "allow"
    if reasons:
        outcome = "deny" if any(code == "restricted" for code, _ in reasons) else "review"
    return outcome, sorted(reasons)


def _covers(listing, day):
    starts_on, ends_on = listing["published_on"], listing["expires_on"]
    return (starts_on is None or date.fromisoformat(starts_on) <= day) and (
        ends_on is None or day < date.fromisoformat(ends_on)
    )


def _code(holder, index, name):
    [shown] = [shown["number"] for shown in holder["documents"]]
    if shown == resident_id(index):
        return "restricted" if name in (None, holder["name"]) else "name_mismatch"
    asked = resident_id(index)
    if "*" in shown and shown == asked[:10] + "****" + asked[14:] and name == holder["name"]:
        return "masked_match"
    return None
