"""The list in force, in numbers, without any person."""

from datetime import date
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, FromClause, Select, and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors
from checker.domain.deadlines import Deadlines
from checker.domain.standing import last_overdue
from checker.registry.entry import PartyType
from checker.registry.lost_changes import LostChange, read_lost
from checker.registry.schema import directive, document, listing, officer_link
from checker.registry.versions import ListVersion, newest_version


class ListSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of what is in force.

    `persons` and `organizations` are the different parties, by their documents; `overdue_removals`
    are listings whose duty was fulfilled and whose court's days for the removal are over;
    `unresolved_officers` are known by name alone and reach nobody, and so are persons with an order
    and without a number; `masked` documents can only ever give `review`; `lost_changes` were
    acknowledged once and are not in the registry.
    """

    version: ListVersion | None
    persons: int
    organizations: int
    listings: int
    overdue_removals: int
    unresolved_officers: int
    masked: int
    lost_changes: tuple[LostChange, ...]


async def summarize(engine: AsyncEngine, today: date, deadlines: Deadlines) -> ListSummary:
    """Count what is in force on `today`, a day in Asia/Shanghai."""
    in_force = in_force_on(today)
    # Who is listed with two documents is one party, known by the lesser of their tokens.
    party = (
        select(listing.c.party_type, func.min(document.c.token).label("token"))
        .join_from(listing, document)
        .where(and_(in_force, document.c.officer_pk.is_(None), ~document.c.derived))
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
    has_document = select(literal(1)).where(
        document.c.listing_pk == listing.c.pk, document.c.officer_pk.is_(None)
    )
    unnumbered = listings.where(listing.c.party_type == PartyType.PERSON, ~has_document.exists())
    masked = (
        select(func.count())
        .select_from(document.join(listing))
        .where(and_(in_force, document.c.masked, ~document.c.derived))
    )
    overdue = _overdue(in_force, today, last_overdue(today, deadlines))
    with driver_errors():
        async with engine.connect() as connection:
            version = await newest_version(connection)
            by_type = {row.party_type: row.parties for row in await connection.execute(parties)}
            return ListSummary(
                version=version,
                persons=by_type.get(PartyType.PERSON, 0),
                organizations=by_type.get(PartyType.ORGANIZATION, 0),
                listings=(await connection.execute(listings)).scalar_one(),
                overdue_removals=(await connection.execute(overdue)).scalar_one(),
                unresolved_officers=(await connection.execute(unresolved)).scalar_one()
                + (await connection.execute(unnumbered)).scalar_one(),
                masked=(await connection.execute(masked)).scalar_one(),
                lost_changes=await read_lost(connection),
            )


def _overdue(in_force: ColumnElement[bool], today: date, fulfilled_until: date) -> Select[Any]:
    """Count the listings whose duty was fulfilled until a day, and which are still in force."""
    fulfilment = directive.alias("fulfilment")
    return (
        select(func.count())
        .select_from(listing)
        .join(fulfilment, directs(fulfilment, "fulfilment"))
        .where(
            in_force,
            fulfilment.c.on <= fulfilled_until,
            or_(listing.c.expires_on.is_(None), listing.c.expires_on > today),
        )
    )


def in_force_on(today: date) -> ColumnElement[bool]:
    """Return the condition of a listing that is in force on a day."""
    delisting = directive.alias("delisting")
    has_ended = select(literal(1)).where(directs(delisting, "delisting"), delisting.c.on <= today)
    return and_(listing.c.until_version.is_(None), ~has_ended.exists())


def directs(table: FromClause, kind: str) -> ColumnElement[bool]:
    """Return the condition of a directive in force of a kind about a listing."""
    return and_(
        table.c.listing_id == listing.c.id, table.c.kind == kind, table.c.until_version.is_(None)
    )
