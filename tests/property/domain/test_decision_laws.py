"""Laws of deciding: total, repeatable, monotone, for any service, standing, place and day."""

from datetime import timedelta

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from checker.domain.clock import shanghai_day
from checker.domain.decision import OUTCOMES, Outcome, ReasonCode
from checker.domain.jurisdiction import NATION, parse_jurisdiction
from checker.domain.listing_kind import ListingKind
from checker.domain.standing import Link, Match, Standing
from tests.property.domain.question_strategies import (
    LINKS,
    MEASURES,
    QUESTIONS,
    STANDINGS,
    UNRELATED,
    WITHOUT_PERMITS,
    Question,
    links_of,
)


@given(question=QUESTIONS, standing=STANDINGS)
def test_deciding_is_total_and_repeatable(question: Question, standing: Standing) -> None:
    decision = question.answer(standing)
    assert question.answer(standing) == decision
    assert msgspec.json.encode(decision)


@given(question=QUESTIONS, standing=WITHOUT_PERMITS)
def test_the_strongest_reason_decides(question: Question, standing: Standing) -> None:
    decision = question.answer(standing)
    strengths = [OUTCOMES[reason.code].strength for reason in decision.reasons]
    assert decision.outcome.strength >= max(strengths, default=0)
    capped = any(reason.code is ReasonCode.CAPPED for reason in decision.reasons)
    assert (decision.spending is not None) is capped
    if decision.outcome.strength > max(strengths, default=0):
        assert decision.outcome is Outcome.DENY
        assert capped
    assert (decision.outcome is Outcome.ALLOW) == (decision.reasons == ())


@given(question=QUESTIONS, standing=STANDINGS, link=links_of(UNRELATED), data=st.data())
def test_one_more_listing_never_softens(
    question: Question, standing: Standing, link: Link, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(standing.links)))
    links = (*standing.links[:place], link, *standing.links[place:])
    more = msgspec.structs.replace(standing, links=links)
    before, after = question.answer(standing), question.answer(more)
    assert after.outcome.strength >= before.outcome.strength
    assert all(reason in after.reasons for reason in before.reasons)


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS)
def test_a_listing_outside_of_its_days_changes_nothing(
    question: Question, standing: Standing, link: Link
) -> None:
    assume(not link.is_in_force(shanghai_day(question.now)))
    more = msgspec.structs.replace(standing, links=(*standing.links, link))
    assert question.answer(more) == question.answer(standing)


@given(question=QUESTIONS, standing=STANDINGS, days=st.integers(0, 400))
def test_what_has_ended_stays_ended(question: Question, standing: Standing, days: int) -> None:
    today = shanghai_day(question.now)
    over = Standing(
        links=tuple(msgspec.structs.replace(link, ends_on=today) for link in standing.links)
    )
    later = msgspec.structs.replace(question, now=question.now + timedelta(days=days))
    assert later.answer(over).outcome is Outcome.ALLOW


@given(question=QUESTIONS, standing=STANDINGS, data=st.data())
def test_the_order_of_the_links_decides_nothing(
    question: Question, standing: Standing, data: st.DataObject
) -> None:
    shuffled = msgspec.structs.replace(
        standing, links=tuple(data.draw(st.permutations(standing.links)))
    )
    one, other = question.answer(standing), question.answer(shuffled)
    assert (one.outcome, one.spending, one.permit) == (other.outcome, other.spending, other.permit)
    assert sorted(map(repr, one.reasons)) == sorted(map(repr, other.reasons))


@given(question=QUESTIONS, standing=STANDINGS)
def test_nobody_is_denied_or_capped_on_a_doubt(question: Question, standing: Standing) -> None:
    doubtful = Standing(
        links=tuple(link for link in standing.links if link.match is not Match.DOCUMENT)
    )
    assert question.answer(doubtful).outcome in {Outcome.ALLOW, Outcome.REVIEW}


@given(question=QUESTIONS, standing=STANDINGS)
def test_a_narrower_place_only_adds_reasons(question: Question, standing: Standing) -> None:
    nation = msgspec.structs.replace(question, place=NATION, settings={})
    county = msgspec.structs.replace(question, place=parse_jurisdiction("440882"), settings={})
    wide, narrow = nation.answer(standing), county.answer(standing)
    assert narrow.reasons[: len(wide.reasons)] == wide.reasons
    assert narrow.outcome.strength >= wide.outcome.strength


@given(question=QUESTIONS, standing=STANDINGS)
def test_what_is_not_public_is_never_shown(question: Question, standing: Standing) -> None:
    hidden = {
        link.listing.id for link in standing.links if link.listing and not link.listing.public
    }
    public = {link.listing.id for link in standing.links if link.listing and link.listing.public}
    shown = {reason.listing.id for reason in question.answer(standing).reasons if reason.listing}
    assert shown <= public
    assert shown.isdisjoint(hidden - public)


@given(question=QUESTIONS, standing=WITHOUT_PERMITS, ended=st.sampled_from(ListingKind))
def test_the_end_of_all_listings_of_a_kind_leaves_the_reasons_of_the_other_kind(
    question: Question, standing: Standing, ended: ListingKind
) -> None:
    left = Standing(links=tuple(link for link in standing.links if link.kind is not ended))
    bound = {measure.id for measure in MEASURES if ended in measure.listing_kinds}
    before, after = question.answer(standing), question.answer(left)
    assert after.reasons == tuple(one for one in before.reasons if one.measure not in bound)
