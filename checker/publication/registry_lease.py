"""The registry's word: with Redis away, PostgreSQL renews the lease of a node.

A node writes its row first, and reads the changes in a second transaction. A feed commits its
change first, and then looks for young rows. If the feed does not see the node's row, the node wrote
the row after that look. So the node read after the commit, and saw the change. In one statement
each of the two could miss the other.
"""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.changes import Position
from cache.lease import SETTLED_S
from cache.replica_keeper import AnotherHistory, Newer, WordUnavailable
from checker.database.engine import driver_errors
from checker.errors import Unavailable
from checker.publication.outbox import read_since
from checker.registry.lost_changes import SET_BACK, note_lost
from checker.registry.schema import registry_lease

_AGE = func.extract("epoch", func.clock_timestamp() - registry_lease.c.renewed_at)
_FORGOTTEN_S = 3600


class RegistryWord:
    """The registry's word; `engine` is one whose statements are bounded."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def renew(self, node: str, after: Position) -> Newer | None:
        """Note that `node` lives on the registry's word, then read the changes after `after`.

        Returns None if the changes cannot be given token by token. Raises WordUnavailable, also
        while the list is set back, and AnotherHistory after having noted the change of `after` as
        lost.
        """
        now = func.clock_timestamp()
        row = insert(registry_lease).values(node=node, renewed_at=now)
        row = row.on_conflict_do_update(index_elements=["node"], set_={"renewed_at": now})
        try:
            with driver_errors():
                async with self._engine.connect() as connection:
                    await connection.execute(row)
                    await connection.commit()
                    pending = await read_since(connection, after)
                    if pending is None or pending.is_foreign:
                        await note_lost(connection, [after])
                        await connection.commit()
        except Unavailable as error:
            raise WordUnavailable("the registry cannot be reached") from error
        if pending is None or pending.is_foreign:
            raise AnotherHistory("the registry does not have the change that this node holds")
        if pending.is_set_back:
            raise WordUnavailable(SET_BACK)
        if pending.outlines is None:
            return None
        return Newer(
            position=pending.newest.position,
            tokens=tuple(
                token for token, outline in pending.outlines.items() if outline is not None
            ),
        )


async def anybody_lives_on_word(connection: AsyncConnection) -> bool:
    """Return whether a node may hold a lease by PostgreSQL's word; asked after a commit."""
    young = select(registry_lease.c.node).where(_AGE < SETTLED_S).exists()
    return bool((await connection.execute(select(young))).scalar_one())


async def forget_leases(connection: AsyncConnection) -> None:
    """Remove the rows of nodes that ended long ago."""
    await connection.execute(delete(registry_lease).where(_AGE > _FORGOTTEN_S))
