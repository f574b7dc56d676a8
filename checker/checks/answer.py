"""What a check answers, field by field as the contract's section 2 shows it."""

from datetime import UTC, datetime
from functools import lru_cache

import msgspec
import uuid_utils

from checker.domain.clock import instant_text
from checker.domain.decision import Decision, Outcome, Reason, Spending


class ListState(msgspec.Struct, frozen=True, kw_only=True):
    """Which list answered: its version, its instant, and whether its courts have been silent."""

    version: int
    as_of: str
    stale: bool


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one check. `permit` and `receipt` are null: neither is issued yet."""

    id: str
    decision: Outcome
    reasons: tuple[Reason, ...] = ()
    permit: None = None
    spending: Spending | None = None
    list: ListState
    reference: str | None = None
    receipt: None = None


class BatchItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer within a batch; what is null is left out, the list stands beside the results."""

    id: str
    decision: Outcome
    reasons: tuple[Reason, ...] = ()
    spending: Spending | None = None
    reference: str | None = None


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): ids sort by the time they were given out."""
    return str(uuid_utils.uuid7())


def answer_of(decision: Decision, state: ListState, reference: str | None) -> Answer:
    """Put an answer together."""
    return Answer(
        id=new_id(),
        decision=decision.outcome,
        reasons=decision.reasons,
        spending=decision.spending,
        list=state,
        reference=reference,
    )


def list_state(version: int, as_of_ms: int, now: datetime, stale_after_ms: int) -> ListState:
    """Say which list answered; it is stale when its courts have been silent for too long."""
    return _list_state(version, as_of_ms, now.timestamp() * 1000 - as_of_ms > stale_after_ms)


# The same for all answers between two changes of the list.
@lru_cache(maxsize=8)
def _list_state(version: int, as_of_ms: int, stale: bool) -> ListState:
    as_of = datetime.fromtimestamp(as_of_ms / 1000, UTC)
    return ListState(version=version, as_of=instant_text(as_of), stale=stale)
