"""Which nodes answer checks, what each has of the list, and for how long it has been behind.

Nodes tell Redis what they have (`cache.following`); when a change was made is in the registry.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.errors import CacheError
from cache.following import Following
from checker.database.engine import driver_errors, fetch
from checker.registry.schema import change


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A process that answers checks; `lag_ms`: how long ago the first change was that it lacks."""

    id: str
    version: int
    lag_ms: int


class Nodes(msgspec.Struct, frozen=True, kw_only=True):
    """All nodes by id, and the newest version that there is; 0: no list was ever taken in."""

    newest: int
    nodes: tuple[Node, ...]


async def read_nodes(
    engine: AsyncEngine, following: Following, now: datetime, *, own: Mapping[str, int]
) -> Nodes:
    """Tell of every node; while Redis cannot be asked, of those in `own` (id to version) alone.

    One that died is told of until the next change has passed it over.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    try:
        versions: Mapping[str, int] = (await following.nodes()).versions
    except CacheError:
        versions = own
    # A node that has told nothing readable has nothing.
    held = {node: max(0, version) for node, version in sorted(versions.items())}
    wanted = bindparam("lacked", [each + 1 for each in held.values()], type_=ARRAY(BigInteger))
    newest = select(func.max(change.c.version)).scalar_subquery()
    # Versions have no gap, so the first change that a node lacks is the one after its own.
    lacked = select(newest.label("newest"), change.c.version, change.c.at).where(
        (change.c.version == newest) | (change.c.version == any_(wanted))
    )
    with driver_errors():
        rows = await fetch(engine, lacked)
    made_at = {row["version"]: row["at"] for row in rows}
    return Nodes(
        newest=rows[0]["newest"] if rows else 0,
        nodes=tuple(
            Node(id=node, version=version, lag_ms=_since_ms(made_at.get(version + 1), now))
            for node, version in held.items()
        ),
    )


def _since_ms(made_at: datetime | None, now: datetime) -> int:
    """How long ago that was; 0 for a change that there is none."""
    return 0 if made_at is None else max(0, round((now - made_at).total_seconds() * 1000))
