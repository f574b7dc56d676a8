"""Where steps are kept: what a transaction of spending needs, however it is stored.

The store on PostgreSQL is the record; the twin in memory is its specification, and one suite runs
over both. Whatever is judged is judged in between, the same for both (`checker.spending.book`).
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
from checker.registry.standings import StandingQuestion
from checker.spending.answers import KeptAnswer
from checker.spending.authorization import Authorization
from checker.spending.balance import DayTotal
from checker.spending.orders import Increment

AnswerKey = tuple[str, Token]
"""An account's id and the digest of its idempotency key."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What some orders, told apart by their place, need to be judged.

    `questions` ask who is capped; `increments` ask again about the persons of authorizations.
    `since` gives, with the instant and the authorizations that were found, the instant from which
    on spending is counted.
    """

    questions: Mapping[int, StandingQuestion]
    increments: Mapping[int, Increment]
    ids: frozenset[str]
    keys: frozenset[AnswerKey]
    counters: frozenset[Jurisdiction]
    since: Callable[[datetime, Mapping[str, Authorization]], datetime]


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What stands, behind the locks of all persons concerned, at the instant `now`.

    `groups` gives to each document's token those of the same person, itself among them; `lapsed`
    are the holds of these persons whose time is over and which no step ends yet.
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
    """A counted permit lifts a sale, which its claim tells from others."""

    permit: Permit
    claim: bytes


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction adds: `moved` has authorizations with their newest step, in order."""

    moved: Sequence[Authorization] = ()
    decisions: Sequence[KeptDecision] = ()
    answers: Mapping[AnswerKey, KeptAnswer] = {}
    uses: Sequence[PermitUse] = ()


class SpendingStore(Protocol):
    """Keeps authorizations."""

    async def transact(self, wanted: Wanted, judge: Callable[[Loaded], Written]) -> None:
        """Lock the persons concerned, load what stands, judge it, and keep what that adds, as one.

        When this returns it is durable. `judge` may be called again where the first try was lost.

        Raises:
            Unavailable: the store cannot be reached, or somebody holds a lock for too long; whether
                anything was kept is not known.
        """
        ...

    async def find(self, authorization_id: str) -> Authorization | None:
        """Find an authorization."""
        ...

    async def forget_answers(self, before: datetime) -> None:
        """Forget kept answers from before an instant."""
        ...
