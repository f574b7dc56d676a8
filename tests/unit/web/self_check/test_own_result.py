"""The answer of the self-check: which links are shown, and how much of each."""

from datetime import date

import msgspec
import pytest

from checker.domain.jurisdiction import NATION
from checker.domain.listing_kind import ListingKind
from checker.domain.measure import Effect
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import Lodging, Rail, Service, ServiceType
from checker.domain.service_terms import Seat
from checker.domain.standing import Link, ListingRef, Match, Standing
from checker.policy.loader import builtin_policies, load_policies
from checker.web.self_check.own_result import OwnResult, own_result
from tests.support.fake_clock import FakeClock

POLICIES = load_policies(builtin_policies(), {})
TODAY = date(2026, 11, 30)
COURT, OTHER_COURT = "雷州市人民法院", "湛江市中级人民法院"
LISTING = ListingRef(
    id="1", case_number="（2016）粤0882执1号", court=COURT, published_on=date(2026, 11, 25)
)
LINK = Link(role=Role.DEBTOR, starts_on=LISTING.published_on, listing=LISTING)
HIDDEN = msgspec.structs.replace(
    LINK, listing=msgspec.structs.replace(LISTING, id="2", court=OTHER_COURT, public=False)
)
MASKED = msgspec.structs.replace(LINK, match=Match.MASKED)


def result_of(*links: Link, is_organization: bool = False) -> OwnResult:
    standing = Standing(links=links)
    return own_result(standing, POLICIES, TODAY, is_organization=is_organization)


def measures_of(result: OwnResult) -> set[str]:
    parts = (*result.consumption, *result.matters, *result.local)
    return {each.measure.id for each in parts}


@pytest.mark.parametrize(
    "link",
    [
        msgspec.structs.replace(LINK, match=Match.NAME_DIFFERS),
        msgspec.structs.replace(MASKED, listing=HIDDEN.listing),
        msgspec.structs.replace(LINK, ends_on=TODAY),
        msgspec.structs.replace(LINK, starts_on=date(2026, 12, 1)),
    ],
    ids=["another name", "masked and not public", "ended", "not yet"],
)
def test_some_links_show_nothing_at_all(link: Link) -> None:
    assert result_of(link) == result_of() == OwnResult()


def test_a_public_entry_is_shown_with_its_court_and_its_days() -> None:
    result = result_of(LINK)
    [entry] = result.entries
    assert result.is_listed
    assert (entry.listing, entry.roles, entry.until) == (LISTING, (Role.DEBTOR,), None)
    assert (entry.since, entry.apply_by) == (date(2026, 11, 25), date(2026, 12, 5))
    assert result.courts == (COURT,)


def test_an_entry_that_is_not_public_shows_its_court_alone() -> None:
    result = result_of(HIDDEN, HIDDEN)
    assert result == OwnResult(courts_to_ask=(OTHER_COURT,))
    assert result.is_listed


def test_a_masked_entry_is_possible_and_never_certain() -> None:
    result = result_of(MASKED)
    assert result == OwnResult(possible=(LISTING,))
    assert not result.is_listed


def test_a_debtor_sees_the_measures_of_every_place_and_an_officer_those_for_officers() -> None:
    debtor = result_of(LINK)
    assert {"cn-2016-64/2.7.1", "cn-2016-64/2.1.1", "leizhou/2.7.2"} <= measures_of(debtor)
    assert not any(each.startswith("cn-spc-2015-17/") for each in measures_of(debtor))
    officer = result_of(msgspec.structs.replace(LINK, role=Role.PRINCIPAL))
    assert officer.matters == ()
    effects = {clause.effect for each in officer.consumption for clause in each.clauses}
    assert effects == {Effect.RESTRICT}


def test_an_order_binds_by_the_rule_of_orders_and_for_its_own_items() -> None:
    order = msgspec.structs.replace(LINK, kind=ListingKind.CONSUMPTION_ORDER)
    assert all(each.startswith("cn-spc-2015-17/") for each in measures_of(result_of(order)))
    flights = msgspec.structs.replace(order, items=frozenset({ServiceType.AIR}))
    assert measures_of(result_of(flights)) == {"cn-spc-2015-17/3.1"}


def test_a_retained_measure_is_the_only_one_that_is_left() -> None:
    kept = msgspec.structs.replace(LINK, measures=frozenset({"cn-2016-64/2.7.1"}))
    assert measures_of(result_of(kept)) == {"cn-2016-64/2.7.1"}


def test_an_overdue_entry_is_shown_and_refuses_nothing() -> None:
    result = result_of(msgspec.structs.replace(LINK, fulfilled_on=date(2026, 11, 2)))
    [entry] = result.entries
    assert (entry.is_overdue, entry.removal_due_on) == (True, date(2026, 11, 5))
    assert measures_of(result) == set()


def test_ten_days_after_publication_no_last_day_is_named() -> None:
    old = msgspec.structs.replace(LISTING, published_on=date(2016, 7, 7))
    [entry] = result_of(msgspec.structs.replace(LINK, listing=old)).entries
    assert entry.apply_by is None


def test_an_entry_that_reaches_a_person_twice_is_one_entry() -> None:
    result = result_of(LINK, msgspec.structs.replace(LINK, role=Role.PRINCIPAL))
    [entry] = result.entries
    assert entry.roles == (Role.DEBTOR, Role.PRINCIPAL)


def test_an_organization_does_not_see_what_binds_persons_alone() -> None:
    person, organization = result_of(LINK), result_of(LINK, is_organization=True)
    assert measures_of(organization) < measures_of(person)
    assert "cn-2016-64/2.3.1" in measures_of(person) - measures_of(organization)


@pytest.mark.parametrize(
    "service",
    [
        Rail(train="K511", seat=Seat.HARD_SLEEPER),
        Rail(train="K511", seat=Seat.HARD_SEAT),
        Rail(train="D7451", seat=Seat.SECOND),
        Lodging(star_rating=0),
    ],
    ids=["hard sleeper", "hard seat", "second class", "no stars"],
)
def test_the_examples_of_daily_life_on_the_page_of_the_law_are_allowed(service: Service) -> None:
    policy = POLICIES.effective(NATION)
    order = msgspec.structs.replace(LINK, kind=ListingKind.CONSUMPTION_ORDER)
    now = FakeClock().now()
    for link in (LINK, order):
        standing = Standing(links=(msgspec.structs.replace(link, starts_on=None),))
        assert decide(standing, service, policy=policy, now=now).outcome == "allow"
