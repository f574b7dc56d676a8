"""Several documents of one subject: listings once, permits where they reach, and contradictions."""

from datetime import UTC, datetime

import pytest

from checker.domain.listing_kind import ListingKind
from checker.domain.permit import Permit
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.domain.standing import Link, ListingRef, Match
from checker.registry.found_document import FoundDocument
from checker.registry.several_documents import one_standing

JANUARY, DECEMBER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def link(listing_id: str, match: Match = Match.DOCUMENT, role: Role = Role.DEBTOR) -> Link:
    listing = ListingRef(id=listing_id, case_number="", court="")
    return Link(role=role, match=match, listing=listing)


def permit(permit_id: str) -> Permit:
    return Permit(
        id=permit_id,
        services=frozenset({ServiceType.AIR}),
        valid_from=JANUARY,
        valid_until=DECEMBER,
        uses_left=1,
        court="",
        ground="",
    )


def found(
    *links: Link,
    permits: tuple[Permit, ...] = (),
    persons: str = "",
    names: bytes = b"",
) -> FoundDocument:
    each_name = frozenset(bytes([each]) for each in names)
    return FoundDocument(links, permits, (), frozenset(persons), each_name)


def test_a_listing_counts_once_in_each_role_by_its_surest_hit() -> None:
    masked, sure = link("1", Match.MASKED), link("1")
    officer = link("1", role=Role.PRINCIPAL)
    standing = one_standing([found(masked, officer), found(sure)], is_unknowable=False)
    assert standing.links == (sure, officer)


def test_a_permit_does_not_lift_the_listings_of_a_document_that_it_does_not_cover() -> None:
    one = found(link("1"), link("3"), permits=(permit("P"),))
    other = found(link("2"), link("3"))
    standing = one_standing([one, other], is_unknowable=False)
    uncovered = {each.listing.id: each.not_covered_by for each in standing.links if each.listing}
    assert uncovered == {"1": frozenset(), "2": frozenset("P"), "3": frozenset()}
    assert standing.permits == (permit("P"),)


@pytest.mark.parametrize(
    ("one", "other", "disagree"),
    [
        (found(link("1"), names=b"a"), found(link("2"), names=b"b"), True),
        (found(link("1"), names=b"a"), found(link("2"), names=b"a"), False),
        (found(link("1"), names=b"a", persons="p"), found(link("2"), names=b"b"), True),
        (found(link("1"), names=b"a", persons="p"), found(names=b"b", persons="p"), False),
        (found(link("1"), names=b"a", persons="p"), found(persons="q"), True),
        (found(link("1"), names=b"a"), found(persons="q"), False),
        (found(link("1"), names=b"a"), found(), False),
        (found(link("1"), names=b"a"), found(link("2", Match.MASKED)), False),
    ],
)
def test_documents_disagree_if_the_list_knows_two_persons(
    one: FoundDocument, other: FoundDocument, disagree: bool
) -> None:
    for documents in ([one, other], [other, one]):
        standing = one_standing(documents, is_unknowable=False)
        matches = {each.match for each in standing.links}
        assert (Match.DOCUMENTS_DISAGREE in matches) is disagree


def test_no_permit_lifts_what_belongs_to_two_persons() -> None:
    one = found(link("1"), names=b"a", permits=(permit("P"),))
    standing = one_standing([one, found(link("2"), names=b"b")], is_unknowable=False)
    assert standing.permits == ()


def test_an_unknowable_document_adds_a_doubt_that_no_permit_lifts() -> None:
    standing = one_standing([found(link("1"), permits=(permit("P"),))], is_unknowable=True)
    assert [each.match for each in standing.links[1:]] == [Match.UNRESOLVABLE] * len(ListingKind)
    assert {each.kind for each in standing.links[1:]} == set(ListingKind)
    assert {each.not_covered_by for each in standing.links[1:]} == {frozenset("P")}
