"""Which links are in force, and in which order."""

from datetime import date, timedelta

import pytest

from checker.domain.role import Role
from checker.domain.standing import NOT_LISTED, Link, ListingRef, Standing

DAY = date(2026, 11, 23)
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
