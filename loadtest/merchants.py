"""Merchants at their tills: their requests to spend under caps, and the answers they expect.

Knows the contract (section 4) alone. Each merchant is a talk of `loadtest.generator`. The talk goes
on until its load is over, and ends with its current sale. Every order has a key of its own. An
unexpected answer raises `WrongAnswersError`: its speed means nothing.
"""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count

import msgspec

from loadtest.answers import WrongAnswersError
from loadtest.document_numbers import SyntheticDocument
from loadtest.generator import Talk, post
from loadtest.holders import SyntheticPerson
from loadtest.population import Population

AUTHORIZATIONS = "/v1/spending/authorizations"
AMOUNT_FEN = 1_000
MORE_THAN_ANY_CAP_FEN = 10**12
"""The largest amount of the contract. Its refusal shows the sums that are spent."""

_OK, _CREATED, _CONFLICT = 200, 201, 409


class MerchantSpending(msgspec.Struct, frozen=True, kw_only=True):
    """The spending of a person, as an answer states it, in fen."""

    limit_fen: int
    held_fen: int
    captured_fen: int
    remaining_fen: int


class MerchantAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an answer that a merchant reads, a problem's too."""

    id: str | None = None
    status: str | int | None = None
    code: str | None = None
    amount_fen: int = 0
    captured_fen: int = 0
    refunded_fen: int = 0
    spending: MerchantSpending | None = None


class MerchantTally(msgspec.Struct, kw_only=True):
    """The counts of all merchants, and the sum that is captured."""

    authorized: int = 0
    captured: int = 0
    refused: int = 0
    refunded: int = 0

    @property
    def captured_fen(self) -> int:
        """The sum that was captured and not refunded."""
        return (self.captured - self.refunded) * AMOUNT_FEN


_told = msgspec.json.Decoder(MerchantAnswer)


def debtors(population: Population, today: date) -> list[SyntheticDocument]:
    """Return the documents of people who are capped, each person's once.

    A listing shows them as the defaulter, by a whole resident ID. It is published by now, and its
    term is not over, which a platform record does not show.
    """
    found: dict[int, SyntheticDocument] = {}
    for listing in population.listings():
        shown = listing.party
        if (
            isinstance(shown.holder, SyntheticPerson)
            and shown.holder.resident_id
            and not shown.is_masked
            and listing.case.published_on <= today
            and (listing.case.expires_on is None or today < listing.case.expires_on)
        ):
            found.setdefault(shown.holder.index, shown.holder.documents[0])
    return list(found.values())


def authorization_body(person: SyntheticDocument, amount_fen: int, reference: str) -> bytes:
    """Write the order to hold an amount at a resort."""
    return msgspec.json.encode(
        {
            "subject": {"document": person},
            "service": {"type": "resort", "venue": "rated_resort", "amount_fen": amount_fen},
            "reference": reference,
        }
    )


class Till:
    """One merchant's key; `numbers` gives each order of all merchants a number of its own.

    `captured` are the sales to one person that may be given back, the oldest first.
    """

    def __init__(self, key: str, numbers: Iterator[int]) -> None:
        self._key = key
        self._numbers = numbers
        self.captured: deque[str | None] = deque()

    def authorize(self, person: SyntheticDocument, amount_fen: int = AMOUNT_FEN) -> bytes:
        """Order a hold."""
        number = next(self._numbers)
        body = authorization_body(person, amount_fen, f"ORDER-{number}")
        return self._post(AUTHORIZATIONS, body, number)

    def capture(self, authorization_id: str | None) -> bytes:
        """Order to use a hold, all of it."""
        return self._move(authorization_id, "capture")

    def refund(self, authorization_id: str | None) -> bytes:
        """Order to give back all that was captured."""
        return self._move(authorization_id, "refund")

    def _move(self, authorization_id: str | None, move: str) -> bytes:
        body = msgspec.json.encode({"amount_fen": AMOUNT_FEN})
        path = f"{AUTHORIZATIONS}/{authorization_id}/{move}"
        return self._post(path, body, next(self._numbers))

    def _post(self, path: str, body: bytes, number: int) -> bytes:
        return post(path, body, key=self._key, idempotency_key=f"order-{number}")


def sales(till: Till, persons: Iterator[SyntheticDocument], is_over: Callable[[], bool]) -> Talk:
    """Sell to one person after the other: an authorization, and its capture."""
    while not is_over():
        status, told = read((yield till.authorize(next(persons))))
        _expect(status == _CREATED and told.status == "held", status, told)
        _expect(told.amount_fen == AMOUNT_FEN, status, told)
        held_within(told.spending)
        status, told = read((yield till.capture(told.id)))
        _expect(status == _OK and told.status == "captured", status, told)
        _expect(told.captured_fen == AMOUNT_FEN, status, told)


def sales_to_one(
    till: Till, person: SyntheticDocument, tally: MerchantTally, is_over: Callable[[], bool]
) -> Talk:
    """Sell to one person, the same for all merchants, up to the cap and beyond.

    A refused merchant refunds its oldest captured sale, of this talk or an earlier one. The refund
    makes room for one sale of any merchant.
    """
    while not is_over():
        status, told = read((yield till.authorize(person)))
        held_within(told.spending)
        if status == _CONFLICT and told.code == "cap-exceeded":
            tally.refused += 1
            if till.captured:
                status, told = read((yield till.refund(till.captured.popleft())))
                _expect(status == _OK and told.status == "refunded", status, told)
                tally.refunded += 1
            continue
        _expect(status == _CREATED and told.status == "held", status, told)
        tally.authorized += 1
        authorization_id = told.id
        status, told = read((yield till.capture(authorization_id)))
        _expect(status == _OK and told.captured_fen == AMOUNT_FEN, status, told)
        tally.captured += 1
        till.captured.append(authorization_id)


def orders(person: Iterator[SyntheticDocument], is_over: Callable[[], bool]) -> Talk:
    """Send the baseline the same bodies, one row each."""
    for number in count():
        if is_over():
            return
        body = authorization_body(next(person), AMOUNT_FEN, f"ORDER-{number}")
        status, told = read((yield post("/orders", body)))
        _expect(status == _CREATED and told.amount_fen == AMOUNT_FEN, status, told)


def read(answer: bytes) -> tuple[int, MerchantAnswer]:
    """Read an answer's status and body."""
    head_ends = answer.index(b"\r\n\r\n") + 4
    return int(answer[9:12]), _told.decode(answer[head_ends:])


def held_within(spending: MerchantSpending | None) -> MerchantSpending:
    """Return the spending, after a proof that it is within the cap and that its sums agree."""
    if spending is None:
        raise WrongAnswersError("an answer about a capped person without spending")
    spent = spending.held_fen + spending.captured_fen
    if spent > spending.limit_fen or spending.remaining_fen != spending.limit_fen - spent:
        raise WrongAnswersError(f"a person's sums do not hold: {spending}")
    return spending


def _expect(is_so: bool, status: int, told: MerchantAnswer) -> None:
    if not is_so:
        raise WrongAnswersError(f"an order was answered {status}: {told.code or told.status}")
