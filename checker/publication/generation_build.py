"""Builds a generation of the cache from one version of the list.

The build reads one transaction's view, in the order of the tokens, so that rows stream. The cache
switches its pointer only if it holds as many entries as the registry has rows (`cache.store`).
"""

from contextlib import aclosing

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.generation import Generation
from cache.store import StandingCache
from checker.publication.outline_slices import outlines, with_rests
from checker.registry.schema import outline
from checker.registry.versions import ListVersion


async def build_generation(
    connection: AsyncConnection,
    cache: StandingCache,
    version: ListVersion,
    token_key: str,
    *,
    gently: bool = False,
) -> Generation:
    """Return the cache's next generation, built from the outlines in this connection's transaction.

    The transaction must see one state of the list throughout. `gently`: the build rests most of its
    time, because the checks beside it come first.
    """
    counting = select(func.count()).select_from(outline)
    count = (await connection.execute(counting)).scalar_one()
    slices = outlines(connection)
    async with aclosing(with_rests(slices) if gently else slices) as entries:
        return await cache.build(
            position=version.position,
            token_key=token_key,
            count=count,
            entries=entries,
        )
