"""Brings the list from PostgreSQL to the cache, and keeps it there.

A generation is built from one version of the list, in one transaction's view, ordered by token so
that it streams. Rows in = rows in force, or the pointer is not switched (`cache.store`).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.errors import BuildRejected, CacheIncomplete, CacheUnavailable
from cache.generation import Generation
from cache.store import StandingCache
from cache.token import Token
from checker.domain.role import Role
from checker.domain.standing import Link, Match
from checker.errors import Unavailable
from checker.registry.outline import encode_outline
from checker.registry.schema import change, document, listing

ROWS_PER_FETCH = 1_000
TOKENS_AT_ONCE = 100
"""Outlines encoded before others have their turn: some two milliseconds."""


class ChangeKind(StrEnum):
    """What a change did to the list."""

    SNAPSHOT = "snapshot"
    DEMO = "demo"


class ListVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The number of the newest change, and when it was made."""

    version: int
    at: datetime
    kind: ChangeKind

    @property
    def at_ms(self) -> int:
        """The instant in Unix milliseconds."""
        return round(self.at.timestamp() * 1000)


@contextmanager
def cache_errors() -> Iterator[None]:
    """Tell the feed that the cache failed: nothing is acknowledged that is not in force."""
    try:
        yield
    except (CacheUnavailable, CacheIncomplete, BuildRejected) as error:
        raise Unavailable("the list could not be put in force; send it again") from error


async def newest_version(connection: AsyncConnection) -> ListVersion | None:
    """Read the list's version; None: no list was ever taken in."""
    columns = (change.c.version, change.c.at, change.c.kind)
    statement = select(*columns).order_by(change.c.version.desc()).limit(1)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return ListVersion(version=row.version, at=row.at, kind=ChangeKind(row.kind))


async def put_change(
    connection: AsyncConnection, *, kind: ChangeKind, at: datetime, accepted: int, rejected: int
) -> ListVersion:
    """Number the change; the caller holds `Lock.LIST_WRITER`, so numbers have no gap."""
    newest = (await connection.execute(select(func.max(change.c.version)))).scalar_one()
    version = (newest or 0) + 1
    row = {"version": version, "kind": kind, "at": at, "accepted": accepted, "rejected": rejected}
    await connection.execute(insert(change).values(row))
    return ListVersion(version=version, at=at, kind=kind)


async def withdraw_unknown(cache: StandingCache, newest: ListVersion | None) -> None:
    """Take down a list of the cache that the registry knows nothing of.

    PostgreSQL was restored from a backup, or another database is named: what Redis holds is newer
    by its number and older by right. The caller holds `Lock.LIST_WRITER`.
    """
    try:
        live = await cache.current()
    except CacheIncomplete:
        return
    if live is not None and (newest is None or live.version > newest.version):
        await cache.withdraw()


async def build_generation(
    connection: AsyncConnection, cache: StandingCache, version: ListVersion, token_key: str
) -> Generation:
    """Build the cache's next generation from the list as this connection sees it."""
    in_force = listing.c.until_version.is_(None)
    joined = document.join(listing, listing.c.pk == document.c.listing_pk)
    counting = select(func.count(document.c.token.distinct())).select_from(joined).where(in_force)
    count = (await connection.execute(counting)).scalar_one()
    rows = (
        select(
            document.c.token,
            document.c.role,
            document.c.masked,
            listing.c.published_on,
            listing.c.expires_on,
        )
        .select_from(joined)
        .where(in_force)
        .order_by(document.c.token)
        .execution_options(yield_per=ROWS_PER_FETCH)
    )
    async with connection.stream(rows) as stream:
        return await cache.build(
            version=version.version,
            as_of_ms=version.at_ms,
            token_key=token_key,
            count=count,
            entries=_entries(stream.partitions()),
        )


async def _entries(partitions: Any) -> AsyncIterator[tuple[Token, bytes]]:
    """Group rows that come ordered by token; a token's rows may lie in two partitions."""
    held_token: Token | None = None
    held_links: list[Link] = []
    async for rows in partitions:
        for number, (token, group) in enumerate(groupby(rows, key=itemgetter(0))):
            if number % TOKENS_AT_ONCE == 0:
                await asyncio.sleep(0)  # the same loop answers checks meanwhile
            if token != held_token:
                if held_token is not None:
                    yield held_token, encode_outline(held_links)
                held_token, held_links = Token(bytes(token)), []
            held_links += [_link(*row[1:]) for row in group]
    if held_token is not None:
        yield held_token, encode_outline(held_links)


def _link(role: str, masked: bool, starts_on: Any, ends_on: Any) -> Link:
    match = Match.MASKED if masked else Match.DOCUMENT
    return Link(role=Role(role), match=match, starts_on=starts_on, ends_on=ends_on)
