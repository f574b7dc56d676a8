"""Laws of how a listing ends: an overdue removal refuses nobody, retention keeps what it names."""

from datetime import date, timedelta

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from checker.domain.clock import shanghai_day
from checker.domain.deadlines import Deadlines, DueBasis
from checker.domain.decision import Outcome, ReasonCode
from checker.domain.role import Role
from checker.domain.standing import Link, Standing, last_overdue, removal_due
from checker.policy.calendar import builtin_calendar
from tests.property.domain.question_strategies import (
    DAYS,
    LINKS,
    MEASURE_IDS,
    QUESTIONS,
    STANDINGS,
    WITHOUT_PERMITS,
    Question,
)

DEADLINES = Deadlines(calendar=builtin_calendar(), basis=DueBasis.CALENDAR_ROLL)
SPANS = st.integers(0, 400).map(lambda days: timedelta(days=days))


def with_links(standing: Standing, *links: Link) -> Standing:
    return msgspec.structs.replace(standing, links=links)


@given(question=QUESTIONS, standing=WITHOUT_PERMITS, since=SPANS)
def test_an_overdue_removal_never_denies_and_never_caps(
    question: Question, standing: Standing, since: timedelta
) -> None:
    fulfilled_on = last_overdue(shanghai_day(question.now), DEADLINES) - since
    overdue = [
        msgspec.structs.replace(link, fulfilled_on=fulfilled_on, measures=None)
        for link in standing.links
    ]
    decision = question.answer(with_links(standing, *overdue))
    assert decision.outcome in {Outcome.ALLOW, Outcome.REVIEW}
    assert decision.spending is None
    assert {reason.code for reason in decision.reasons} <= {
        ReasonCode.REMOVAL_OVERDUE,
        ReasonCode.MASKED_MATCH,
        ReasonCode.NAME_MISMATCH,
        ReasonCode.ISSUER_UNKNOWN,
        ReasonCode.DOCUMENTS_DISAGREE,
        ReasonCode.IDENTITY_NOT_RESOLVABLE,
    }


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS, since=SPANS)
def test_an_overdue_removal_frees_nobody(
    question: Question, standing: Standing, link: Link, since: timedelta
) -> None:
    fulfilled_on = last_overdue(shanghai_day(question.now), DEADLINES) - since
    overdue = msgspec.structs.replace(link, fulfilled_on=fulfilled_on)
    before = question.answer(with_links(standing, *standing.links, link))
    after = question.answer(with_links(standing, *standing.links, overdue))
    assert (after.reasons == ()) == (before.reasons == ())
    named = [(reason.measure, reason.role, reason.listing) for reason in before.reasons]
    assert [(reason.measure, reason.role, reason.listing) for reason in after.reasons] == named


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS, left=SPANS)
def test_a_removal_that_is_not_overdue_yet_changes_nothing(
    question: Question, standing: Standing, link: Link, left: timedelta
) -> None:
    day = last_overdue(shanghai_day(question.now), DEADLINES) + left + timedelta(days=1)
    due = msgspec.structs.replace(link, fulfilled_on=day)
    plain = msgspec.structs.replace(link, fulfilled_on=None)
    before = question.answer(with_links(standing, *standing.links, plain))
    assert question.answer(with_links(standing, *standing.links, due)) == before


@given(fulfilled_on=DAYS, days=st.integers(-40, 40), basis=st.sampled_from(DueBasis))
def test_a_removal_is_overdue_from_the_day_after_its_due_day(
    fulfilled_on: date, days: int, basis: DueBasis
) -> None:
    deadlines = Deadlines(calendar=builtin_calendar(), basis=basis)
    due = removal_due(fulfilled_on, deadlines)
    today = due.on + timedelta(days=days)
    assert Link(role=Role.DEBTOR, fulfilled_on=fulfilled_on).is_overdue(today, deadlines) == (
        days > 0
    )
    assert (fulfilled_on <= last_overdue(today, deadlines)) == (days > 0)
    assert due.on >= fulfilled_on + timedelta(days=3)
    assert deadlines.calendar.is_working(due.on)


@given(question=QUESTIONS, link=LINKS, measures=MEASURE_IDS)
def test_what_is_retained_restricts_exactly_by_the_measures_it_names(
    question: Question, link: Link, measures: frozenset[str]
) -> None:
    whole = msgspec.structs.replace(link, measures=None, fulfilled_on=None)
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
