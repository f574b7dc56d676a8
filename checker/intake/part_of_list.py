"""The part of the list that a snapshot replaces: the listings of the sender's courts."""

from collections.abc import Collection, Sequence

from sqlalchemy import ARRAY, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.domain.court import Courts
from checker.registry.schema import listing

_NAMES = select(listing.c.court).distinct().where(listing.c.until_version.is_(None))
_LATEST = (
    select(listing.c.id, listing.c.court)
    .ext(distinct_on(listing.c.id))
    .where(listing.c.id == any_(bindparam("ids", type_=ARRAY(Text))))
    .order_by(listing.c.id, listing.c.from_version.desc())
)


async def court_names(connection: AsyncConnection, courts: Courts) -> Sequence[str]:
    """Return the names of `courts` as the listings in force spell them.

    The caller holds `Lock.LIST_WRITER`, so no other spelling appears meanwhile.
    """
    names = (await connection.execute(_NAMES)).scalars()
    return [name for name in names if courts.holds(name)]


async def foreign_ids(
    connection: AsyncConnection, ids: Collection[str], courts: Courts
) -> frozenset[str]:
    """Return those of `ids` whose latest listing is another court's."""
    rows = await connection.execute(_LATEST, {"ids": list(ids)})
    return frozenset(row.id for row in rows if not courts.holds(row.court))
