"""Builds a generation of the cache from one version of the list.

The build reads one transaction's view, in the order of the stored tokens, so that rows stream. The
cache switches its pointer only if it holds as many entries as the registry has rows
(`cache.store`).
"""

from contextlib import aclosing

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.generation import Generation
from cache.store import StandingCache
from cache.token_key import TokenKeys
from checker.publication.outline_slices import outlines, with_rests
from checker.registry.schema import outline
from checker.registry.versions import ListVersion


async def build_generation(
    connection: AsyncConnection,
    cache: StandingCache,
    version: ListVersion,
    token_keys: TokenKeys,
    *,
    gently: bool = False,
) -> Generation:
    """Return the cache's next generation, built from the outlines in this connection's transaction.

    The transaction must see one state of the list throughout. It holds the fence of the current
    token key (`checker.database.token_fence`) from its first statement on, so all tokens that it
    sees are stored under that key. `gently`: the build rests most of its
    time, because the checks beside it come first.
    """
    counting = select(func.count()).select_from(outline)
    count = (await connection.execute(counting)).scalar_one()
    key = token_keys.current  # behind the first statement
    slices = outlines(connection)
    async with aclosing(with_rests(slices) if gently else slices) as entries:
        return await cache.build(
            position=version.position,
            token_key=key.fingerprint,
            count=count,
            entries=entries,
        )
