"""The nodes that answer checks, the version each node holds, and how long each is behind.

Nodes note their newest change in Redis (`cache.replica_source`). The registry has the instant of
each change.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.errors import CacheError
from cache.replica_source import HeldChange, ReplicaSource
from checker.database.engine import driver_errors, fetch
from checker.registry.schema import change, lost_change


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A process that answers checks; `lag_ms`: the age of the first change that the node lacks.

    A node that holds a change of another history than the registry's has version 0. Such a node has
    nothing of this list, and answers no check from its own copy until it has loaded this list.
    """

    id: str
    version: int
    lag_ms: int


class Nodes(msgspec.Struct, frozen=True, kw_only=True):
    """All nodes by id, and the newest version that there is; 0: no list was ever taken in.

    `lost_changes` counts the changes that the registry was found to have lost.
    """

    newest: int
    lost_changes: int
    nodes: tuple[Node, ...]


async def read_nodes(
    engine: AsyncEngine,
    replica_source: ReplicaSource,
    now: datetime,
    *,
    own: Mapping[str, HeldChange],
) -> Nodes:
    """Return every node that is not silent; while Redis cannot be asked, those in `own` alone.

    A node that died is silent within seconds.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    try:
        membership = await replica_source.nodes()
        nodes: Mapping[str, HeldChange] = {
            node: held for node, held in membership.nodes.items() if node not in membership.silent
        }
    except CacheError:
        nodes = own
    # Versions have no gap, so the first change that a node lacks is the one after its own.
    numbers = {number for held in nodes.values() for number in (held.version, held.version + 1)} | {
        1
    }
    wanted = bindparam("wanted", sorted(numbers), type_=ARRAY(BigInteger))
    newest = select(func.max(change.c.version)).scalar_subquery()
    lost = select(func.count()).select_from(lost_change).scalar_subquery()
    around = select(
        newest.label("newest"),
        lost.label("lost"),
        change.c.version,
        change.c.at,
        change.c.change_id,
    ).where((change.c.version == newest) | (change.c.version == any_(wanted)))
    with driver_errors():
        rows = await fetch(engine, around)
    made_at = {row["version"]: row["at"] for row in rows}
    known = {row["change_id"].hex for row in rows}
    versions = {
        node: held.version if held.change_id in known else 0 for node, held in sorted(nodes.items())
    }
    return Nodes(
        newest=rows[0]["newest"] if rows else 0,
        lost_changes=rows[0]["lost"] if rows else 0,
        nodes=tuple(
            Node(id=node, version=version, lag_ms=_since_ms(made_at.get(version + 1), now))
            for node, version in versions.items()
        ),
    )


def _since_ms(made_at: datetime | None, now: datetime) -> int:
    """Return the time since an instant in milliseconds; 0 without an instant."""
    return 0 if made_at is None else max(0, round((now - made_at).total_seconds() * 1000))
