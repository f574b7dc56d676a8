"""Finds listings by their case number, in force or not, for people who look into a case."""

import unicodedata
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import ARRAY, Text, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.domain.listing_kind import ListingKind
from checker.domain.text import without_spaces
from checker.registry.entry import PartyType
from checker.registry.schema import change, listing
from checker.registry.sealing import PARTY_NAME
from checker.vault import Vault

FOUND_MAX: Final = 100
"""A case has a handful of listings. A bound for a case number that many rows share."""

_WIDE: Final = str.maketrans("()〔〕[]【】", "（）（）（）（）")
_NARROW: Final = str.maketrans("（）", "()")


class FoundListing(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a listing. `ended_at` is None while the row is in force.

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
    from_version: int
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
    engine: AsyncEngine, vault: Vault, case_number: str
) -> tuple[FoundListing, ...]:
    """Return the listings of a case, newest first, at most `FOUND_MAX`.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    with driver_errors():
        rows = await fetch(engine, _FOUND, {"wanted": spellings(case_number)})
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
            from_version=row["from_version"],
            ended_at=row["ended_at"],
        )
        for row in rows
    )


_FOUND = (
    select(listing, change.c.at.label("ended_at"))
    .outerjoin_from(listing, change, change.c.version == listing.c.until_version)
    .where(listing.c.case_number == any_(bindparam("wanted", type_=ARRAY(Text))))
    .order_by(listing.c.pk.desc())
    .limit(FOUND_MAX)
)
