"""Locust users as institutions have them: ticketing, a hotel desk, a travel agency's batches.

    CHECKER_KEY=… locust --locustfile loadtest/locustfile.py --headless --host http://127.0.0.1:8000

The key comes from `CHECKER_KEY`. Subjects are synthetic; an answer of the wrong shape is a failure.
Only a server on this machine is a target.
"""

import os
from collections.abc import Iterator
from itertools import count, islice
from random import Random
from typing import Any
from urllib.parse import urlsplit

from locust import FastHttpUser, between, task
from locust.exception import StopTest

from loadtest.answers import fault_of_batch, fault_of_check
from loadtest.draw import below, pick
from loadtest.generator import LOOPBACK
from loadtest.population import Population

LISTINGS = 1000
CROWD = 5000
LISTED_SHARE = 0.02
TOUR_GROUP = 40
"""Travellers in one coach."""

_TRAINS = ("G79", "D7451", "K511", "Z112", "C7002", "6042")
_SEATS = ("second", "first", "business", "hard_seat", "soft_sleeper")
_user_numbers = count()


class Institution(FastHttpUser):
    """Somebody with a key, and people queueing at the counter."""

    abstract = True
    wait_time = between(0.0, 0.05)

    def on_start(self) -> None:
        """Assign people to each user, the same in each run; refuse a host on another machine."""
        if urlsplit(self.host or "").hostname != LOOPBACK:
            raise StopTest(f"load goes to {LOOPBACK} alone")
        seed = next(_user_numbers)
        self.rng = Random(seed)
        self.queue = self._people(seed)
        self.headers = {"Authorization": f"Bearer {os.environ['CHECKER_KEY']}"}

    @staticmethod
    def _people(seed: int) -> Iterator[dict[str, Any]]:
        while True:
            for subject in Population(seed, LISTINGS).crowd(CROWD, LISTED_SHARE):
                yield subject.request()

    def check(self, service: dict[str, Any]) -> None:
        """Ask about the next in the queue."""
        body = {"subject": next(self.queue), "service": service}
        with self.client.post(
            "/v1/checks", json=body, headers=self.headers, catch_response=True
        ) as response:
            fault = fault_of_check(response.json()) if response.status_code == 200 else None
            if fault:
                response.failure(fault)


class Ticketing(Institution):
    """A railway's or an airline's sales channel: one check a traveller."""

    weight = 6

    @task(3)
    def sell_a_train_ticket(self) -> None:
        """Sell any seat of any train."""
        self.check(
            {"type": "rail", "train": pick(self.rng, _TRAINS), "seat": pick(self.rng, _SEATS)}
        )

    @task(1)
    def sell_a_flight(self) -> None:
        """Sell a flight."""
        self.check({"type": "air", "flight": f"CZ{3000 + below(self.rng, 999)}"})


class HotelDesk(Institution):
    """A hotel's desk at check-in."""

    weight = 3

    @task
    def let_a_room(self) -> None:
        """Let a room in a house of any rating."""
        self.check({"type": "lodging", "star_rating": below(self.rng, 6)})


class TravelAgency(Institution):
    """A travel agency that checks a tour group at once."""

    weight = 1

    @task
    def book_a_group_tour(self) -> None:
        """Book a tour abroad for a coach of people."""
        body = {
            "service": {"type": "outbound_tour", "product": "group_tour"},
            "subjects": list(islice(self.queue, TOUR_GROUP)),
        }
        with self.client.post(
            "/v1/checks/batch", json=body, headers=self.headers, catch_response=True
        ) as response:
            if response.status_code == 200 and (
                fault := fault_of_batch(response.json(), TOUR_GROUP)
            ):
                response.failure(fault)
