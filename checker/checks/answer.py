"""The answer to a check, field by field as the contract's section 2 shows it."""

from datetime import UTC, datetime

import msgspec

from cache.changes import Position
from checker.domain.clock import InstantText, instant_text
from checker.domain.decision import CapSpending, Decision, Outcome, Reason
from checker.domain.permit import Permit, PermitKind
from checker.domain.service import Service, ServiceType
from checker.receipts.receipt import Receipt


class ListState(msgspec.Struct, frozen=True, kw_only=True):
    """The list that answered: its version, its instant, and whether its courts have been silent.

    `history` names the line of versions. Version numbers of two histories cannot be compared.
    """

    version: int
    history: str
    as_of: InstantText
    stale: bool


class ShownPermit(msgspec.Struct, frozen=True, kw_only=True):
    """The court's exception that lifted the reasons.

    `uses_left` is what is left after this answer, null where uses are not counted. `kind` is null
    where the court names none.
    """

    id: str
    services: tuple[ServiceType, ...]
    valid_from: InstantText
    valid_until: InstantText
    uses_left: int | None
    court: str
    ground: str
    kind: PermitKind | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one check; `receipt` is null where none was asked for.

    A `deny` has `alternatives`: services of the same type that would be allowed, at most three and
    the nearest first. No other answer has the field.
    """

    id: str
    decision: Outcome
    reasons: tuple[Reason, ...] = ()
    permit: ShownPermit | None = None
    spending: CapSpending | None = None
    list: ListState
    reference: str | None = None
    receipt: Receipt | None = None
    alternatives: tuple[Service, ...] | msgspec.UnsetType = msgspec.UNSET


class BatchItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer within a batch; what is null is left out, the list stands beside the results."""

    id: str
    decision: Outcome
    reasons: tuple[Reason, ...] = ()
    permit: ShownPermit | None = None
    spending: CapSpending | None = None
    reference: str | None = None
    receipt: Receipt | None = None
    alternatives: tuple[Service, ...] | msgspec.UnsetType = msgspec.UNSET


def answer_of(
    decision: Decision,
    state: ListState,
    reference: str | None,
    *,
    answer_id: str,
    receipt: Receipt | None = None,
) -> Answer:
    """Return an answer; the kept decision has the same id."""
    return Answer(
        id=answer_id,
        decision=decision.outcome,
        reasons=decision.reasons,
        permit=shown_permit(decision.permit),
        spending=decision.spending,
        list=state,
        reference=reference,
        receipt=receipt,
        alternatives=decision.alternatives,
    )


def shown_permit(permit: Permit | None) -> ShownPermit | None:
    """Return the permit that an answer rests on, with the uses that are left after this answer.

    The `uses_left` of `permit` still counts the use of this answer. If the same order asks again,
    its first use is the use of this answer.
    """
    if permit is None:
        return None
    return ShownPermit(
        id=permit.id,
        services=tuple(sorted(permit.services)),
        valid_from=instant_text(permit.valid_from),
        valid_until=instant_text(permit.valid_until),
        uses_left=None if permit.uses_left is None else permit.uses_left - 1,
        court=permit.court,
        ground=permit.ground,
        kind=permit.kind,
    )


NEVER = datetime.max.replace(tzinfo=UTC)


def _instant_of(milliseconds: int) -> datetime:
    """Return the instant so many milliseconds after 1970, at most `NEVER`."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError):
        return NEVER


class ListStates:
    """Makes the state of the list for answers, once between two changes of the list.

    A list is stale when its courts have been silent for longer than `stale_after_ms`.
    """

    def __init__(self, stale_after_ms: int) -> None:
        self._stale_after_ms = stale_after_ms
        self._position: Position | None = None
        self._state: ListState | None = None
        self._stale_from = NEVER

    def at(self, position: Position, now: datetime) -> ListState:
        """Return the state of the list at `position`."""
        # By identity: a replica gives the same object until its list changes.
        if position is not self._position:
            self._stale_from = _instant_of(position.as_of_ms + self._stale_after_ms)
        stale = now > self._stale_from
        state = self._state
        if state is not None and position is self._position and stale is state.stale:
            return state
        state = ListState(
            version=position.version,
            history=position.history,
            as_of=instant_text(_instant_of(position.as_of_ms)),
            stale=stale,
        )
        self._position, self._state = position, state
        return state
