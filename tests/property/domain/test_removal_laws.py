"""Laws of how a listing ends: an overdue removal refuses nobody, retention keeps what it names."""

from datetime import date, timedelta

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from checker.domain.clock import shanghai_day
from checker.domain.decision import Outcome, ReasonCode
from checker.domain.role import Role
from checker.domain.standing import Link, Standing, removal_overdue_from
from tests.property.domain.question_strategies import (
    DAYS,
    LINKS,
    MEASURE_IDS,
    QUESTIONS,
    STANDINGS,
    WITHOUT_PERMITS,
    Question,
)

SPANS = st.integers(0, 400).map(lambda days: timedelta(days=days))


def with_links(standing: Standing, *links: Link) -> Standing:
    return msgspec.structs.replace(standing, links=links)


@given(question=QUESTIONS, standing=WITHOUT_PERMITS, since=SPANS)
def test_an_overdue_removal_never_denies_and_never_caps(
    question: Question, standing: Standing, since: timedelta
) -> None:
    overdue_from = shanghai_day(question.now) - since
    overdue = [
        msgspec.structs.replace(link, overdue_from=overdue_from, measures=None)
        for link in standing.links
    ]
    decision = question.answer(with_links(standing, *overdue))
    assert decision.outcome in {Outcome.ALLOW, Outcome.REVIEW}
    assert decision.spending is None
    assert {reason.code for reason in decision.reasons} <= {
        ReasonCode.REMOVAL_OVERDUE,
        ReasonCode.MASKED_MATCH,
        ReasonCode.NAME_MISMATCH,
    }


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS, since=SPANS)
def test_an_overdue_removal_frees_nobody(
    question: Question, standing: Standing, link: Link, since: timedelta
) -> None:
    overdue = msgspec.structs.replace(link, overdue_from=shanghai_day(question.now) - since)
    before = question.answer(with_links(standing, *standing.links, link))
    after = question.answer(with_links(standing, *standing.links, overdue))
    assert (after.reasons == ()) == (before.reasons == ())
    named = [(reason.measure, reason.role, reason.listing) for reason in before.reasons]
    assert [(reason.measure, reason.role, reason.listing) for reason in after.reasons] == named


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS, left=SPANS)
def test_a_removal_that_is_not_overdue_yet_changes_nothing(
    question: Question, standing: Standing, link: Link, left: timedelta
) -> None:
    day = shanghai_day(question.now) + left + timedelta(days=1)
    due = msgspec.structs.replace(link, overdue_from=day)
    plain = msgspec.structs.replace(link, overdue_from=None)
    before = question.answer(with_links(standing, *standing.links, plain))
    assert question.answer(with_links(standing, *standing.links, due)) == before


@given(fulfilled_on=DAYS, days=st.integers(-400, 400))
def test_a_removal_is_overdue_once_three_whole_days_have_followed(
    fulfilled_on: date, days: int
) -> None:
    link = Link(role=Role.DEBTOR, overdue_from=removal_overdue_from(fulfilled_on))
    assert link.is_overdue(fulfilled_on + timedelta(days=days)) == (days > 3)


@given(question=QUESTIONS, link=LINKS, measures=MEASURE_IDS)
def test_what_is_retained_restricts_exactly_by_the_measures_it_names(
    question: Question, link: Link, measures: frozenset[str]
) -> None:
    whole = msgspec.structs.replace(link, measures=None, overdue_from=None)
    retained = msgspec.structs.replace(link, measures=measures)
    full = question.answer(Standing(links=(whole,)))
    kept = question.answer(Standing(links=(retained,)))
    assert kept.reasons == tuple(one for one in full.reasons if one.measure in measures)
    assert kept.outcome.strength <= full.outcome.strength


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS, measures=MEASURE_IDS, more=MEASURE_IDS)
def test_one_more_retained_measure_never_softens(
    question: Question,
    standing: Standing,
    link: Link,
    measures: frozenset[str],
    more: frozenset[str],
) -> None:
    fewer = msgspec.structs.replace(link, measures=measures)
    longer = msgspec.structs.replace(link, measures=measures | more)
    before = question.answer(with_links(standing, *standing.links, fewer))
    after = question.answer(with_links(standing, *standing.links, longer))
    assert after.outcome.strength >= before.outcome.strength
    assert all(reason in after.reasons for reason in before.reasons)


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS, measures=MEASURE_IDS)
def test_what_is_retained_adds_nothing_while_the_listing_is_in_force(
    question: Question, standing: Standing, link: Link, measures: frozenset[str]
) -> None:
    assume(link.listing is not None)
    whole = msgspec.structs.replace(link, measures=None, starts_on=None, ends_on=None)
    retained = msgspec.structs.replace(link, measures=measures)
    before = question.answer(with_links(standing, *standing.links, whole))
    after = question.answer(with_links(standing, *standing.links, whole, retained))
    assert after == before


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS, data=st.data())
def test_the_same_retention_twice_is_one(
    question: Question, standing: Standing, link: Link, data: st.DataObject
) -> None:
    assume(link.listing is not None)
    retained = msgspec.structs.replace(link, measures=data.draw(MEASURE_IDS))
    longer = msgspec.structs.replace(retained, ends_on=None)
    once = question.answer(with_links(standing, *standing.links, longer))
    twice = question.answer(with_links(standing, *standing.links, longer, retained))
    assert twice == once
