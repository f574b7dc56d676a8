"""Deciding: codes, precedence, caps, and what a reason shows."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from checker.domain.clock import CapPeriod, shanghai_day
from checker.domain.decision import ALLOWED, Outcome, ReasonCode
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import PrivateSchool, Resort, Service
from checker.domain.service_terms import ResortVenue
from checker.domain.standing import NOT_LISTED, Link, Match, Standing
from tests.unit.domain.rule_grounds import (
    CAP,
    FLIGHT,
    LOCAL,
    NATIONAL,
    NOW,
    WITHOUT_SETTINGS,
    listing,
    resort,
    standing,
)

TODAY = shanghai_day(NOW)
OVERDUE = date(2026, 11, 16)
SCHOOL = PrivateSchool(annual_fee_fen=0)


def test_who_is_not_listed_may_buy_anything() -> None:
    assert decide(NOT_LISTED, FLIGHT, policy=LOCAL, now=NOW) is ALLOWED


def test_who_is_listed_may_buy_what_no_measure_names() -> None:
    unrated = Resort(venue=ResortVenue.UNRATED, amount_fen=10**12)
    assert decide(standing(Match.DOCUMENT), unrated, policy=LOCAL, now=NOW) is ALLOWED


@pytest.mark.parametrize(
    ("match", "policy", "service", "code", "outcome"),
    [
        (Match.DOCUMENT, NATIONAL, FLIGHT, ReasonCode.RESTRICTED, Outcome.DENY),
        (Match.MASKED, NATIONAL, FLIGHT, ReasonCode.MASKED_MATCH, Outcome.REVIEW),
        (Match.NAME_DIFFERS, NATIONAL, FLIGHT, ReasonCode.NAME_MISMATCH, Outcome.REVIEW),
        (Match.DOCUMENT, NATIONAL, resort(1), ReasonCode.CAPPED, Outcome.CAP),
        (Match.MASKED, NATIONAL, resort(CAP + 1), ReasonCode.MASKED_MATCH, Outcome.REVIEW),
        (Match.NAME_DIFFERS, NATIONAL, resort(CAP + 1), ReasonCode.NAME_MISMATCH, Outcome.REVIEW),
        (Match.DOCUMENT, WITHOUT_SETTINGS, resort(1), ReasonCode.CAP_UNSET, Outcome.REVIEW),
        (Match.MASKED, WITHOUT_SETTINGS, resort(1), ReasonCode.MASKED_MATCH, Outcome.REVIEW),
        (
            Match.DOCUMENT,
            WITHOUT_SETTINGS,
            SCHOOL,
            ReasonCode.THRESHOLD_UNSET,
            Outcome.REVIEW,
        ),
        (
            Match.NAME_DIFFERS,
            WITHOUT_SETTINGS,
            SCHOOL,
            ReasonCode.NAME_MISMATCH,
            Outcome.REVIEW,
        ),
    ],
)
def test_a_doubt_about_the_person_comes_before_one_about_the_figure(
    match: Match, policy: EffectivePolicy, service: Service, code: ReasonCode, outcome: Outcome
) -> None:
    decision = decide(standing(match), service, policy=policy, now=NOW)
    assert [reason.code for reason in decision.reasons] == [code]
    assert decision.outcome is outcome


@pytest.mark.parametrize(
    ("match", "policy", "service", "code"),
    [
        (Match.DOCUMENT, NATIONAL, FLIGHT, ReasonCode.REMOVAL_OVERDUE),
        (Match.DOCUMENT, NATIONAL, resort(1), ReasonCode.REMOVAL_OVERDUE),
        (Match.DOCUMENT, NATIONAL, resort(CAP + 1), ReasonCode.REMOVAL_OVERDUE),
        (Match.DOCUMENT, WITHOUT_SETTINGS, resort(1), ReasonCode.REMOVAL_OVERDUE),
        (Match.DOCUMENT, WITHOUT_SETTINGS, SCHOOL, ReasonCode.REMOVAL_OVERDUE),
        (Match.MASKED, NATIONAL, FLIGHT, ReasonCode.MASKED_MATCH),
        (Match.NAME_DIFFERS, NATIONAL, FLIGHT, ReasonCode.NAME_MISMATCH),
    ],
)
def test_an_overdue_removal_comes_after_a_doubt_and_before_what_the_measure_does(
    match: Match, policy: EffectivePolicy, service: Service, code: ReasonCode
) -> None:
    overdue = Link(role=Role.DEBTOR, match=match, fulfilled_on=OVERDUE, listing=listing())
    decision = decide(Standing(links=(overdue,)), service, policy=policy, now=NOW)
    assert [reason.code for reason in decision.reasons] == [code]
    assert decision.outcome is Outcome.REVIEW
    assert decision.spending is None


def test_a_removal_is_overdue_by_the_day_in_shanghai() -> None:
    link = Link(role=Role.DEBTOR, fulfilled_on=date(2026, 11, 20))
    begins = datetime(2026, 11, 23, 16, tzinfo=UTC)
    for instant, outcome in [
        (begins - timedelta(microseconds=1), Outcome.DENY),
        (begins, Outcome.REVIEW),
    ]:
        decision = decide(Standing(links=(link,)), FLIGHT, policy=NATIONAL, now=instant)
        assert decision.outcome is outcome


def test_another_listing_denies_beside_one_whose_removal_is_overdue() -> None:
    links = (
        Link(role=Role.DEBTOR, fulfilled_on=OVERDUE, listing=listing("1")),
        Link(role=Role.DEBTOR, listing=listing("2")),
    )
    decision = decide(Standing(links=links), FLIGHT, policy=NATIONAL, now=NOW)
    codes = [reason.code for reason in decision.reasons]
    assert codes == [ReasonCode.REMOVAL_OVERDUE, ReasonCode.RESTRICTED]
    assert decision.outcome is Outcome.DENY


@pytest.mark.parametrize(
    ("measures", "policy", "service", "named"),
    [
        ({"cn-2016-64/2.7.1"}, LOCAL, FLIGHT, ["cn-2016-64/2.7.1"]),
        ({"leizhou/2.7.1"}, LOCAL, FLIGHT, ["leizhou/2.7.1"]),
        ({"leizhou/2.7.1"}, NATIONAL, FLIGHT, []),
        ({"cn-2016-64/2.7.1"}, NATIONAL, resort(1), []),
        ({"cn-2016-64/2.7.3", "leizhou/2.7.4"}, NATIONAL, resort(1), ["cn-2016-64/2.7.3"]),
        (set(), LOCAL, FLIGHT, []),
    ],
)
def test_what_is_retained_restricts_by_the_measures_it_names_and_no_other(
    measures: set[str], policy: EffectivePolicy, service: Service, named: list[str]
) -> None:
    retained = Link(role=Role.DEBTOR, measures=frozenset(measures), listing=listing())
    decision = decide(Standing(links=(retained,)), service, policy=policy, now=NOW)
    assert [reason.measure for reason in decision.reasons] == named
    assert (decision.outcome is Outcome.ALLOW) == (not named)


def test_what_two_retentions_keep_is_one_reason() -> None:
    retained = Link(role=Role.DEBTOR, measures=frozenset({"cn-2016-64/2.7.1"}), listing=listing())
    longer = msgspec.structs.replace(
        retained, measures=retained.measures | {"leizhou/2.7.1"}, ends_on=date(2027, 1, 1)
    )
    decision = decide(Standing(links=(retained, longer)), FLIGHT, policy=LOCAL, now=NOW)
    named = [reason.measure for reason in decision.reasons]
    assert named == ["cn-2016-64/2.7.1", "leizhou/2.7.1"]


def test_a_sure_listing_beside_a_doubtful_one_denies() -> None:
    decision = decide(standing(Match.MASKED, Match.DOCUMENT), FLIGHT, policy=NATIONAL, now=NOW)
    assert decision.outcome is Outcome.DENY
    codes = [reason.code for reason in decision.reasons]
    assert codes == [ReasonCode.MASKED_MATCH, ReasonCode.RESTRICTED]


def test_a_doubtful_listing_beside_a_cap_gives_review_and_still_shows_the_room() -> None:
    decision = decide(standing(Match.DOCUMENT, Match.MASKED), resort(1), policy=NATIONAL, now=NOW)
    assert decision.outcome is Outcome.REVIEW
    assert decision.spending is not None


def test_each_measure_and_listing_is_a_reason_and_the_nation_comes_first() -> None:
    decision = decide(standing(Match.DOCUMENT, Match.DOCUMENT), FLIGHT, policy=LOCAL, now=NOW)
    named = [(reason.measure, reason.listing and reason.listing.id) for reason in decision.reasons]
    assert named == [
        ("cn-2016-64/2.7.1", "0"),
        ("cn-2016-64/2.7.1", "1"),
        ("leizhou/2.7.1", "0"),
        ("leizhou/2.7.1", "1"),
    ]


def test_a_listing_that_is_not_public_decides_unseen_but_tells_where_to_go() -> None:
    hidden = Standing(links=(Link(role=Role.DEBTOR, listing=listing(public=False)),))
    decision = decide(hidden, FLIGHT, policy=NATIONAL, now=NOW)
    (reason,) = decision.reasons
    assert decision.outcome is Outcome.DENY
    assert reason.listing is None
    assert reason.remedy is not None
    assert reason.remedy.court == "雷州市人民法院"


def test_an_outline_without_details_decides_the_same() -> None:
    outline = Standing(links=(Link(role=Role.DEBTOR),))
    decision = decide(outline, FLIGHT, policy=NATIONAL, now=NOW)
    (reason,) = decision.reasons
    assert decision.outcome is Outcome.DENY
    assert (reason.listing, reason.remedy) == (None, None)


def test_a_listing_counts_by_the_day_in_shanghai() -> None:
    link = Link(role=Role.DEBTOR, starts_on=date(2026, 11, 23), ends_on=date(2026, 11, 24))
    until = datetime(2026, 11, 23, 16, tzinfo=UTC)
    for instant, outcome in [
        (until - timedelta(days=1, microseconds=1), Outcome.ALLOW),
        (until - timedelta(days=1), Outcome.DENY),
        (until - timedelta(microseconds=1), Outcome.DENY),
        (until, Outcome.ALLOW),
    ]:
        decision = decide(Standing(links=(link,)), FLIGHT, policy=NATIONAL, now=instant)
        assert decision.outcome is outcome


@pytest.mark.parametrize(
    ("amount", "held", "captured", "remaining", "outcome"),
    [
        (CAP, 0, 0, CAP, Outcome.CAP),
        (CAP + 1, 0, 0, CAP, Outcome.DENY),
        (1, CAP - 1, 0, 1, Outcome.CAP),
        (2, CAP - 1, 0, 1, Outcome.DENY),
        (1, 0, CAP, 0, Outcome.DENY),
        (0, 0, CAP, 0, Outcome.CAP),
        (50_000, 100_000, 50_000, 50_000, Outcome.CAP),
        (50_001, 100_000, 50_000, 50_000, Outcome.DENY),
        (1, CAP, CAP, 0, Outcome.DENY),
    ],
)
def test_an_amount_is_held_against_what_is_left_of_the_cap(
    amount: int, held: int, captured: int, remaining: int, outcome: Outcome
) -> None:
    decision = decide(
        standing(Match.DOCUMENT),
        resort(amount),
        policy=NATIONAL,
        now=NOW,
        held_fen=held,
        captured_fen=captured,
    )
    assert decision.outcome is outcome
    assert [reason.code for reason in decision.reasons] == [ReasonCode.CAPPED]
    spending = decision.spending
    assert spending is not None
    assert (spending.limit_fen, spending.held_fen, spending.captured_fen) == (CAP, held, captured)
    assert spending.remaining_fen == remaining
    assert spending.period is CapPeriod.MONTH
    assert spending.resets_at == "2026-11-30T16:00:00.000Z"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DEBTOR])
def test_an_officer_has_no_cap(role: Role) -> None:
    officer = Standing(links=(Link(role=role, listing=listing()),))
    assert decide(officer, resort(10**12), policy=LOCAL, now=NOW) is ALLOWED
