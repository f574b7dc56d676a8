"""What is in force, in numbers: nothing of anybody."""

from datetime import date, timedelta

import msgspec
from sqlalchemy import ColumnElement, FromClause, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors
from checker.domain.standing import REMOVAL_DAYS
from checker.registry.entry import PartyType
from checker.registry.publication import ListVersion, newest_version
from checker.registry.schema import directive, document, listing, officer_link


class ListSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of what is in force.

    `persons` and `organizations` are the different parties, by their documents;
    `unresolved_officers` are known by name alone and reach nobody; `masked` documents can only ever
    give `review`.
    """

    version: ListVersion | None
    persons: int
    organizations: int
    listings: int
    unresolved_officers: int
    masked: int


async def summarize(engine: AsyncEngine) -> ListSummary:
    """Count what is in force now."""
    in_force = listing.c.until_version.is_(None)
    # Who is listed with two documents is one party, known by the lesser of their tokens.
    party = (
        select(listing.c.party_type, func.min(document.c.token).label("token"))
        .join_from(listing, document)
        .where(and_(in_force, document.c.officer_pk.is_(None)))
        .group_by(listing.c.pk, listing.c.party_type)
        .subquery()
    )
    parties = select(
        party.c.party_type, func.count(party.c.token.distinct()).label("parties")
    ).group_by(party.c.party_type)
    listings = select(func.count()).select_from(listing).where(in_force)
    unresolved = (
        select(func.count())
        .select_from(officer_link.join(listing))
        .where(and_(in_force, ~officer_link.c.resolved))
    )
    masked = (
        select(func.count())
        .select_from(document.join(listing))
        .where(and_(in_force, document.c.masked))
    )
    with driver_errors():
        async with engine.connect() as connection:
            version = await newest_version(connection)
            by_type = {row.party_type: row.parties for row in await connection.execute(parties)}
            return ListSummary(
                version=version,
                persons=by_type.get(PartyType.PERSON, 0),
                organizations=by_type.get(PartyType.ORGANIZATION, 0),
                listings=(await connection.execute(listings)).scalar_one(),
                unresolved_officers=(await connection.execute(unresolved)).scalar_one(),
                masked=(await connection.execute(masked)).scalar_one(),
            )


async def count_overdue_removals(engine: AsyncEngine, today: date) -> int:
    """Count the listings that should have been removed by `today`, a day in Asia/Shanghai.

    They are in force, their duty was fulfilled, and the court's days for the removal are over
    (`checker.domain.standing.removal_overdue_from`).
    """
    fulfilment, delisting = directive.alias("fulfilment"), directive.alias("delisting")
    ends_on = func.least(listing.c.expires_on, delisting.c.on)
    overdue = (
        select(func.count())
        .select_from(listing)
        .join(fulfilment, _directs(fulfilment, "fulfilment"))
        .outerjoin(delisting, _directs(delisting, "delisting"))
        .where(
            listing.c.until_version.is_(None),
            fulfilment.c.on <= today - timedelta(days=REMOVAL_DAYS + 1),
            or_(ends_on.is_(None), ends_on > today),
        )
    )
    with driver_errors():
        async with engine.connect() as connection:
            return (await connection.execute(overdue)).scalar_one()


def _directs(table: FromClause, kind: str) -> ColumnElement[bool]:
    return and_(
        table.c.listing_id == listing.c.id, table.c.kind == kind, table.c.until_version.is_(None)
    )
