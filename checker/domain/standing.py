"""The standing of one subject: the links and permits that the list has for the subject now."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.permit import Permit
from checker.domain.role import ROLE_ORDER, Role

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

    A missing day means no bound on that side. `listing` is None if only an outline is known. From
    `overdue_from` on, the court should have removed the listing. A retained link has `measures`:
    only these measures remain of a listing that has ended. `not_covered_by` has the ids of permits
    that another document of the subject has, and that do not lift this link.
    """

    role: Role
    match: Match = Match.DOCUMENT
    starts_on: date | None = None
    ends_on: date | None = None
    overdue_from: date | None = None
    measures: frozenset[str] | None = None
    listing: ListingRef | None = None
    not_covered_by: frozenset[str] = frozenset()

    def is_overdue(self, day: date) -> bool:
        """Whether the court's time to remove the listing is over on `day`.

        A retained link is kept on purpose, so it is never overdue.
        """
        return self.measures is None and self.overdue_from is not None and self.overdue_from <= day

    def restricts(self, measure: str) -> bool:
        """Whether the link carries the measure of this id."""
        return self.measures is None or measure in self.measures

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


def removal_overdue_from(fulfilled_on: date) -> date:
    """Return the first day on which a listing whose duty was fulfilled on that day is overdue.

    The day itself is not counted (民法典, article 201). A time that ends on a holiday is longer
    (article 203); this count does not know holidays, and an overdue listing gives `review`.
    """
    return fulfilled_on + timedelta(days=REMOVAL_DAYS + 1)


def _once(links: Sequence[Link]) -> list[Link]:
    """Return the links without measures that another link of the same listing already has.

    Links without details may be of one listing or of several, so all of them stay.
    """
    whole = {
        (link.listing.id, link.role) for link in links if link.listing and link.measures is None
    }
    kept: dict[tuple[str, Role, Match], frozenset[str]] = {}
    once = []
    for link in links:
        if link.measures is None or link.listing is None:
            once.append(link)
        elif (link.listing.id, link.role) not in whole:
            already = kept.get(key := (link.listing.id, link.role, link.match), frozenset())
            kept[key] = already | link.measures
            once.append(msgspec.structs.replace(link, measures=link.measures - already))
    return once


def _shown(link: Link) -> Link:
    if link.listing is None:
        return link
    return msgspec.structs.replace(link, listing=msgspec.structs.replace(link.listing, public=True))


def _place(link: Link) -> tuple[bool, date, str, int]:
    listing = link.listing
    if listing is None:
        return True, date.max, "", ROLE_ORDER[link.role]
    return False, listing.published_on or date.max, listing.id, ROLE_ORDER[link.role]
