"""A debtor, two places with settings and an instant, for the tests of the rules."""

from datetime import UTC, date, datetime

from checker.domain.clock import CapPeriod
from checker.domain.jurisdiction import NATION, parse_jurisdiction
from checker.domain.role import Role
from checker.domain.service import Air, Resort
from checker.domain.service_terms import ResortVenue
from checker.domain.settings import Settings
from checker.domain.standing import Link, ListingRef, Match, Standing
from checker.policy.loader import builtin_policies, load_policies

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
CAP = 200_000
SETTINGS = {NATION: Settings(resort_cap_fen=CAP, resort_cap_period=CapPeriod.MONTH)}
BOOK = load_policies(builtin_policies(), SETTINGS)
NATIONAL = BOOK.effective(NATION)
LOCAL = BOOK.effective(parse_jurisdiction("440882"))
WITHOUT_SETTINGS = load_policies(builtin_policies(), {}).effective(NATION)
FLIGHT = Air(flight="CZ3101")


def listing(listing_id: str = "1", *, public: bool = True) -> ListingRef:
    return ListingRef(
        id=listing_id,
        case_number="（2016）粤0882执123号",
        court="雷州市人民法院",
        published_on=date(2016, 7, 7),
        public=public,
    )


def standing(*matches: Match) -> Standing:
    return Standing(
        links=tuple(
            Link(role=Role.DEBTOR, match=match, listing=listing(str(place)))
            for place, match in enumerate(matches)
        )
    )


def resort(amount_fen: int) -> Resort:
    return Resort(venue=ResortVenue.RATED_RESORT, amount_fen=amount_fen)
