"""The legal moves of an authorization, and what each step changes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cache.token import Token
from checker.domain.jurisdiction import NATION
from checker.domain.service_terms import AMOUNT_MAX_FEN, ResortVenue
from checker.errors import Conflict
from checker.registry.document_key import DocumentKey
from checker.spending.authorization import (
    MOVES,
    STEPS_MAX,
    Authorization,
    AuthorizationStatus,
    CountedRoom,
    Opening,
    SpendingStepKind,
)

AT = datetime(2026, 11, 23, 4, tzinfo=UTC)
SOON = AT + timedelta(minutes=1)
LATE = AT + timedelta(hours=2)
ENDS = AT + timedelta(hours=1)
DOCUMENT = DocumentKey(Token(bytes(16)))
COUNTED = CountedRoom(
    limit_fen=1_000, since=AT, until=LATE, documents=(DOCUMENT,), held_fen=500, captured_fen=0
)


def held() -> Authorization:
    opening = Opening(
        id="1",
        account_id="merchant",
        document=DOCUMENT,
        counter=NATION,
        counted_at=AT,
        jurisdiction=NATION,
        venue=ResortVenue.RATED_RESORT,
        reference=None,
        decision_id="2",
    )
    return Authorization.hold(opening, 500, ENDS, COUNTED)


STATES: dict[AuthorizationStatus, Callable[[], Authorization]] = {
    AuthorizationStatus.HELD: held,
    AuthorizationStatus.CAPTURED: lambda: held().capture(300, SOON),
    AuthorizationStatus.VOIDED: lambda: held().void(SOON),
    AuthorizationStatus.EXPIRED: lambda: held().expire(LATE),
    AuthorizationStatus.REFUNDED: lambda: held().capture(300, SOON).refund(300, SOON),
}
STEPS: dict[SpendingStepKind, Callable[[Authorization], Authorization]] = {
    SpendingStepKind.INCREMENTED: lambda one: one.increment(1, SOON, ENDS, COUNTED),
    SpendingStepKind.CAPTURED: lambda one: one.capture(1, SOON),
    SpendingStepKind.VOIDED: lambda one: one.void(SOON),
    SpendingStepKind.REFUNDED: lambda one: one.refund(1, SOON),
}


@pytest.mark.parametrize("status", AuthorizationStatus)
def test_a_status_is_reached_by_its_steps(status: AuthorizationStatus) -> None:
    assert STATES[status]().status(SOON) is status


@pytest.mark.parametrize("status", AuthorizationStatus)
@pytest.mark.parametrize("kind", STEPS)
def test_only_the_moves_of_the_table_are_legal(
    status: AuthorizationStatus, kind: SpendingStepKind
) -> None:
    one = STATES[status]()
    if kind in MOVES[status]:
        moved = STEPS[kind](one)
        assert moved.steps[:-1] == one.steps
        assert (moved.steps[-1].kind, moved.steps[-1].number) == (kind, len(one.steps) + 1)
    else:
        with pytest.raises(Conflict):
            STEPS[kind](one)


@pytest.mark.parametrize("status", AuthorizationStatus)
def test_the_sums_of_the_steps_are_what_is_held_and_captured(status: AuthorizationStatus) -> None:
    one = STATES[status]()
    assert one.held_fen == (500 if status is AuthorizationStatus.HELD else 0)
    left = one.captured_fen - one.refunded_fen
    assert sum(step.captured_delta for step in one.steps) == left


def test_however_many_steps_there_are_an_authorization_can_end() -> None:
    one = held()
    while len(one.steps) < STEPS_MAX:
        one = STEPS[SpendingStepKind.INCREMENTED](one)
    with pytest.raises(Conflict, match="capture it or void it"):
        STEPS[SpendingStepKind.INCREMENTED](one)
    assert one.void(SOON).status(SOON) is AuthorizationStatus.VOIDED
    captured = one.capture(500, SOON)
    with pytest.raises(Conflict, match="all that is left, 500 fen"):
        captured.refund(499, SOON)
    assert captured.refund(500, SOON).status(SOON) is AuthorizationStatus.REFUNDED


def test_a_hold_whose_time_is_over_has_expired_without_a_step() -> None:
    assert held().status(ENDS) is AuthorizationStatus.EXPIRED
    assert held().has_lapsed(ENDS)
    with pytest.raises(Conflict) as refusal:
        held().capture(1, ENDS)
    resolution = refusal.value.resolution
    assert resolution is not None
    assert (resolution.status, resolution.amount_fen) == ("expired", 500)


def test_what_has_expired_by_its_step_is_over_by_any_clock() -> None:
    assert held().expire(ENDS).status(AT) is AuthorizationStatus.EXPIRED


def test_an_authorization_never_holds_a_sum_that_cannot_be_written() -> None:
    with pytest.raises(Conflict, match="no such sum"):
        held().increment(AMOUNT_MAX_FEN, SOON, ENDS, COUNTED)
