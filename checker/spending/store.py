"""The store of steps: the needs of one transaction of spending, whatever the storage.

The store on PostgreSQL is the record. The twin in memory is its specification, and one suite of
tests runs over both. Both leave all judging to `checker.spending.book`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from cache.token import Token
from checker.audit.decisions import KeptDecision
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.permit import Permit
from checker.domain.standing import Standing
from checker.spending.answers import KeptAnswer
from checker.spending.authorization import Authorization
from checker.spending.balance import DayTotal
from checker.spending.orders import AuthorizeCommand, IncrementCommand

AnswerKey = tuple[str, Token]
"""An account's id and the digest of its idempotency key."""


class WantedSpending(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that some orders need to be judged; each order is known by its place.

    `authorizes` ask which persons are capped. `increments` ask again about the persons of existing
    authorizations. `since` returns the instant from which on spending counts, given the instant of
    the transaction and the authorizations that were found.
    """

    authorizes: Mapping[int, AuthorizeCommand]
    increments: Mapping[int, IncrementCommand]
    ids: frozenset[str]
    keys: frozenset[AnswerKey]
    counters: frozenset[Jurisdiction]
    since: Callable[[datetime, Mapping[str, Authorization]], datetime]


class LoadedSpending(msgspec.Struct, frozen=True, kw_only=True):
    """The record at the instant `now`, read behind the locks of all persons concerned.

    `groups` has for each document's token all tokens of the same person, itself among them.
    `lapsed` has the holds of these persons whose time is over and which no step ends yet.
    """

    now: datetime
    list_version: int | None
    standings: Mapping[int, Standing]
    groups: Mapping[Token, frozenset[Token]]
    authorizations: Mapping[str, Authorization]
    lapsed: Sequence[Authorization]
    totals: Sequence[DayTotal]
    answers: Mapping[AnswerKey, KeptAnswer]


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


class SpendingStore(Protocol):
    """Keeps authorizations."""

    async def transact(
        self, wanted: WantedSpending, judge: Callable[[LoadedSpending], WrittenSpending]
    ) -> None:
        """Lock the persons concerned, load the record, judge it, and keep the additions, as one.

        The additions are durable when this returns. `judge` is called again if the first try was
        lost.

        Raises:
            Unavailable: the store cannot be reached, or another transaction holds a lock for too
                long. It is not known whether anything was kept.
        """
        ...

    async def find(self, authorization_id: str) -> Authorization | None:
        """Return an authorization, or None."""
        ...

    async def forget_answers(self, before: datetime) -> None:
        """Delete the answers that were kept before an instant."""
        ...
