"""A service cannot be restricted exactly if deciding allows it to everybody."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import product

import pytest

from checker.domain.decision import ALLOWED
from checker.domain.jurisdiction import Jurisdiction, parse_jurisdiction
from checker.domain.listing_kind import ListingKind
from checker.domain.permit import Permit
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import ServiceType
from checker.domain.settings import Settings
from checker.domain.standing import Link, Match, Standing
from checker.policy.loader import builtin_policies, load_policies
from tests.support.every_service import LEIZHOU, LISTING, NOW, SET, services
from tests.support.violations import assert_none

BOOK = load_policies(builtin_policies(), SET)


def adverse_standings() -> Iterator[Standing]:
    """Give each kind of listing by each role, match and due removal, and each measure retained."""
    overdue = (None, date(2026, 11, 16))
    for kind, role, match, since in product(ListingKind, Role, Match, overdue):
        link = Link(role=role, match=match, fulfilled_on=since, listing=LISTING, kind=kind)
        yield Standing(links=(link,))
    for measure in BOOK.measures:
        for kind in measure.listing_kinds:
            kept = frozenset({measure.id})
            link = Link(role=Role.DEBTOR, measures=kept, listing=LISTING, kind=kind)
            yield Standing(links=(link,))


@pytest.mark.parametrize("settings", [SET, {}], ids=["set", "unset"])
@pytest.mark.parametrize("place", ["44", "440882"])
def test_a_service_can_be_restricted_exactly_if_anybody_is_not_allowed_it(
    place: str, settings: Mapping[Jurisdiction, Settings]
) -> None:
    jurisdiction = parse_jurisdiction(place)
    book = load_policies(builtin_policies(), settings)
    policy = book.effective(jurisdiction)

    def wrong_cells() -> Iterator[str]:
        for service in services():
            decisions = [
                decide(each, service, policy=policy, now=NOW) for each in adverse_standings()
            ]
            for _ in ("computed", "remembered"):
                if book.can_restrict(service, jurisdiction) is all(
                    each is ALLOWED for each in decisions
                ):
                    yield f"{service} in {place}"

    assert_none(wrong_cells())


def test_a_service_that_nothing_restricts_is_allowed_to_the_holder_of_a_permit_too() -> None:
    permit = Permit(
        id="1",
        services=frozenset(ServiceType),
        valid_from=NOW,
        valid_until=NOW + timedelta(days=1),
        uses_left=1,
        court="雷州市人民法院",
        ground="示例",
    )
    links = tuple(
        Link(role=role, listing=LISTING, kind=kind) for role, kind in product(Role, ListingKind)
    )
    standing = Standing(links=links, permits=(permit,))
    policy = BOOK.effective(LEIZHOU)
    unrestricted = [each for each in services() if not BOOK.can_restrict(each, LEIZHOU)]
    assert unrestricted
    for service in unrestricted:
        assert decide(standing, service, policy=policy, now=NOW) is ALLOWED
