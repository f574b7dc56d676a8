"""Any sequence of snapshots, operations and losses: both caches of one registry answer as a model.

The node's cache and replica are brought along change by change; the twin's are built anew from the
registry after each step. So what operations leave in the outlines is what a rebuild finds.
"""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cache.memory import MemoryStandingCache, MemoryStore
from cache.memory_list_writer import MemoryListWriter
from cache.memory_replica_source import MemoryReplicaSource
from cache.replica_keeper import ReplicaKeeper
from checker.checks.checks import Checks
from checker.checks.registry_check import RegistryCheck
from checker.domain.clock import shanghai_day
from checker.domain.service import Air, RealEstate
from checker.domain.service_terms import Transaction
from checker.publication.generation_build import build_generation
from checker.publication.registry_lease import RegistryWord
from checker.registry.shape_markers import MARKERS
from checker.registry.versions import newest_version
from tests.support.registry_grounds import (
    AT,
    TOKEN_KEYS,
    accepted,
    check_of,
    company_listing,
    document,
    name_of,
    person_listing,
    publish,
    resident_id,
    settled,
    with_token,
)

pytestmark = pytest.mark.anyio

TODAY = shanghai_day(AT)
PEOPLE = range(5)
ROLES = ("legal_representative", "principal", "actual_controller", "directly_responsible")
AIR = Air(flight="CZ3101")
FOR_DEBTORS = RealEstate(transaction=Transaction.RESOURCE_DEVELOPMENT)

MASKS = [(10, 14), (6, 14), (14, 18), (0, 8), (11, 12)]
"""The hidden characters of a number: of each shape, and of a shape in part."""
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
        first, past = draw(st.sampled_from(MASKS))
        number = resident_id(index)
        hidden = number[:first] + "*" * (past - first) + number[past:]
        listing["party"] = listing["party"] | {"documents": [document(hidden)]}
    return listing


ids = st.sampled_from("abcdefghijklmnop")
lists = st.lists(a_listing(), max_size=16, unique_by=lambda listing: listing["id"])
directed = st.tuples(st.sampled_from(["delist", "shield", "unshield"]), ids)
operations = st.lists(directed | a_listing(), min_size=1, max_size=6)
steps = st.lists(
    st.tuples(st.just("snapshot"), lists)
    | st.tuples(st.just("operations"), operations)
    | st.tuples(st.sampled_from(["Redis is emptied", "a rebuild"]), st.none()),
    max_size=4,
)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=lists, then=steps)
async def test_checks_agree_with_a_naive_model_whatever_happened_before(
    node, redis_client, first, then
):
    clerk = Clerk()
    # A listing that the example before has shielded begins anew.
    await publish(node, [], allow_empty=True)
    for kind, content in (("snapshot", first), *then):
        match kind:
            case "Redis is emptied":
                redis_client.flushall()
            case "a rebuild":
                await node.publisher.rebuild_now()
            case "snapshot":
                clerk.replace(content)
                await publish(node, content, allow_empty=True, allow_shrink=True)
            case "operations":
                known = [each for each in content if clerk.takes(each)]
                await accepted(node, *map(sent, known))
        await agrees(node.sealer, node.checks, clerk)
        await agrees(node.sealer, (await settled(node)).checks, clerk)
        await agrees(node.sealer, await twin_of(node), clerk)


class Clerk:
    """The list as a clerk keeps it: by id, and which of it is shielded."""

    def __init__(self):
        self._listings = {}
        self._shielded = set()

    @property
    def listed(self):
        return [
            each for listing_id, each in self._listings.items() if listing_id not in self._shielded
        ]

    def replace(self, listings):
        """A listing that a snapshot names again stays shielded; a dropped one begins anew later."""
        self._listings = {each["id"]: each for each in listings}
        self._shielded &= self._listings.keys()

    def takes(self, operation):
        """Do what an operation says; False: it is about a listing that is not there."""
        if isinstance(operation, dict):
            self._listings[operation["id"]] = operation
            return True
        verb, listing_id = operation
        if listing_id not in self._listings:
            return False
        match verb:
            case "delist":
                del self._listings[listing_id]
                self._shielded.discard(listing_id)
            case "shield":
                self._shielded.add(listing_id)
            case "unshield":
                self._shielded.discard(listing_id)
        return True


def sent(operation):
    """An operation as a line of the feed."""
    if isinstance(operation, dict):
        return {"op": "list", "listing": operation}
    verb, listing_id = operation
    ground = {"ground": "settled"} if verb == "delist" else {}
    return {"op": verb, "listing_id": listing_id} | ground


async def agrees(sealer, checks, clerk):
    for service in (AIR, FOR_DEBTORS):
        for name in (name_of, lambda _: None, lambda _: "别人"):
            asked = [
                with_token(sealer, check_of(resident_id(index), name(index), service=service))
                for index in PEOPLE
            ]
            expected = [
                modelled(clerk.listed, index, name(index), service is FOR_DEBTORS)
                for index in PEOPLE
            ]
            assert await told(checks, asked) == expected


async def twin_of(node):
    """The same node on a cache in memory that is built anew, with its replica loaded."""
    memory = MemoryStore()
    cache = MemoryStandingCache(memory, token_keys=TOKEN_KEYS)
    list_writer = MemoryListWriter(memory, token_keys=TOKEN_KEYS)
    async with node.work_engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        version = await newest_version(connection)
        generation = await build_generation(connection, cache, version, TOKEN_KEYS)
    await cache.switch(generation)
    replica_source = MemoryReplicaSource(memory, token_keys=TOKEN_KEYS)
    replica = ReplicaKeeper(
        "twin", replica_source, RegistryWord(node.engine).renew, markers=MARKERS
    )
    while not replica.holds_lease:
        assert await list_writer.vouch(generation, version.position, asked_ms_ago=0)
        await replica.read_once()
    return Checks(
        replica=replica,
        cache=cache,
        registry=RegistryCheck(engine=node.engine, sealer=node.sealer, policies=node.policies),
        sealer=node.sealer,
        policies=node.policies,
        clock=node.clock,
        stale_after_ms=node.config.list.stale_after_ms,
        report_incomplete=_never,
    )


def _never():
    raise AssertionError("nothing of the twin's cache is missing")


async def told(checks, asked):
    decided = await checks.decide(asked, account_id=None)
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
    agrees = all(known in {"*", each} for known, each in zip(shown, asked, strict=True))
    if "*" in shown and agrees and name == holder["name"]:
        return "masked_match"
    return None
