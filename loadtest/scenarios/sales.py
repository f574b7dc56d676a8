"""Sales of the scenarios, the right decision of each, and input that a client sends by mistake.

The truth holds for the list of `checker demo`: its background is a population of this module. Knows
nothing of locust.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import count
from random import Random
from typing import Any

import msgspec

from loadtest.answers import fault_of_batch, fault_of_check
from loadtest.bench_changes import Changes, strangers_in
from loadtest.crowd import CrowdSubject
from loadtest.draw import below, pick
from loadtest.population import Population

DEMO_SEED = 2016
DEMO_LISTINGS = 300
"""Seed and size of the demo's background list (`checker.demo`)."""

CROWD = 4000
LISTED_SHARE = 0.01
COURT_PERSONS = 2000
WRONG = "wrong answer"
"""A failure that begins with this word fails the run, whatever its budget."""

_UNAUTHORIZED, _BAD_REQUEST, _UNPROCESSABLE = 401, 400, 422
_SCHOOL_FEE_FEN = 8_000_000
"""Above the demo's figure for private schools, so the service is closed to all five roles."""


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """A service for a subject, and the right decision."""

    subject: CrowdSubject
    service: Mapping[str, Any]
    decision: str

    def body(self) -> dict[str, Any]:
        """Return the body of the check."""
        return {"subject": self.subject.request(), "service": self.service}


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a client sends it by mistake, and the status that it has to get."""

    name: str
    content: bytes
    status: int
    has_key: bool = True


CLOSED: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "rail": (
        {"type": "rail", "train": "G79", "seat": "second"},
        {"type": "rail", "train": "D7451", "seat": "first"},
        {"type": "rail", "train": "K511", "seat": "soft_sleeper"},
    ),
    "air": ({"type": "air", "flight": "CZ3101"},),
    "lodging": ({"type": "lodging", "star_rating": 3}, {"type": "lodging", "star_rating": 5}),
    "tour": ({"type": "outbound_tour", "product": "group_tour"},),
    "school": ({"type": "private_school", "annual_fee_fen": _SCHOOL_FEE_FEN},),
}
"""Services that are closed to all five roles, by the kind of sale."""

OPEN: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "rail": (
        {"type": "rail", "train": "K511", "seat": "hard_seat"},
        {"type": "rail", "train": "C7002", "seat": "second"},
    ),
    "lodging": ({"type": "lodging", "star_rating": 0},),
}
"""Services that are open to everybody, by the kind of sale."""

_OPEN_SHARE = 0.4


@cache
def population() -> Population:
    """Return the population of the demo's background list."""
    return Population(DEMO_SEED, DEMO_LISTINGS)


@cache
def crowd() -> tuple[CrowdSubject, ...]:
    """Return the people who queue at all counters; one in a hundred is on the list."""
    return tuple(population().crowd(CROWD, LISTED_SHARE))


def queue(user: int) -> Iterator[CrowdSubject]:
    """Yield the crowd again and again; each user begins elsewhere."""
    people = crowd()
    return (people[place % len(people)] for place in count(user * 997))


def court_changes(today: date) -> Changes:
    """Return changes of persons who stand in no queue."""
    people = population().crowd(CROWD + COURT_PERSONS, 0.0)
    waiting = [subject for place, subject in enumerate(people) if place >= CROWD]
    return Changes(strangers_in(waiting), today)


def sale_of(kind: str, subject: CrowdSubject, today: date, rng: Random) -> Sale:
    """Draw a service of a kind for a subject, and return the sale with its right decision."""
    if kind in OPEN and rng.random() < _OPEN_SHARE:
        return Sale(subject=subject, service=pick(rng, OPEN[kind]), decision="allow")
    service = pick(rng, CLOSED[kind])
    return Sale(subject=subject, service=service, decision=subject.expected(today))


def fault_of_sale(sale: Sale, answer: Any) -> str | None:
    """Return the fault of the answer to a single check; None where the answer is right."""
    fault = fault_of_check(answer) or _fault_of_decision(sale, answer)
    return f"{WRONG}: {fault}" if fault else None


def fault_of_sales(sales: Sequence[Sale], answer: Any) -> str | None:
    """Return the first fault of the answer to a batch; None where all answers are right."""
    fault = fault_of_batch(answer, len(sales))
    if fault is None:
        pairs = zip(sales, answer["results"], strict=True)
        fault = next((found for pair in pairs if (found := _fault_of_decision(*pair))), None)
    return f"{WRONG}: {fault}" if fault else None


def mistake_in(sale: Sale, rng: Random) -> Mistake:
    """Draw a mistake in the request of a sale."""
    body = sale.body()
    content = msgspec.json.encode(body)
    cut = Mistake(name="cut", content=content[: len(content) // 2], status=_BAD_REQUEST)
    keyless = Mistake(name="no key", content=content, status=_UNAUTHORIZED, has_key=False)
    misspelt = msgspec.json.encode({**body, "jurisdicton": "440882"})
    digits = {**body, "subject": {"document": {"type": "resident_id", "number": "44088218900101"}}}
    return (
        cut,
        keyless,
        Mistake(name="unknown field", content=misspelt, status=_BAD_REQUEST),
        Mistake(name="short number", content=msgspec.json.encode(digits), status=_UNPROCESSABLE),
    )[below(rng, 4)]


def _fault_of_decision(sale: Sale, answer: Mapping[str, Any]) -> str | None:
    given = answer["decision"]
    return None if given == sale.decision else f"{given} instead of {sale.decision}"
