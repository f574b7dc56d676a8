"""Subjects at a counter, and the truth about each: the person, and the listings of the person.

Knows the contract's rules of documents, names and masked numbers. Does not know the service's
search: a test compares the service's answers with `CrowdSubject.expected`.
"""

from datetime import date
from enum import StrEnum
from random import Random
from typing import Any

import msgspec

from loadtest.circles import Appearance, CircleRole, Listing
from loadtest.document_numbers import (
    FIRST_YEAR_OF_15_DIGITS,
    SyntheticDocument,
    SyntheticDocumentType,
    birth_year,
    without_century,
)
from loadtest.draw import below, pick
from loadtest.holders import Holder, Organization, SyntheticPerson
from loadtest.names import company_name, personal_name

_NAMED_SHARE = 0.7
_MISNAMED_SHARE = 0.03
_FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


class ListForm(StrEnum):
    """The form in which the list is published; each form loses other facts."""

    LISTING = "listing"
    ZXGK = "zxgk"


class CrowdMatch(StrEnum):
    """The way in which a question matches an entry of the list."""

    DOCUMENT = "document"
    NAME_DIFFERS = "name_differs"
    MASKED = "masked"


class CrowdLink(msgspec.Struct, frozen=True, kw_only=True):
    """One listing that reaches the subject, on the days in `[starts_on, ends_on)`."""

    role: CircleRole
    match: CrowdMatch
    listing_id: str
    case_number: str
    starts_on: date
    ends_on: date | None
    is_public: bool

    def is_in_force(self, on: date) -> bool:
        """Return whether the listing covers a day (Asia/Shanghai)."""
        return self.starts_on <= on and (self.ends_on is None or on < self.ends_on)


class CrowdSubject(msgspec.Struct, frozen=True, kw_only=True):
    """A question of a seller: a document as typed at the counter, and perhaps a name.

    `holder` is the true person; `links` are the links of the list, in force or not.
    """

    document: SyntheticDocument
    name: str | None
    holder: Holder
    links: tuple[CrowdLink, ...]

    def request(self) -> dict[str, Any]:
        """Return the `subject` of a check (contract, section 2)."""
        body: dict[str, Any] = {
            "document": {"type": self.document.type.value, "number": self.document.number}
        }
        if self.name is not None:
            body["name"] = self.name
        return body

    def expected(self, on: date) -> str:
        """Return the decision on a service that is closed to all five roles, as `air` is."""
        matches = {link.match for link in self.links if link.is_in_force(on)}
        if CrowdMatch.DOCUMENT in matches:
            return "deny"
        return "review" if matches else "allow"


def askable(circle: tuple[Listing, ...], form: ListForm) -> list[Holder]:
    """Return each holder whom a listing of a circle shows with a document, once and in order.

    The contract leaves open how a platform record's permit number is read, so in that form only
    holders of resident IDs and companies count.
    """
    holders = {
        (type(shown.holder), shown.holder.index): shown.holder
        for listing in circle
        for shown in listing.appearances
        if shown.documents
    }
    return [
        holder
        for holder in holders.values()
        if form is ListForm.LISTING or isinstance(holder, Organization) or holder.resident_id
    ]


def innocent(holder: Holder, rng: Random) -> CrowdSubject:
    """Return a subject that no listing reaches."""
    document = spelled(pick(rng, holder.documents), rng)
    name = holder.name if rng.random() < _NAMED_SHARE else None
    return CrowdSubject(document=document, name=name, holder=holder, links=())


def reached(
    holder: Holder, circle: tuple[Listing, ...], form: ListForm, rng: Random
) -> CrowdSubject:
    """Return a subject that the circle's listings reach; at times the name is mistyped."""
    known = holder.documents if form is ListForm.LISTING else holder.documents[:1]
    document = spelled(pick(rng, known), rng)
    name = None
    if rng.random() < _NAMED_SHARE:
        name = holder.name if rng.random() >= _MISNAMED_SHARE else _another_name(holder, rng)
    links = tuple(
        _link(listing, shown, match, form)
        for listing in circle
        for shown in listing.appearances
        if _is_of(shown, holder) and (match := _match(shown, name))
    )
    return CrowdSubject(document=document, name=name, holder=holder, links=links)


def _is_of(shown: Appearance, holder: Holder) -> bool:
    return type(shown.holder) is type(holder) and shown.holder.index == holder.index


def _match(shown: Appearance, name: str | None) -> CrowdMatch | None:
    """Return the match of an appearance and a name; None without a match.

    A masked number matches only together with the name. Without a document nothing matches.
    """
    if not shown.documents:
        return None
    if shown.is_masked:
        return CrowdMatch.MASKED if name == shown.holder.name else None
    if name is None or name == shown.holder.name:
        return CrowdMatch.DOCUMENT
    return CrowdMatch.NAME_DIFFERS


def _link(listing: Listing, shown: Appearance, match: CrowdMatch, form: ListForm) -> CrowdLink:
    case, is_platform = listing.case, form is ListForm.ZXGK
    return CrowdLink(
        role=shown.role,
        match=match,
        listing_id=listing.id,
        case_number=case.number,
        starts_on=case.published_on,
        ends_on=None if is_platform else case.expires_on,
        is_public=is_platform or listing.is_public,
    )


def _another_name(holder: Holder, rng: Random) -> str:
    name = holder.name
    while name == holder.name:
        if isinstance(holder, SyntheticPerson):
            name = personal_name(rng, is_female=not holder.is_female)
        else:
            name = company_name(rng)
    return name


def spelled(document: SyntheticDocument, rng: Random) -> SyntheticDocument:
    """Return a number as counters type it: most unchanged, some in another spelling."""
    way, kind, number = below(rng, 20), document.type, document.number
    if way == 0:
        number = number.translate(_FULL_WIDTH)
    elif way == 1:
        number = f"{number[:6]} {number[6:]}"
    elif kind is SyntheticDocumentType.RESIDENT_ID:
        if way == 2:
            number = number.lower()
        elif way == 3 and birth_year(number) >= FIRST_YEAR_OF_15_DIGITS:
            number = without_century(number)
    elif kind is SyntheticDocumentType.USCC and way in {2, 3, 4}:
        hyphen = "-" if way == 2 else ""
        kind, number = SyntheticDocumentType.ORG_CODE, f"{number[8:16]}{hyphen}{number[16]}"
    return SyntheticDocument(type=kind, number=number)
