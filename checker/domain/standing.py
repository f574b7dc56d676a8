"""The standing of one subject: the links and permits that the list has for the subject now."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from checker.domain.deadlines import Deadlines, DueDay
from checker.domain.listing_kind import ListingKind
from checker.domain.permit import Permit
from checker.domain.role import ROLE_ORDER, Role
from checker.domain.service import ServiceType

REMOVAL_DAYS: Final = 3
"""Days in which a court has to remove a listing whose duty is fulfilled.

中办发〔2016〕64号, section 四（二）4, and the same section of the Leizhou plan.
"""


class Match(StrEnum):
    """How surely a listing is about the subject."""

    DOCUMENT = "document"
    """The document is listed. If both sides have a name, the names are the same."""
    MASKED = "masked"
    """The list shows the document only in part; its known characters and the name are the same."""
    NAME_DIFFERS = "name_differs"
    """The document is listed under another name."""
    ISSUER_UNKNOWN = "issuer_unknown"
    """The number of a passport is listed. One side has no issuer, and the subject has no name."""
    DOCUMENTS_DISAGREE = "documents_disagree"
    """A document of the subject is listed, and the list knows another one as another person's."""
    UNRESOLVABLE = "unresolvable"
    """A document of the subject is of a kind that no list can know. There is no listing."""


class ListingRef(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a listing that reasons need."""

    id: str
    case_number: str
    court: str
    published_on: date | None = None
    public: bool = True


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One way by which one listing reaches the subject, in force on `[starts_on, ends_on)`.

    A missing day means no bound on that side. `listing` is None if only an outline is known. The
    duty was fulfilled on the day `fulfilled_on`: the court has to remove the listing. A retained
    link has `measures`: only these measures remain of a listing that has ended. An order may have
    `items`: only these types of services are restricted by it. `not_covered_by` has the ids of
    permits that another document of the subject has, and that do not lift this link.
    """

    role: Role
    match: Match = Match.DOCUMENT
    starts_on: date | None = None
    ends_on: date | None = None
    fulfilled_on: date | None = None
    measures: frozenset[str] | None = None
    listing: ListingRef | None = None
    kind: ListingKind = ListingKind.DISHONEST
    items: frozenset[ServiceType] | None = None
    not_covered_by: frozenset[str] = frozenset()

    def is_overdue(self, day: date, deadlines: Deadlines) -> bool:
        """Whether the court's time to remove the listing is over on `day`.

        A retained link is kept on purpose, so it is never overdue.
        """
        if self.measures is not None or self.fulfilled_on is None:
            return False
        return removal_due(self.fulfilled_on, deadlines).on < day

    def restricts(self, measure: str) -> bool:
        """Whether the link carries the measure of this id."""
        return self.measures is None or measure in self.measures

    def reaches(self, service: ServiceType) -> bool:
        """Whether the link restricts services of this type."""
        return self.items is None or service in self.items

    def is_in_force(self, day: date) -> bool:
        """Whether the link holds on `day`, a day in Asia/Shanghai."""
        return (self.starts_on is None or self.starts_on <= day) and (
            self.ends_on is None or day < self.ends_on
        )


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The links and permits of one subject. A subject without links is not listed."""

    links: tuple[Link, ...] = ()
    permits: tuple[Permit, ...] = ()

    def in_force(self, day: date) -> tuple[Link, ...]:
        """Return the links in force on `day`, in the order in which reasons name them.

        By day of publication, listing and role; links without details come last. A retained link
        is left out while the same listing is in force in the same role. A measure that several
        retained links keep is kept once.
        """
        links = [link for link in self.links if link.is_in_force(day)]
        if len(links) > 1:
            links = _once(links)
            links.sort(key=_place)
        return tuple(links)

    def with_all_shown(self) -> "Standing":
        """Return the standing with all listings shown, as kept decisions have it."""
        if all(link.listing is None or link.listing.public for link in self.links):
            return self
        return msgspec.structs.replace(self, links=tuple(map(_shown, self.links)))


NOT_LISTED = Standing()


def removal_due(fulfilled_on: date, deadlines: Deadlines) -> DueDay:
    """Return the last day on which the removal of a listing is in time."""
    return deadlines.due(fulfilled_on, REMOVAL_DAYS)


def last_overdue(today: date, deadlines: Deadlines) -> date:
    """Return the last day of fulfilment whose removal is overdue on `today`.

    A removal is overdue exactly if its duty was fulfilled on this day or earlier.
    """
    return deadlines.last_over(today, REMOVAL_DAYS)


_Reach: TypeAlias = tuple[str, Role, ListingKind, frozenset[ServiceType] | None]
"""The listing and the role of a link, and what the listing restricts."""


def _once(links: Sequence[Link]) -> list[Link]:
    """Return the links without measures that another link of the same listing already has.

    Links without details may be of one listing or of several, so all of them stay. Links of two
    kinds have different measures, even if a listing has been sent anew as another kind.
    """
    whole = {_reach(link) for link in links if link.listing and link.measures is None}
    kept: dict[tuple[_Reach, Match], frozenset[str]] = {}
    once = []
    for link in links:
        if link.measures is None or link.listing is None:
            once.append(link)
        elif (reach := _reach(link)) not in whole:
            already = kept.get(key := (reach, link.match), frozenset())
            kept[key] = already | link.measures
            once.append(msgspec.structs.replace(link, measures=link.measures - already))
    return once


def _reach(link: Link) -> _Reach:
    assert link.listing is not None, "only links with details are compared"
    return link.listing.id, link.role, link.kind, link.items


def _shown(link: Link) -> Link:
    if link.listing is None:
        return link
    return msgspec.structs.replace(link, listing=msgspec.structs.replace(link.listing, public=True))


def _place(link: Link) -> tuple[bool, date, str, int]:
    listing = link.listing
    if listing is None:
        return True, date.max, "", ROLE_ORDER[link.role]
    return False, listing.published_on or date.max, listing.id, ROLE_ORDER[link.role]
