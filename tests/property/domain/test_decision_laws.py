"""Laws of deciding: total, repeatable, monotone, for any service, standing, place and day."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from checker.domain.clock import CapPeriod, shanghai_day
from checker.domain.decision import OUTCOMES, Decision, Outcome, ReasonCode
from checker.domain.jurisdiction import NATION, Jurisdiction, parse_jurisdiction
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import Air, Rail, Service
from checker.domain.service_terms import AMOUNT_MAX_FEN, Seat, TrainClass
from checker.domain.settings import Settings
from checker.domain.standing import Link, ListingRef, Match, Standing
from checker.policy.book import PolicyBook
from checker.policy.loader import builtin_policies, load_policies

AMOUNTS = st.integers(0, AMOUNT_MAX_FEN)
DAYS = st.dates(date(2016, 1, 1), date(2036, 12, 31))
INSTANTS = st.datetimes(
    datetime(2016, 1, 1),  # noqa: DTZ001 - Hypothesis wants bounds without a zone
    datetime(2036, 12, 31),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
PLACES = st.sampled_from(["CN", "44", "4408", "440882", "440881", "110101"]).map(parse_jurisdiction)

TRAINS = st.builds(
    lambda letter, digits: f"{'' if letter is TrainClass.ORDINARY else letter.value}{digits}",
    st.sampled_from(TrainClass),
    st.integers(1, 9999),
)
BY_HAND = {
    Rail: st.builds(Rail, train=TRAINS, seat=st.sampled_from(Seat)),
    Air: st.just(Air(flight="CZ3101")),
}
SERVICES = st.one_of([BY_HAND.get(variant, st.from_type(variant)) for variant in get_args(Service)])

SETTINGS = st.builds(
    Settings,
    high_school_fee_fen=st.none() | AMOUNTS,
    high_premium_fen=st.none() | AMOUNTS,
    resort_cap_fen=st.none() | AMOUNTS,
    resort_cap_period=st.none() | st.sampled_from(CapPeriod),
)
POLICIES = builtin_policies()
MEASURES = load_policies(POLICIES, {}).measures

LISTINGS = st.builds(
    ListingRef,
    id=st.text("0123456789", min_size=1, max_size=3),
    case_number=st.just("（2016）粤0882执123号"),
    court=st.just("雷州市人民法院"),
    published_on=st.none() | DAYS,
    public=st.booleans(),
)
LINKS = st.builds(
    Link,
    role=st.sampled_from(Role),
    match=st.sampled_from(Match),
    starts_on=st.none() | DAYS,
    ends_on=st.none() | DAYS,
    listing=st.none() | LISTINGS,
)
STANDINGS = st.builds(Standing, links=st.lists(LINKS, max_size=4).map(tuple))


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision is made from, but the standing."""

    service: Service
    place: Jurisdiction
    settings: dict[Jurisdiction, Settings]
    now: datetime
    held_fen: int
    captured_fen: int

    def answer(self, standing: Standing) -> Decision:
        policy = PolicyBook(MEASURES, self.settings).effective(self.place)
        return decide(
            standing,
            self.service,
            policy=policy,
            now=self.now,
            held_fen=self.held_fen,
            captured_fen=self.captured_fen,
        )


QUESTIONS = st.builds(
    Question,
    service=SERVICES,
    place=PLACES,
    settings=st.dictionaries(st.just(NATION) | PLACES, SETTINGS, max_size=2),
    now=INSTANTS,
    held_fen=AMOUNTS,
    captured_fen=AMOUNTS,
)


@given(question=QUESTIONS, standing=STANDINGS)
def test_deciding_is_total_and_repeatable(question: Question, standing: Standing) -> None:
    decision = question.answer(standing)
    assert question.answer(standing) == decision
    assert msgspec.json.encode(decision)


@given(question=QUESTIONS, standing=STANDINGS)
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


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS, data=st.data())
def test_one_more_listing_never_softens(
    question: Question, standing: Standing, link: Link, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(standing.links)))
    more = Standing(links=(*standing.links[:place], link, *standing.links[place:]))
    before, after = question.answer(standing), question.answer(more)
    assert after.outcome.strength >= before.outcome.strength
    assert all(reason in after.reasons for reason in before.reasons)


@given(question=QUESTIONS, standing=STANDINGS, link=LINKS)
def test_a_listing_outside_of_its_days_changes_nothing(
    question: Question, standing: Standing, link: Link
) -> None:
    assume(not link.is_in_force(shanghai_day(question.now)))
    more = Standing(links=(*standing.links, link))
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
    shuffled = Standing(links=tuple(data.draw(st.permutations(standing.links))))
    one, other = question.answer(standing), question.answer(shuffled)
    assert (one.outcome, one.spending) == (other.outcome, other.spending)
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
