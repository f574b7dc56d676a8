"""Which links are in force, and in which order."""

from datetime import date, timedelta

import msgspec
import pytest

from checker.domain.deadlines import Deadlines, DueBasis
from checker.domain.role import Role
from checker.domain.standing import (
    NOT_LISTED,
    Link,
    ListingRef,
    Match,
    Standing,
)
from checker.policy.calendar import builtin_calendar

DAY = date(2026, 11, 23)
LONG_AGO = date(2026, 1, 5)
DEADLINES = Deadlines(calendar=builtin_calendar(), basis=DueBasis.CALENDAR_ROLL)
ONE = timedelta(days=1)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "is_in_force"),
    [
        (None, None, True),
        (DAY, None, True),
        (DAY + ONE, None, False),
        (None, DAY, False),
        (None, DAY + ONE, True),
        (DAY, DAY, False),
        (DAY, DAY + ONE, True),
        (DAY - ONE, DAY, False),
    ],
)
def test_a_link_is_in_force_from_its_first_day_up_to_before_its_last(
    starts_on: date | None, ends_on: date | None, *, is_in_force: bool
) -> None:
    link = Link(role=Role.DEBTOR, starts_on=starts_on, ends_on=ends_on)
    assert (Standing(links=(link,)).in_force(DAY) == (link,)) is is_in_force


def test_who_is_not_listed_has_no_links() -> None:
    assert NOT_LISTED.in_force(DAY) == ()


def test_links_are_ordered_by_publication_then_listing_then_role() -> None:
    def link(role: Role, listing_id: str, published_on: date | None) -> Link:
        listing = ListingRef(
            id=listing_id, case_number="c", court="雷州市人民法院", published_on=published_on
        )
        return Link(role=role, listing=listing)

    ordered = (
        link(Role.PRINCIPAL, "9", DAY - ONE),
        link(Role.DEBTOR, "1", DAY),
        link(Role.LEGAL_REPRESENTATIVE, "1", DAY),
        link(Role.ACTUAL_CONTROLLER, "1", DAY),
        link(Role.DEBTOR, "2", DAY),
        link(Role.DEBTOR, "0", None),
        Link(role=Role.DEBTOR),
        Link(role=Role.DIRECTLY_RESPONSIBLE),
    )
    assert Standing(links=ordered[::-1]).in_force(DAY) == ordered
    assert Standing(links=ordered[3:] + ordered[:3]).in_force(DAY) == ordered


def retained(listing_id: str | None, *measures: str, role: Role = Role.DEBTOR) -> Link:
    return Link(role=role, measures=frozenset(measures), listing=listing_of(listing_id))


def listing_of(listing_id: str | None) -> ListingRef | None:
    if listing_id is None:
        return None
    return ListingRef(id=listing_id, case_number="c", court="雷州市人民法院")


@pytest.mark.parametrize(
    ("whole", "stays"),
    [
        (Link(role=Role.DEBTOR, listing=listing_of("1")), False),
        (Link(role=Role.DEBTOR, match=Match.MASKED, listing=listing_of("1")), False),
        (Link(role=Role.DEBTOR, fulfilled_on=LONG_AGO, listing=listing_of("1")), False),
        (Link(role=Role.DEBTOR, ends_on=DAY + ONE, listing=listing_of("1")), False),
        (Link(role=Role.DEBTOR, ends_on=DAY, listing=listing_of("1")), True),
        (Link(role=Role.DEBTOR, starts_on=DAY + ONE, listing=listing_of("1")), True),
        (Link(role=Role.PRINCIPAL, listing=listing_of("1")), True),
        (Link(role=Role.DEBTOR, listing=listing_of("2")), True),
        (Link(role=Role.DEBTOR), True),
    ],
)
def test_what_is_retained_waits_while_its_listing_is_in_force_in_the_same_role(
    whole: Link, *, stays: bool
) -> None:
    kept = retained("1", "a")
    for links in [(kept, whole), (whole, kept)]:
        assert (kept in Standing(links=links).in_force(DAY)) is stays


def test_what_two_retentions_of_a_listing_keep_is_kept_once() -> None:
    links = (
        retained("1", "a"),
        retained("1", "a", "b"),
        retained("1", "a", role=Role.PRINCIPAL),
        retained("2", "a"),
        retained(None, "a"),
        retained(None, "a"),
    )
    kept = [link.measures for link in Standing(links=links).in_force(DAY)]
    assert kept == [*map(frozenset, ["a", "b", "a", "a", "a", "a"])]


def test_what_is_retained_is_never_overdue() -> None:
    whole = Link(role=Role.DEBTOR, fulfilled_on=LONG_AGO)
    assert whole.is_overdue(DAY, DEADLINES)
    assert not msgspec.structs.replace(whole, measures=frozenset("a")).is_overdue(DAY, DEADLINES)
