"""The verdict on one booking of several people: a batch with `"order": true`."""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from checker.domain.decision import ALLOWED, Decision, Outcome, strongest

_BLOCKING: Final = frozenset({Outcome.DENY, Outcome.REVIEW})


class BookingVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The strongest decision of a booking, and the items that stand in the way, by their index.

    An item blocks if it is refused, needs a person to look, or is in error. A booking with an item
    in error needs a person to look at least.
    """

    decision: Outcome
    blocking: tuple[int, ...]


def verdict_on(decisions: Sequence[Decision], errors: Collection[int]) -> BookingVerdict:
    """Return the verdict on a batch.

    `decisions` are those of the items without an error, in order. `errors` has the indices of the
    items in error.
    """
    answered = [at for at in range(len(decisions) + len(errors)) if at not in errors]
    blocking = set(errors)
    outcomes = {Outcome.REVIEW} if errors else set[Outcome]()
    for at, decision in zip(answered, decisions, strict=True):
        if decision is not ALLOWED:
            outcomes.add(decision.outcome)
            if decision.outcome in _BLOCKING:
                blocking.add(at)
    return BookingVerdict(decision=strongest(outcomes), blocking=tuple(sorted(blocking)))
