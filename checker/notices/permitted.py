"""Which restrictions a permit lifts when it begins: those of the listings that reach its holder.

A permit begins with its grant or with `valid_from`, whichever is later. A decision does not say
whom it was about, so institutions are told that were told of such a listing in a role in which the
holder is reached by it; and only of decisions about a service that is permitted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, LargeBinary, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.domain.clock import shanghai_day
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.notices.ending import Ending, Ground
from checker.registry.in_force import documents_of, links, reach

_GRANTED: Final = text(
    """
SELECT p.id, p.token, p.services, greatest(p.valid_from, c.at) AS begins_at, c.version
FROM change c JOIN permit p ON p.from_version = c.version
WHERE c.version > :after AND c.version <= :upto
AND p.valid_from <= greatest(c.at, CAST(:instant AS timestamptz)) AND p.valid_until > c.at
AND (p.until_version IS NULL OR p.until_version > p.from_version)
ORDER BY c.version, p.id
"""
)

_BEGUN: Final = text(
    """
SELECT p.id, p.token, p.services, p.valid_from AS begins_at
FROM permit p JOIN change c ON c.version = p.from_version AND c.at < p.valid_from
WHERE p.valid_from = :instant AND p.from_version <= :version
AND (p.until_version IS NULL OR p.until_version > :version)
ORDER BY p.id
"""
)

_NEXT: Final = text(
    """
SELECT min(p.valid_from)
FROM permit p JOIN change c ON c.version = p.from_version AND c.at < p.valid_from
WHERE p.valid_from > :instant AND p.from_version <= :version
AND (p.until_version IS NULL OR p.until_version > :version)
"""
)

_FIRST_TO_BEGIN_LATER: Final = text(
    """
SELECT min(c.version)
FROM change c JOIN permit p ON p.from_version = c.version AND p.valid_from > c.at
WHERE c.version > :after AND c.version <= :upto
"""
)

_version = bindparam("version", type_=BigInteger)
_wanted = select(bindparam("token", type_=LargeBinary).label("token")).cte("wanted")
_reached = documents_of(reach(_wanted, _version).cte("reaching")).cte("reached")
_link = links(_reached, _version).subquery("link")
_LINKS: Final = select(_link.c.listing_id, _link.c.role, _link.c.starts_on, _link.c.ends_on)


async def next_permit_begins(
    connection: AsyncConnection, *, instant: datetime, version: int
) -> datetime | None:
    """Tell when the next permit begins after an instant, by the list of a version."""
    parameters = {"instant": instant, "version": version}
    begins: datetime | None = (await connection.execute(_NEXT, parameters)).scalar_one()
    return begins


async def first_grant_for_later(
    connection: AsyncConnection, *, after: int, upto: int
) -> int | None:
    """Give the first version, after one and up to another, to grant a permit that begins later."""
    parameters = {"after": after, "upto": upto}
    version: int | None = (await connection.execute(_FIRST_TO_BEGIN_LATER, parameters)).scalar_one()
    return version


async def endings_by_grants(
    connection: AsyncConnection, *, after: int, upto: int, instant: datetime | None
) -> Sequence[Ending]:
    """Tell what permits lift that begin with their grant, after a version up to another.

    `instant`: up to which the clock was told of.
    """
    parameters = {"after": after, "upto": upto, "instant": instant}
    rows = (await connection.execute(_GRANTED, parameters)).all()
    found: list[Ending] = []
    for row in rows:
        found += await _lifted(connection, row, row.version, before_version=row.version)
    return found


async def endings_by_begun_permits(
    connection: AsyncConnection, *, instant: datetime, version: int
) -> Sequence[Ending]:
    """Tell what permits lift that begin at an instant, by the list of a version."""
    rows = (await connection.execute(_BEGUN, {"instant": instant, "version": version})).all()
    found: list[Ending] = []
    for row in rows:
        found += await _lifted(connection, row, version, before_at=instant)
    return found


async def _lifted(
    connection: AsyncConnection,
    row: Any,
    version: int,
    *,
    before_version: int | None = None,
    before_at: datetime | None = None,
) -> list[Ending]:
    day = shanghai_day(row.begins_at)
    roles: dict[str, set[Role]] = {}
    for link in await connection.execute(_LINKS, {"token": row.token, "version": version}):
        if (link.starts_on is None or link.starts_on <= day) and (
            link.ends_on is None or day < link.ends_on
        ):
            roles.setdefault(link.listing_id, set()).add(Role(link.role))
    return [
        Ending(
            listing_id=listing_id,
            key=f"permit:{row.id}",
            ground=Ground.PERMIT,
            ended_at=row.begins_at,
            before_version=before_version,
            before_at=before_at,
            roles=frozenset(those),
            services=frozenset(map(ServiceType, row.services)),
        )
        for listing_id, those in sorted(roles.items())
    ]
