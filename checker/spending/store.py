"""The store of steps: the needs of one transaction of spending, whatever the storage.

The store on PostgreSQL is the record. The twin in memory is its specification, and one suite of
tests runs over both. Both leave all judging to `checker.spending.book`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from cache.token import Token
from checker.audit.decisions import KeptDecision
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.permit import Permit
from checker.domain.standing import Standing
from checker.registry.document_key import DocumentKey
from checker.registry.found_document import Trace
from checker.spending.answers import KeptAnswer
from checker.spending.authorization import Authorization
from checker.spending.balance import DayTotal
from checker.spending.orders import AuthorizeCommand, IncrementCommand

_V = TypeVar("_V")

AnswerKey = tuple[str, Token]
"""An account's id and the digest of its idempotency key."""


class WantedSpending(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that some orders need to be judged; each order is known by its place.

    `authorizes` ask which persons are capped. `increments` ask again about the persons of existing
    authorizations. `ids` has the authorizations that orders name, and `keys` the key of every
    order. `since` returns the instant from which on spending counts, given the instant of
    the transaction and the authorizations that were found.
    """

    authorizes: Mapping[int, AuthorizeCommand]
    increments: Mapping[int, IncrementCommand]
    ids: Mapping[int, str]
    keys: Mapping[int, AnswerKey]
    counters: frozenset[Jurisdiction]
    since: Callable[[datetime, Mapping[str, Authorization]], datetime]

    def without(self, places: Collection[int]) -> "WantedSpending":
        """Return the facts that the orders at all other places need."""
        if not places:
            return self
        return msgspec.structs.replace(
            self,
            authorizes=_without(self.authorizes, places),
            increments=_without(self.increments, places),
            ids=_without(self.ids, places),
            keys=_without(self.keys, places),
        )


class LoadedSpending(msgspec.Struct, frozen=True, kw_only=True):
    """The record at the instant `now`, read behind the locks of all persons concerned.

    `persons` has all documents of the person of each order, by place. `lapsed` has the holds of
    these persons whose time is over and which no step ends yet. `set_aside` has the places of
    orders that must not be judged in this transaction. `traces` has the ways of the listings to the
    persons, by place.
    """

    now: datetime
    list_version: int | None
    standings: Mapping[int, Standing]
    persons: Mapping[int, frozenset[DocumentKey]]
    authorizations: Mapping[str, Authorization]
    lapsed: Sequence[Authorization]
    totals: Sequence[DayTotal]
    answers: Mapping[AnswerKey, KeptAnswer]
    set_aside: frozenset[int] = frozenset()
    traces: Mapping[int, Sequence[Trace]] = {}


class PermitUse(msgspec.Struct, frozen=True, kw_only=True):
    """One use of a counted permit, which lifts a sale. The claim distinguishes the sale
    from other sales.
    """

    permit: Permit
    claim: bytes


class WrittenSpending(msgspec.Struct, frozen=True, kw_only=True):
    """The additions of a transaction. `moved` has authorizations with their newest step, in
    order.
    """

    moved: Sequence[Authorization] = ()
    decisions: Sequence[KeptDecision] = ()
    answers: Mapping[AnswerKey, KeptAnswer] = {}
    uses: Sequence[PermitUse] = ()


class LocksHeld(Exception):
    """Another transaction did not release the lock of a person or a key in time.

    Nothing of this transaction is done.
    """


class SpendingStore(Protocol):
    """Keeps authorizations."""

    async def transact(
        self,
        wanted: WantedSpending,
        judge: Callable[[LoadedSpending], WrittenSpending],
        *,
        waits: bool,
    ) -> None:
        """Lock the persons concerned, load the record, judge it, and keep the additions, as one.

        The additions are durable when this returns. `judge` is called again if the first try was
        lost. With `waits` False, an order is set aside if another transaction has locked its person
        or its key. So is an order that may use a counted permit, if it has company.

        Raises:
            LocksHeld: a lock was not released in time (with `waits`).
            CommitAlone: an order may use a counted permit, and has company (with `waits`).
            Unavailable: the store cannot be reached. It is not known whether anything was kept.
        """
        ...

    async def find(self, authorization_id: str) -> Authorization | None:
        """Return an authorization, or None."""
        ...

    async def forget_answers(self, before: datetime) -> None:
        """Delete the answers that were kept before an instant."""
        ...


def _without(by_place: Mapping[int, _V], places: Collection[int]) -> dict[int, _V]:
    return {place: value for place, value in by_place.items() if place not in places}
