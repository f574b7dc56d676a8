"""A random world of listings, checks and endings: who got a decision hears of its end.

The receiver fails half the time, and the process that writes and sends is killed twice meanwhile.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.faults.faulty_service import apply, publisher_of
from tests.support.asking import FLIGHT, ask
from tests.support.notice_receiver import Message, Receiver, receiving
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    OUTAGE_SETTINGS,
    RunningService,
    running_service,
    wait_until,
)
from tests.support.town import document, listing, ndjson, person, resident_id

pytestmark = pytest.mark.xdist_group("more faults")

HOTELS = ("hotel 1", "hotel 2", "hotel 3")
PEOPLE = 8
STEPS = 90
KILLS_AT = (30, 60)
FAILURES_MAX = 4
"""More in a row and the endpoint rests for longer than the test waits."""

Line = dict[str, Any]


@pytest.fixture(scope="module")
def deployment() -> Iterator[RunningService]:
    """One worker on embedded stores, whose notices may go to this machine."""
    with (
        private_folder() as folder,
        running_service(folder, "serve", "--workers", "1", settings=OUTAGE_SETTINGS) as running,
    ):
        running.make_keys(
            dict.fromkeys(HOTELS, ("--role", "institution")) | {"court": ("--role", "court")}
        )
        yield running


class World:
    """The list as it should be, who got which decision, and who is to hear of which end."""

    def __init__(self, draw: random.Random, court: httpx.Client) -> None:
        self.draw = draw
        self.court = court
        self.listed: set[int] = set()
        self.shielded: set[int] = set()
        self.told: dict[tuple[str, int], list[str]] = defaultdict(list)
        self.expected: list[tuple[str, str, str, tuple[str, ...]]] = []

    def number(self, index: int) -> str:
        return resident_id("440882", "18930203", index)

    def ask(self, hotel: str, client: httpx.Client) -> None:
        """Ask about somebody; whoever is refused is remembered."""
        index = self.draw.randrange(PEOPLE)
        answer = ask(client, self.number(index), FLIGHT)
        is_restricted = index in self.listed - self.shielded
        assert answer["decision"] == ("deny" if is_restricted else "allow")
        if is_restricted:
            self.told[hotel, index].append(answer["id"])

    def change(self) -> None:
        """Do something legal to one listing, or replace the whole list by what is left of it."""
        index = self.draw.randrange(PEOPLE)
        if index not in self.listed:
            self.listed.add(index)
            apply(self.court, {"op": "list", "listing": self.listing(index)})
            return
        match self.draw.choice(("delist", "shield", "drop")):
            case "delist":
                ground = self.draw.choice(("fulfilled", "settled", "terminated", "corrected"))
                apply(self.court, {**self.about(index, "delist"), "ground": ground})
                self.end(index, ground)
            case "drop":
                left = [self.listing(each) for each in sorted(self.listed - {index})]
                self.court.put(
                    "/v1/feed/snapshot", content=ndjson(left), params={"allow_shrink": "true"}
                ).raise_for_status()
                self.end(index, "removed")
            case _ if index in self.shielded:
                self.shielded.discard(index)
                apply(self.court, self.about(index, "unshield"))
            case _:
                self.shielded.add(index)
                apply(self.court, self.about(index, "shield"))
                self.hears(index, "shielded")

    def end(self, index: int, ground: str) -> None:
        self.hears(index, ground)
        self.listed.discard(index)
        self.shielded.discard(index)
        for hotel in HOTELS:
            self.told.pop((hotel, index), None)

    def hears(self, index: int, ground: str) -> None:
        for hotel in HOTELS:
            if decisions := self.told.get((hotel, index)):
                self.expected.append((hotel, f"world-{index}", ground, tuple(decisions)))

    def listing(self, index: int) -> Line:
        return listing(f"world-{index}", person(f"世人{index}", document(self.number(index))))

    def about(self, index: int, op: str) -> Line:
        return {"op": op, "listing_id": f"world-{index}"}


def heard(receiver: Receiver) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Return the acknowledged events, each once, in the order of their first acknowledgement."""
    with receiver.changed:
        messages = list(receiver.acknowledged)
    once = {each.headers["webhook-id"]: each for each in reversed(messages)}
    first = [each for each in messages if once[each.headers["webhook-id"]] is each]
    return [
        (
            f"hotel {each.path[1:]}",
            each.data["listing_id"],
            each.data["ground"],
            tuple(each.data["decision_ids"]),
        )
        for each in first
    ]


def by_listing(
    told: list[tuple[str, str, str, tuple[str, ...]]],
) -> dict[tuple[str, str], list[tuple[str, tuple[str, ...]]]]:
    found = defaultdict(list)
    for hotel, listing_id, ground, decisions in told:
        found[hotel, listing_id].append((ground, decisions))
    return found


def test_all_who_were_told_hear_of_each_end_through_failures_and_kills(
    deployment: RunningService, seed: int
) -> None:
    draw, coin = random.Random(seed), random.Random(seed)

    in_a_row: dict[str, int] = defaultdict(int)

    def answer(message: Message) -> int:
        """Fail half the time, but no endpoint more than `FAILURES_MAX` times in a row."""
        fails = in_a_row[message.path] < FAILURES_MAX and coin.random() < 0.5
        in_a_row[message.path] = in_a_row[message.path] + 1 if fails else 0
        return 500 if fails else 200

    with receiving(answer) as receiver, deployment.client(deployment.keys["court"]) as court:
        hotels = {name: deployment.client(deployment.keys[name]) for name in HOTELS}
        secrets = {
            f"/{name[-1]}": hotels[name]
            .put("/v1/webhook", json={"url": f"{receiver.url}/{name[-1]}"})
            .json()["secret"]
            for name in HOTELS
        }
        court.put("/v1/feed/snapshot", params={"allow_empty": "true"}).raise_for_status()
        world = World(draw, court)
        for step in range(STEPS):
            if step in KILLS_AT:
                publisher_of(deployment).kill()
            if draw.random() < 0.35:
                world.change()
            else:
                name = draw.choice(HOTELS)
                world.ask(name, hotels[name])
        wait_until(lambda: len(heard(receiver)) >= len(world.expected))
        wait_until(lambda: all(is_quiet(client) for client in hotels.values()))
        assert by_listing(heard(receiver)) == by_listing(world.expected)
        assert len(world.expected) > 5
        for message in receiver.messages:
            assert Webhook(secrets[message.path]).verify(message.body, message.headers)
        for name, client in hotels.items():
            assert feed_of(client) == [each[1:] for each in world.expected if each[0] == name]
            client.close()


def is_quiet(client: httpx.Client) -> bool:
    pending: int = client.get("/v1/webhook").json()["pending"]
    return pending == 0


def feed_of(client: httpx.Client) -> list[tuple[str, str, tuple[str, ...]]]:
    events = client.get("/v1/notices", params={"limit": "1000"}).json()["notices"]
    return [
        (each["data"]["listing_id"], each["data"]["ground"], tuple(each["data"]["decision_ids"]))
        for each in events
    ]
