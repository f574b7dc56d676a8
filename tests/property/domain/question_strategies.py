"""Questions and facts, for the laws of deciding.

The number of a listing settles what it says; the links to it may differ in everything else.
"""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import msgspec
from hypothesis import strategies as st

from checker.domain.clock import CapPeriod
from checker.domain.decision import Decision
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.jurisdiction import NATION, Jurisdiction, parse_jurisdiction
from checker.domain.listing_kind import ListingKind
from checker.domain.permit import Permit
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import Air, Rail, Service, ServiceType
from checker.domain.service_terms import AMOUNT_MAX_FEN, Seat, SeatCode, TrainClass
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
    Rail: st.builds(Rail, train=TRAINS, seat=st.sampled_from(Seat))
    | st.builds(Rail, train=TRAINS, seat_code=st.sampled_from(SeatCode)),
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
MEASURES = load_policies(builtin_policies(), {}).measures

MEASURE_IDS = st.frozensets(st.sampled_from([measure.id for measure in MEASURES]))


def numbered_listing(number: int) -> ListingRef:
    """Give the listing of that number; the same number is always the same listing."""
    return ListingRef(
        id=str(number),
        case_number="（2016）粤0882执123号",
        court="雷州市人民法院",
        published_on=None if number % 4 == 0 else date(2016 + number % 5, 7, 7),
        public=number % 3 > 0,
    )


LISTINGS = st.integers(1, 12).map(numbered_listing)
UNRELATED = st.integers(13, 24).map(numbered_listing)


def links_of(listings: st.SearchStrategy[ListingRef]) -> st.SearchStrategy[Link]:
    """Give links of any kind to these listings, or to none that is known."""
    return st.builds(
        Link,
        role=st.sampled_from(Role),
        match=st.sampled_from(Match),
        starts_on=st.none() | DAYS,
        ends_on=st.none() | DAYS,
        fulfilled_on=st.none() | DAYS,
        measures=st.none() | MEASURE_IDS,
        listing=st.none() | listings,
        kind=st.sampled_from(ListingKind),
        items=st.none() | st.frozensets(st.sampled_from(ServiceType), min_size=1),
    )


PERMITS = st.builds(
    lambda start, length, **rest: Permit(valid_from=start, valid_until=start + length, **rest),
    start=INSTANTS,
    length=st.timedeltas(timedelta(microseconds=1), timedelta(days=7000)),
    id=st.text("0123456789", min_size=1, max_size=3),
    services=st.frozensets(st.sampled_from(ServiceType), min_size=1),
    uses_left=st.none() | st.integers(-1, 3),
    court=st.just("雷州市人民法院"),
    ground=st.just("因病就医"),
)
LINKS = links_of(LISTINGS)
STANDINGS = st.builds(
    Standing,
    links=st.lists(LINKS, max_size=4).map(tuple),
    permits=st.lists(PERMITS, max_size=2).map(tuple),
)
WITHOUT_PERMITS = st.builds(Standing, links=st.lists(LINKS, max_size=4).map(tuple))


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision is made from, but the standing."""

    service: Service
    place: Jurisdiction
    settings: dict[Jurisdiction, Settings]
    now: datetime
    held_fen: int
    captured_fen: int
    to_organization: bool

    @property
    def policy(self) -> EffectivePolicy:
        """The policy of the place."""
        return PolicyBook(MEASURES, self.settings).effective(self.place)

    def answer(self, standing: Standing, service: Service | None = None) -> Decision:
        """Decide what is asked, or about another service in its place."""
        return decide(
            standing,
            service or self.service,
            policy=self.policy,
            now=self.now,
            held_fen=self.held_fen,
            captured_fen=self.captured_fen,
            to_organization=self.to_organization,
        )


QUESTIONS = st.builds(
    Question,
    service=SERVICES,
    place=PLACES,
    settings=st.dictionaries(st.just(NATION) | PLACES, SETTINGS, max_size=2),
    now=INSTANTS,
    held_fen=AMOUNTS,
    captured_fen=AMOUNTS,
    to_organization=st.booleans(),
)
