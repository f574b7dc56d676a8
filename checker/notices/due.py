"""Reads the endings that are due: those that changes wrote, and those that dates bring.

A change writes its endings itself (`checker.registry.endings`). A date brings an ending without a
change: the day of a delisting, of an expiry or of the end of a retention, and the instant at which
a permit begins. One statement finds those in the record, as the list stands before the date. A day
begins at midnight in Asia/Shanghai.

A late change names a date that has come before the change is committed, because the change took a
while. The notices have passed the date then, so the same statement finds its endings.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.audit.schema import decision
from checker.domain.clock import CapPeriod, period_end, period_start, shanghai_day
from checker.notices.ending import Ending, ending_of, together
from checker.notices.holders import holders_of
from checker.registry.endings import EndingGround, ending
from checker.registry.in_force import in_force
from checker.registry.permit_endings import lifted_by
from checker.registry.permit_schema import permit
from checker.registry.schema import change, directive, listing

_DAY: Final = timedelta(days=1)


class MadeChange(msgspec.Struct, frozen=True, kw_only=True):
    """The number and the instant of a change."""

    version: int
    at: datetime


async def endings_of_changes(
    connection: AsyncConnection, *, after: int, upto: int
) -> Sequence[Ending]:
    """Return the endings that the changes after version `after`, up to version `upto`, wrote.

    Endings of listings that no decision names are left out: a snapshot may end a million listings.
    """
    rows = (await connection.execute(_WRITTEN, {"after": after, "upto": upto})).all()
    granted = [(row.permit_id, row.version) for row in rows if row.token is None]
    holders = await holders_of(connection, granted)
    return together(
        ending_of(
            row,
            occasion=row.version,
            before_version=row.version,
            holder=holders.get((row.permit_id, row.version)),
        )
        for row in rows
    )


async def endings_of_date(
    connection: AsyncConnection, *, instant: datetime, version: int
) -> Sequence[Ending]:
    """Return the endings that `instant` brings, by the list of `version`.

    The endings of a day are among them only when the day begins at `instant`.
    """
    day = shanghai_day(instant)
    begins = period_start(CapPeriod.DAY, instant) == instant
    found = await _passed(
        connection,
        days=(day if begins else day + _DAY, day),
        instants=(instant, instant),
        versions=(0, version),
    )
    holders = await holders_of(connection, [(row.permit_id, version) for row in found])
    return [
        ending_of(
            row, occasion=day, before_at=instant, holder=holders.get((row.permit_id, version))
        )
        for row in found
    ]


async def endings_of_late_change(
    connection: AsyncConnection, late: MadeChange, *, instant: datetime
) -> Sequence[Ending]:
    """Return the endings by dates that a late change names, if the dates came until `instant`."""
    found = await _passed(
        connection,
        days=(shanghai_day(late.at) + _DAY, shanghai_day(instant)),
        instants=(late.at, instant),
        versions=(late.version - 1, late.version),
    )
    version = late.version
    holders = await holders_of(connection, [(row.permit_id, version) for row in found])
    return [
        ending_of(
            row,
            occasion=version,
            before_version=version,
            holder=holders.get((row.permit_id, version)),
        )
        for row in found
    ]


async def next_date(
    connection: AsyncConnection, *, instant: datetime, versions: tuple[int, int]
) -> datetime:
    """Return the next instant after `instant` at which a day or a permit begins.

    A permit counts if a change up to the second of `versions` granted it, and no change up to the
    first withdrew it.
    """
    current, upto = versions
    parameters = {"instant": instant, "version": current, "upto": upto}
    begins: datetime | None = (await connection.execute(_NEXT, parameters)).scalar_one()
    day = period_end(CapPeriod.DAY, instant)
    return day if begins is None else min(begins, day)


async def _passed(
    connection: AsyncConnection,
    *,
    days: tuple[date, date],
    instants: tuple[datetime, datetime],
    versions: tuple[int, int],
) -> Sequence[Any]:
    """Return the rows of `_PASSED`; versions exclude the first, days and instants include both."""
    parameters = {
        "first_day": days[0],
        "last_day": days[1],
        "since": instants[0],
        "until": instants[1],
        "after": versions[0],
        "version": versions[1],
    }
    return (await connection.execute(_PASSED, parameters)).all()


def _is_named(listing_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a decision names the listing."""
    return exists().where(decision.c.listings.contains(array([listing_id])))


_version = bindparam("version", type_=BigInteger)
_after = bindparam("after", type_=BigInteger)
_first_day, _last_day = (bindparam(name, type_=Date) for name in ("first_day", "last_day"))
_since, _until = (bindparam(name, type_=DateTime(timezone=True)) for name in ("since", "until"))


def _came(table: FromClause, day: ColumnElement[date | None]) -> ColumnElement[bool]:
    """Return the condition that a row is in force and its day is within the asked days."""
    began = table.c.from_version > _after
    return and_(began, day.between(_first_day, _last_day), in_force(table, _version))


def _restricts(listing_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a listing goes on after the last of the asked days."""
    delisting = directive.alias("delisting")
    delisted = exists().where(
        delisting.c.kind == "delisting",
        delisting.c.listing_id == listing.c.id,
        delisting.c.on <= _last_day,
        in_force(delisting, _version),
    )
    goes_on = or_(listing.c.expires_on.is_(None), listing.c.expires_on > _last_day)
    stands = in_force(listing, _version)
    return exists().where(listing.c.id == listing_id, goes_on, stands, ~delisted)


def _kept(listing_id: ColumnElement[str]) -> ColumnElement[Any]:
    """Return the measures of a listing that a court keeps after the last of the asked days."""
    retention = directive.alias("retention")
    measures = select(func.unnest(retention.c.measures)).where(
        retention.c.kind == "retention",
        retention.c.listing_id == listing_id,
        retention.c.on > _last_day,
        in_force(retention, _version),
    )
    return func.array(measures.scalar_subquery(), type_=ending.c.kept.type)


def _passed_days() -> Select[Any]:
    """Return a statement for the endings of days; `turn` puts the court's own ground first."""
    listing_id, day = directive.c.listing_id, directive.c.on
    delisted = select(listing_id, directive.c.ground, day, literal(1).label("turn")).where(
        directive.c.kind == "delisting", _came(directive, day)
    )
    expired = select(
        listing.c.id, _text(EndingGround.EXPIRED), listing.c.expires_on, literal(2)
    ).where(_came(listing, listing.c.expires_on), _is_named(listing.c.id))
    # The listing itself restricts what is kept of it until the listing ends.
    over = (
        select(listing_id, _text(EndingGround.RETENTION_OVER), day, literal(3))
        .where(directive.c.kind == "retention", _came(directive, day), ~_restricts(listing_id))
        .distinct()
    )
    found = union_all(delisted, expired, over).subquery("found")
    return select(
        found.c.listing_id,
        found.c.ground,
        found.c.on,
        found.c.turn,
        _kept(found.c.listing_id).label("kept"),
        *(
            null().cast(ending.c[name].type).label(name)
            for name in (*_OF_PERMITS, *_OF_DISTINCTIONS)
        ),
        null().cast(DateTime(timezone=True)).label("at"),
    )


def _passed_permits() -> Select[Any]:
    """Return a statement for the endings by permits that begin later than their grants."""
    begins_at = permit.c.valid_from
    begun = (
        select(permit, begins_at.label("begins_at"))
        .join_from(permit, change, change.c.version == permit.c.from_version)
        .where(change.c.at < begins_at, begins_at.between(_since, _until))
        .where(permit.c.from_version > _after, in_force(permit, _version))
        .cte("begun")
    )
    found = lifted_by(begun, _version).subquery("lifted")
    return select(
        found.c.listing_id,
        _text(EndingGround.PERMIT),
        null().cast(Date),
        literal(0),
        null().cast(ending.c.kept.type),
        *(found.c[name] for name in _OF_PERMITS),
        *(null().cast(ending.c[name].type) for name in _OF_DISTINCTIONS),
        found.c.begins_at,
    )


def _text(ground: EndingGround) -> ColumnElement[str]:
    return literal(ground.value, Text)


_OF_PERMITS: Final = ("roles", "permit_id", "services")
_OF_DISTINCTIONS: Final = ("token", "issuer")
_passed_dates = union_all(_passed_days(), _passed_permits()).subquery("passed")
_PASSED: Final = select(_passed_dates).order_by(
    _passed_dates.c.turn, _passed_dates.c.permit_id, _passed_dates.c.listing_id
)
_NEXT: Final = (
    select(func.min(permit.c.valid_from))
    .join_from(permit, change, change.c.version == permit.c.from_version)
    .where(
        change.c.at < permit.c.valid_from,
        permit.c.valid_from > bindparam("instant", type_=DateTime(timezone=True)),
        permit.c.from_version <= bindparam("upto", type_=BigInteger),
        or_(permit.c.until_version.is_(None), permit.c.until_version > _version),
    )
)
_WRITTEN: Final = (
    select(ending, change.c.at)
    .join_from(ending, change, change.c.version == ending.c.version)
    .where(
        ending.c.version > _after,
        ending.c.version <= bindparam("upto", type_=BigInteger),
        _is_named(ending.c.listing_id),
    )
    .order_by(ending.c.version, ending.c.pk)
)
