"""A batch on a whole node: its answers in order, and the counts that it leaves behind."""

from collections import Counter
from uuid import UUID

import msgspec
import pytest

from cache.counting.tally import MemoryTally
from checker.accounts.keys import AccountRole
from checker.accounts.watch import FishingWatch
from checker.api.answering import CheckHead, ChecksResource
from checker.api.answering_batches import BatchesResource
from checker.api.bodies import Bodies
from checker.api.check_counts import CheckCounts
from checker.api.metrics import Metrics
from checker.domain.fishing import FishingSettings
from checker.operators.action import AT_THE_SERVER
from tests.support.registry_grounds import (
    name_of,
    person_listing,
    publish,
    query,
    resident_id,
    settled,
)

pytestmark = pytest.mark.anyio

AIR = {"type": "air", "flight": "CZ3101"}
RAIL = {"type": "rail", "train": "K511", "seat": "hard_seat"}
LISTED = (1, 2)
PERSONS = 260


class CountedTally(MemoryTally):
    """The tally, which also remembers the notes that came in."""

    def __init__(self, clock):
        super().__init__(clock)
        self.noted = []

    async def add(self, noted, *, regular_from):
        self.noted += noted
        return await super().add(noted, regular_from=regular_from)


class Desk:
    """A batch counter of a node, with everything that counts."""

    def __init__(self, node, key):
        self.key = key
        self.tally = CountedTally(lambda: node.clock.now().timestamp())
        self.watch = FishingWatch(
            tally=self.tally, flags=None, settings=FishingSettings(), clock=node.clock
        )
        self.metrics = Metrics(node.replica)
        counts = CheckCounts(self.metrics, node.audit.tallies, self.watch)
        shared = {
            "quotas": node.quotas,
            "checks": node.checks,
            "receipts": node.receipts,
            "clock": node.clock,
            "counts": counts,
            "bodies": Bodies(),
        }
        answering = ChecksResource(
            key_ring=node.key_ring,
            metrics=self.metrics,
            token_of=node.sealer.document_token,
            body_timeout_s=15.0,
            **shared,
        )
        self.batches = BatchesResource(answering=answering, sealer=node.sealer, **shared)

    async def ask(self, batch):
        async def receive():
            return {"type": "http.request", "body": msgspec.json.encode(batch)}

        head = CheckHead(
            authorization=f"Bearer {self.key}",
            address="",
            content_type="application/json",
            query=b"",
        )
        async with self.batches.created_batch(head, receive, body_bytes=None) as reply:
            assert reply.status == 200, reply.body
            return msgspec.json.decode(reply.body)


@pytest.fixture
async def counter(node):
    role = AccountRole.INSTITUTION
    made = await node.account_keys.create_named(name="counter", role=role, by=AT_THE_SERVER)
    return Desk(node, made.key)


def subject(person):
    return {"document": {"type": "resident_id", "number": resident_id(person)}}


def check_at(place):
    """Return the item of a place: mostly innocents, and some of everything else."""
    if place % 50 == 7:
        return {"subject": subject(place), "service": AIR, "extra": 1}
    person = LISTED[place // 40 % 2] if place % 40 == 0 else 1_000 + place
    sent = {"subject": subject(person), "service": AIR if place % 3 else RAIL}
    if place == 80:
        sent["subject"]["name"] = name_of(9)
    if place % 5 == 0:
        sent["reference"] = f"ORDER-{place}"
    if place in {40, 41}:
        sent["receipt"] = True
    return sent


def expected_of(sent, place):
    if "extra" in sent:
        return None
    if place % 40 or sent["service"] is RAIL:
        return "allow"
    return "review" if place == 80 else "deny"


async def test_every_item_is_answered_in_its_place_and_every_answer_is_counted(node, counter):
    await publish(node, [person_listing(person) for person in LISTED])
    await settled(node)
    sent = [check_at(place) for place in range(PERSONS)]
    expected = [expected_of(each, place) for place, each in enumerate(sent)]
    results = (await counter.ask({"checks": sent}))["results"]
    assert [result.get("decision") for result in results] == expected
    assert [result.get("reference") for result in results] == [
        None if outcome is None else each.get("reference")
        for each, outcome in zip(sent, expected, strict=True)
    ]
    assert [place for place, result in enumerate(results) if "receipt" in result] == [40, 41]
    rows = await query(node, "SELECT id, outcome FROM decision")
    kept = {result["id"] for result in results if result.get("decision") in {"deny", "review"}}
    assert {str(row.id) for row in rows} == kept

    counted = Counter(
        (each["service"]["type"], outcome)
        for each, outcome in zip(sent, expected, strict=True)
        if outcome is not None
    )
    await node.audit.tallies.add()
    tallied = await query(node, "SELECT service, outcome, checks FROM check_tally")
    assert {(row.service, row.outcome): row.checks for row in tallied} == counted
    counter.metrics.flush()
    shown = counter.metrics.exposition().decode()
    for (service, outcome), checks in counted.items():
        line = f'checker_checks_total{{decision="{outcome}",service="{service}"}} {checks}.0'
        assert line in shown
    await counter.watch.flush(lambda _: None)
    [noted] = counter.tally.noted
    assert (noted.items, noted.hits) == (sum(counted.values()), 1)
    assert len(noted.elements) == len(LISTED)


async def test_the_ids_of_a_batch_are_valid_ordered_and_never_shared(node, counter):
    await publish(node, [person_listing(1)])
    await settled(node)
    batch = {"service": AIR, "subjects": [subject(1_000 + at) for at in range(PERSONS)]}
    answers = [await counter.ask(batch) for _ in range(2)]
    ids = [result["id"] for answer in answers for result in answer["results"]]
    assert len(set(ids)) == 2 * PERSONS
    assert ids == sorted(ids)
    assert {(UUID(each).version, UUID(each).variant) for each in ids} == {(7, UUID(ids[0]).variant)}
    assert {str(UUID(each)) for each in ids} == set(ids)


async def test_an_id_does_not_show_who_was_suspected_and_then_allowed(node, counter):
    """An outline holds twelve links. With more, the registry is asked, and it allows."""
    links = [
        person_listing(1, id=f"listing-{at}", published_on=f"2026-01-{at + 1:02d}")
        for at in range(13)
    ]
    await publish(node, links)
    await settled(node)
    batch = {"service": RAIL, "subjects": [subject(person) for person in (2, 1, 3)]}
    results = (await counter.ask(batch))["results"]
    assert [result["decision"] for result in results] == ["allow"] * 3
    assert len({result["id"][:-6] for result in results}) == 1
