"""A follower on the feeds themselves: PostgreSQL's list is the source's, whatever became of it."""

import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.memory import MemoryStandingCache, MemoryStore
from cache.token import Tokenizer
from cache.token_key import TokenKeys
from checker.connector.connector import SourceConnector
from checker.connector.errors import SourceFault
from checker.connector.positions import Positions
from checker.connector.web_source import WebSource, parse_url
from checker.domain.clock import SystemClock
from checker.errors import Conflict
from checker.intake.changes import ChangesFeed
from checker.intake.snapshot import SnapshotFeed
from checker.registry.schema import directive, listing, quarantine
from checker.registry.sealing import Sealer
from checker.vault import Vault
from loadtest.document_numbers import NumberSpace
from tests.integration.connector.following_grounds import Directory, quick_client
from tests.support.token_keys import open_registry

pytestmark = pytest.mark.anyio

KEY = bytes(32)
_numbers = NumberSpace(18)


class Institution:
    """A list in PostgreSQL, and a connector that keeps it where a source is."""

    def __init__(self, engine, connector):
        self._engine = engine
        self._connector = connector

    async def look(self):
        return await self._connector.round()

    async def listings(self):
        has_ended = select(directive.c.pk).where(
            directive.c.listing_id == listing.c.id,
            directive.c.kind == "delisting",
            directive.c.until_version.is_(None),
        )
        statement = select(listing.c.id).where(
            listing.c.until_version.is_(None), ~has_ended.exists()
        )
        async with self._engine.connect() as connection:
            return {int(row.id) for row in await connection.execute(statement)}

    async def quarantined(self):
        async with self._engine.connect() as connection:
            return await connection.scalar(select(func.count()).select_from(quarantine))


@pytest.fixture
async def institution(anyio_backend, database_url, server, tmp_path):
    async with (
        open_registry(database_url, timeout_s=None) as engine,
        quick_client() as client,
        _feeds(engine) as (snapshots, changes),
    ):
        connector = SourceConnector(
            source=WebSource(client, parse_url(f"{server.url}/list/"), None),
            positions=Positions(engine, SystemClock()),
            replace=snapshots.replace,
            apply=changes.apply,
            folder=tmp_path,
        )
        yield Institution(engine, connector)


@contextlib.asynccontextmanager
async def _feeds(engine: AsyncEngine) -> AsyncIterator[tuple[SnapshotFeed, ChangesFeed]]:
    tokenizer = Tokenizer(KEY)
    token_keys = TokenKeys(tokenizer, {})
    sealer = Sealer(tokenizer, Vault(KEY))
    clock = SystemClock()
    changes = ChangesFeed(
        engine=engine, sealer=sealer, clock=clock, measures=frozenset(), in_force=_at_once
    )
    snapshots = SnapshotFeed(
        engine=engine,
        cache=MemoryStandingCache(MemoryStore(), token_keys=token_keys),
        sealer=sealer,
        token_keys=token_keys,
        clock=clock,
        in_force=_at_once,
    )
    try:
        yield snapshots, changes
    finally:
        await changes.aclose()


async def _at_once(_version: int) -> None:
    """No node serves here that could be behind."""


def entry(index):
    return {
        "id": str(index),
        "case_number": f"（2026）粤0882执{index}号",
        "court": "雷州市人民法院",
        "published_on": "2026-01-01",
        "party": {
            "type": "person",
            "name": f"示例人{index}号",
            "documents": [{"type": "resident_id", "number": _numbers.resident_id(index, "0704")}],
        },
    }


def lines(*objects):
    """Objects as the directory wants its files: words, one a line."""
    return " ".join(msgspec.json.encode(each).decode() for each in objects)


def put_in(index):
    return {"op": "list", "listing": entry(index)}


def take_out(index):
    return {"op": "delist", "listing_id": str(index), "ground": "fulfilled"}


async def test_the_list_follows_the_source_through_changes_and_gaps(server, institution):
    directory = Directory(server)
    directory.put_snapshot(1, lines(entry(1), entry(2), entry(3)))
    directory.put_changes(2, lines(take_out(1), put_in(4)))
    await institution.look()
    assert await institution.listings() == {2, 3, 4}

    directory.put_changes(3, lines(put_in(5), {"op": "list"}, take_out(99), take_out(2)))
    done = await institution.look()
    assert (done.files, done.rejected) == (1, 2)
    assert await institution.listings() == {3, 4, 5}
    assert await institution.quarantined() == 2

    directory.changes.clear()
    directory.put_snapshot(7, lines(entry(4), entry(6)))
    directory.put_changes(8, lines(put_in(7)))
    await institution.look()
    assert await institution.listings() == {4, 6, 7}


async def test_a_broken_file_changes_nothing_of_the_list(server, institution):
    directory = Directory(server)
    directory.put_snapshot(1, lines(entry(1), entry(2)))
    await institution.look()
    directory.put_snapshot(5, lines(entry(3), entry(4), entry(5)))
    directory.served("snapshot-5.ndjson").cut_at = 500
    with pytest.raises(SourceFault, match="before it was whole"):
        await institution.look()
    assert await institution.listings() == {1, 2}

    directory.served("snapshot-5.ndjson").cut_at = None
    await institution.look()
    assert await institution.listings() == {3, 4, 5}


async def test_a_list_that_shrank_suspiciously_is_refused_again_and_again(server, institution):
    directory = Directory(server)
    directory.put_snapshot(1, lines(*(entry(index) for index in range(1, 9))))
    await institution.look()
    directory.put_snapshot(2, lines(entry(1)))
    for _ in range(2):
        with pytest.raises(Conflict, match="allow_shrink"):
            await institution.look()
    assert len(await institution.listings()) == 8


async def test_a_file_that_is_taken_in_twice_changes_nothing(server, institution):
    directory = Directory(server)
    directory.put_snapshot(1, lines(entry(1)))
    directory.put_changes(2, lines(put_in(2), take_out(2), put_in(3), take_out(1)))
    await institution.look()
    before = await institution.listings()
    directory.put_changes(3, lines(put_in(2), take_out(2), put_in(3), take_out(1)))
    await institution.look()

    assert await institution.listings() == before == {3}
