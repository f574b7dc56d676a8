"""Finds the corrections of some courts: those about a listing of one of these courts."""

from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.corrections.schema import correction, correction_listing
from checker.domain.court import Courts
from checker.registry.schema import listing

_concerned: Final = correction_listing.join(
    listing, listing.c.id == correction_listing.c.listing_id
)
_NAMES: Final = select(listing.c.court).distinct().select_from(_concerned)


async def of_courts(connection: AsyncConnection, courts: Courts) -> ColumnElement[bool]:
    """Return the condition that a correction is about a listing of one of `courts`."""
    # The database compares names as they are spelled, so the spellings are found first.
    spelled = [name for name in (await connection.execute(_NAMES)).scalars() if courts.holds(name)]
    return (
        select(correction_listing.c.listing_id)
        .select_from(_concerned)
        .where(correction_listing.c.correction_pk == correction.c.pk, listing.c.court.in_(spelled))
        .exists()
    )
