"""Finds listings by their case number, in force or not, for people who look into a case."""

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import ARRAY, Select, Text, any_, bindparam, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.domain.listing_kind import ListingKind
from checker.domain.text import without_spaces
from checker.registry.entry import PartyType
from checker.registry.schema import change, directive, listing
from checker.registry.sealing import PARTY_NAME
from checker.registry.summary import directs, in_force_on
from checker.vault import Vault

FOUND_MAX: Final = 100
"""A case has a handful of listings. A bound for a case number that many rows share."""

_WIDE: Final = str.maketrans("()〔〕[]【】", "（）（）（）（）")
_NARROW: Final = str.maketrans("（）", "()")


class FoundState(StrEnum):
    """Whether a row of a listing restricts somebody on a day, the first that applies."""

    ENDED = "ended"
    """The row was replaced or removed, or a delisting has come, or its days are over."""
    SHIELDED = "shielded"
    IN_FORCE = "in_force"


class FoundListing(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a listing. `ended_at` is the instant at which a change ended the row, if one did.

    `party_name` is the whole name: a page shows the name of a person masked.
    """

    id: str
    kind: ListingKind
    case_number: str
    court: str
    filed_on: date | None
    published_on: date | None
    expires_on: date | None
    is_public: bool
    party_type: PartyType
    party_name: str
    state: FoundState
    ended_at: datetime | None


def spellings(case_number: str) -> list[str]:
    """Return the spellings of a case number that the list may hold, the typed one first.

    Courts write full-width brackets, and a feed may have sent half-width ones.
    """
    typed = without_spaces(case_number)
    narrow = unicodedata.normalize("NFKC", typed)
    wide = narrow.translate(_WIDE)
    return list(dict.fromkeys([typed, wide, wide.translate(_NARROW), narrow]))


async def find_listings_of(
    engine: AsyncEngine, vault: Vault, case_number: str, today: date
) -> tuple[FoundListing, ...]:
    """Return the listings of a case, newest first, at most `FOUND_MAX`.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    with driver_errors():
        rows = await fetch(engine, _found(today), {"wanted": spellings(case_number)})
    return tuple(
        FoundListing(
            id=row["id"],
            kind=ListingKind(row["kind"]),
            case_number=row["case_number"],
            court=row["court"],
            filed_on=row["filed_on"],
            published_on=row["published_on"],
            expires_on=row["expires_on"],
            is_public=row["public"],
            party_type=PartyType(row["party_type"]),
            party_name=vault.open(row["party_name"], PARTY_NAME, row["id"]),
            state=_state(row, today),
            ended_at=row["ended_at"],
        )
        for row in rows
    )


def _state(row: Mapping[Any, Any], today: date) -> FoundState:
    expires_on: date | None = row["expires_on"]
    if not row["is_in_force"] or (expires_on is not None and expires_on <= today):
        return FoundState.ENDED
    return FoundState.SHIELDED if row["is_shielded"] else FoundState.IN_FORCE


def _found(today: date) -> Select[Any]:
    shielding = directive.alias("shielding")
    is_shielded = select(literal(1)).where(directs(shielding, "shielding")).exists()
    return (
        select(
            listing,
            change.c.at.label("ended_at"),
            in_force_on(today).label("is_in_force"),
            is_shielded.label("is_shielded"),
        )
        .outerjoin_from(listing, change, change.c.version == listing.c.until_version)
        .where(listing.c.case_number == any_(bindparam("wanted", type_=ARRAY(Text))))
        .where(listing.c.purged_at.is_(None))
        .order_by(listing.c.pk.desc())
        .limit(FOUND_MAX)
    )
