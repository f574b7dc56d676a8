"""The sellers: a ticket rush, a hotel's evening, manifests, a school's enrolment day."""

from time import perf_counter

import gevent
from gevent.pool import Pool
from locust import between, constant, task

from loadtest.draw import below
from loadtest.scenarios.institution import Institution

BURST_MAX = 30
FAMILY_MAX = 5
COACH = 40
MANIFEST = 400
UNDER_WAY_MAX = 500
"""More questions than these at once mean that the server has stopped to answer."""


class TicketRush(Institution):
    """A ticket channel when a sale opens: bursts of single travellers, and families."""

    weight = 6
    wait_time = between(0.2, 1.5)

    @task(6)
    def sell_a_burst_of_tickets(self) -> None:
        """Sell tickets one after the other without a pause."""
        for _ in range(1 + below(self.rng, BURST_MAX)):
            self.sell("rail", "rush: a ticket")

    @task(3)
    def book_a_family(self) -> None:
        """Book a family in one batch."""
        size = 2 + below(self.rng, FAMILY_MAX - 1)
        self.ask_many(self.sales("rail", size), "rush: a family")

    @task(1)
    def sell_a_flight(self) -> None:
        """Sell a flight."""
        self.sell("air", "rush: a flight")


class HotelEvening(Institution):
    """A hotel's desk in the evening: guests who arrive alone, and at times a group."""

    weight = 3
    wait_time = between(0.05, 0.6)

    @task(9)
    def let_a_room(self) -> None:
        """Let a room."""
        self.sell("lodging", "hotel: a room")

    @task(1)
    def let_rooms_to_a_group(self) -> None:
        """Let rooms to a group that booked together."""
        self.ask_many(self.sales("lodging", 4 + below(self.rng, 12)), "hotel: a group")


class AgencyManifests(Institution):
    """A travel agency that checks whole manifests."""

    weight = 1
    wait_time = between(0.5, 2.0)

    @task(4)
    def check_a_coach(self) -> None:
        """Check the travellers of one coach."""
        self.ask_many(self.sales("tour", COACH), "agency: a coach")

    @task(1)
    def check_a_manifest(self) -> None:
        """Check the passengers of one charter train or ship."""
        self.ask_many(self.sales("tour", MANIFEST), "agency: a manifest")


class EnrolmentDay(Institution):
    """A school's enrolment day: each parent who pays, or both parents at once."""

    weight = 2
    wait_time = between(0.05, 0.4)

    @task(3)
    def enrol_by_one_parent(self) -> None:
        """Check the parent who pays."""
        self.sell("school", "school: a parent")

    @task(1)
    def enrol_by_both_parents(self) -> None:
        """Check both parents in one batch."""
        self.ask_many(self.sales("school", 2), "school: both parents")


class OpenRate(Institution):
    """Customers who come at a rate (`--arrivals`) that does not wait for answers."""

    fixed_count = 1
    concurrency = 200
    wait_time = constant(0)

    @task
    def arrive(self) -> None:
        """Begin questions at random moments until the run ends."""
        per_second = float(self.environment.parsed_options.arrivals)
        pool, due_at = Pool(UNDER_WAY_MAX), perf_counter()
        try:
            while per_second > 0:
                due_at += self.rng.expovariate(per_second)
                gevent.sleep(max(0.0, due_at - perf_counter()))
                pool.spawn(self.sell, "rail", "arrivals: a ticket")
        finally:
            pool.kill()
