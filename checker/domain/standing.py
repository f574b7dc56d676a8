"""All that the list says of one subject now."""

from datetime import date
from enum import StrEnum

import msgspec

from checker.domain.role import ROLE_ORDER, Role


class Match(StrEnum):
    """How surely a listing is about the subject."""

    DOCUMENT = "document"
    """The document is listed, and the name, where both sides give one, is the same."""
    MASKED = "masked"
    """The list shows the document only in part; its known characters and the name are the same."""
    NAME_DIFFERS = "name_differs"
    """The document is listed under another name."""


class ListingRef(msgspec.Struct, frozen=True, kw_only=True):
    """What a reason says of a listing."""

    id: str
    case_number: str
    court: str
    published_on: date | None = None
    public: bool = True


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One way by which one listing reaches the subject, in force on `[starts_on, ends_on)`.

    Without a day it has no bound on that side. `listing` is None where only an outline is known.
    """

    role: Role
    match: Match = Match.DOCUMENT
    starts_on: date | None = None
    ends_on: date | None = None
    listing: ListingRef | None = None

    def is_in_force(self, day: date) -> bool:
        """Say whether the link holds on `day`, a day in Asia/Shanghai."""
        return (self.starts_on is None or self.starts_on <= day) and (
            self.ends_on is None or day < self.ends_on
        )


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The links of one subject; without any, the subject is not listed."""

    links: tuple[Link, ...] = ()

    def in_force(self, day: date) -> tuple[Link, ...]:
        """Give the links in force on `day`, in the order in which reasons name them.

        By day of publication, listing and role; links without details come last.
        """
        links = [link for link in self.links if link.is_in_force(day)]
        if len(links) > 1:
            links.sort(key=_place)
        return tuple(links)


NOT_LISTED = Standing()


def _place(link: Link) -> tuple[bool, date, str, int]:
    listing = link.listing
    if listing is None:
        return True, date.max, "", ROLE_ORDER[link.role]
    return False, listing.published_on or date.max, listing.id, ROLE_ORDER[link.role]
