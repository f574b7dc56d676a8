"""A permit lifts what restricts its services while it holds; which of several is used."""

from datetime import timedelta

import pytest

from checker.domain.decision import ALLOWED, Outcome, ReasonCode
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.permit import Permit
from checker.domain.rules import decide
from checker.domain.service import Resort, Service, ServiceType
from checker.domain.service_terms import ResortVenue
from checker.domain.standing import Match, Standing
from tests.unit.domain.rule_grounds import (
    CAP,
    FLIGHT,
    LOCAL,
    NATIONAL,
    NOW,
    WITHOUT_SETTINGS,
    resort,
    standing,
)

HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)


def permit(
    permit_id: str = "P1",
    *services: ServiceType,
    begins: timedelta = -HOUR,
    ends: timedelta = HOUR,
    uses_left: int | None = None,
) -> Permit:
    return Permit(
        id=permit_id,
        services=frozenset(services or {ServiceType.AIR, ServiceType.RESORT}),
        valid_from=NOW + begins,
        valid_until=NOW + ends,
        uses_left=uses_left,
        court="雷州市人民法院",
        ground="因病就医",
    )


def permitted(*permits: Permit, match: Match = Match.DOCUMENT) -> Standing:
    return Standing(links=standing(match).links, permits=permits)


@pytest.mark.parametrize(
    ("held", "covers"),
    [
        (permit(), True),
        (permit("P1", ServiceType.RAIL), False),
        (permit("P1", ServiceType.RAIL, ServiceType.AIR), True),
        (permit(begins=timedelta(0)), True),
        (permit(begins=MOMENT), False),
        (permit(ends=MOMENT), True),
        (permit(ends=timedelta(0)), False),
        (permit(uses_left=1), True),
        (permit(uses_left=0), False),
        (permit(uses_left=-1), False),
    ],
)
def test_a_permit_covers_its_services_from_its_start_to_before_its_end_while_uses_are_left(
    held: Permit, *, covers: bool
) -> None:
    assert held.covers(ServiceType.AIR, NOW) is covers
    decision = decide(permitted(held), FLIGHT, policy=NATIONAL, now=NOW)
    assert decision.outcome is (Outcome.ALLOW if covers else Outcome.DENY)
    assert decision.permit is (held if covers else None)


@pytest.mark.parametrize(
    ("match", "policy", "service", "code"),
    [
        (Match.DOCUMENT, NATIONAL, FLIGHT, ReasonCode.RESTRICTED),
        (Match.MASKED, NATIONAL, FLIGHT, ReasonCode.MASKED_MATCH),
        (Match.NAME_DIFFERS, NATIONAL, FLIGHT, ReasonCode.NAME_MISMATCH),
        (Match.DOCUMENT, NATIONAL, resort(1), ReasonCode.CAPPED),
        (Match.DOCUMENT, NATIONAL, resort(CAP + 1), ReasonCode.CAPPED),
        (Match.DOCUMENT, WITHOUT_SETTINGS, resort(1), ReasonCode.CAP_UNSET),
    ],
)
def test_a_permit_lifts_whatever_there_is_and_the_reasons_stay(
    match: Match, policy: EffectivePolicy, service: Service, code: ReasonCode
) -> None:
    decision = decide(permitted(permit(), match=match), service, policy=policy, now=NOW)
    assert decision.outcome is Outcome.ALLOW
    assert [reason.code for reason in decision.reasons] == [code]
    assert decision.permit == permit()
    assert decision.spending is None


def test_a_permit_lifts_national_and_local_measures_alike() -> None:
    decision = decide(permitted(permit()), FLIGHT, policy=LOCAL, now=NOW)
    assert decision.outcome is Outcome.ALLOW
    assert len(decision.reasons) == 2


@pytest.mark.parametrize(
    ("held", "service"),
    [
        (Standing(permits=(permit(),)), FLIGHT),
        (permitted(permit()), Resort(venue=ResortVenue.UNRATED, amount_fen=1)),
    ],
    ids=["not listed", "not restricted"],
)
def test_a_permit_that_nothing_stands_against_is_not_used(held: Standing, service: Service) -> None:
    assert decide(held, service, policy=NATIONAL, now=NOW) is ALLOWED


@pytest.mark.parametrize(
    ("used", "spared"),
    [
        (permit("P2"), permit("P1", uses_left=1)),
        (permit("P2", ends=2 * HOUR), permit("P1", uses_left=9)),
        (permit("P2"), permit("P1", ends=2 * HOUR)),
        (permit("P2", uses_left=1), permit("P1", uses_left=1, ends=2 * HOUR)),
        (permit("P1"), permit("P2")),
        (permit("P1", uses_left=5), permit("P2", uses_left=1)),
        (permit("P2", uses_left=1), permit("P1", uses_left=0)),
        (permit("P2", uses_left=1), permit("P1", begins=MOMENT)),
        (permit("P2", uses_left=1), permit("P1", ServiceType.RAIL)),
    ],
)
def test_of_several_the_one_without_a_count_is_used_then_the_first_to_end_then_by_id(
    used: Permit, spared: Permit
) -> None:
    for permits in [(used, spared), (spared, used)]:
        decision = decide(permitted(*permits), FLIGHT, policy=NATIONAL, now=NOW)
        assert decision.permit is used
