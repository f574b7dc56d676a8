"""The token key is replaced under checks that send their statements without a transaction."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.token_key import FIRST_KEY, TokenKeys
from checker.database.engine import open_engine
from checker.errors import Outage, Unavailable
from checker.rotation.token_tables import KeyChange
from tests.integration.checks.checks_grounds import (
    DEBTOR,
    Grounds,
    listing,
    open_grounds,
    told,
)
from tests.support.registry_grounds import until
from tests.support.token_keys import held_keys, replace_tokens

pytestmark = pytest.mark.anyio

NEXT = 9
WAITING = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")


class Replacing(NamedTuple):
    """A node that knows the next key, and a process beside it that replaces the key."""

    grounds: Grounds
    keys: TokenKeys
    engine: AsyncEngine

    async def replace(self, connection: AsyncConnection) -> None:
        before, after = (self.keys.numbered(number) for number in (FIRST_KEY, NEXT))
        assert before is not None
        assert after is not None
        await replace_tokens(connection, KeyChange(before=before, after=after))


@pytest.fixture
async def replacing(anyio_backend: str, database_url: str) -> AsyncIterator[Replacing]:
    keys = held_keys(NEXT)
    keys.use(FIRST_KEY)
    async with (
        open_grounds(database_url, keys=keys) as grounds,
        open_engine(database_url, timeout_s=None) as engine,
    ):
        await grounds.publish(listing(DEBTOR))
        yield Replacing(grounds, keys, engine)


async def test_a_check_after_the_replacement_finds_the_listed_person(replacing: Replacing) -> None:
    assert told(await replacing.grounds.ask(DEBTOR)) == ["deny"]
    async with replacing.engine.begin() as connection:
        await replacing.replace(connection)

    assert told(await replacing.grounds.ask(DEBTOR)) == ["deny"]
    assert replacing.keys.current.number == NEXT
    assert told(await replacing.grounds.ask(DEBTOR)) == ["deny"]
    # The node goes on without a transaction: one statement finds, and one keeps.
    assert replacing.grounds.statements == 2
    assert len(await replacing.grounds.kept()) == 3


async def test_a_check_that_waits_for_the_replacement_finds_the_listed_person(
    replacing: Replacing,
) -> None:
    async with replacing.engine.connect() as watcher, replacing.engine.begin() as connection:
        await replacing.replace(connection)
        check = asyncio.create_task(replacing.grounds.ask(DEBTOR))

        async def waits() -> bool:
            return bool((await watcher.execute(WAITING)).scalar())

        await until(waits)
        await connection.commit()
        assert told(await check) == ["deny"]
    assert replacing.keys.current.number == NEXT


async def test_a_check_of_a_process_without_the_key_is_refused(
    database_url: str, replacing: Replacing
) -> None:
    async with replacing.engine.begin() as connection:
        await replacing.replace(connection)
    without = held_keys(FIRST_KEY)
    async with open_grounds(database_url, keys=without) as grounds:
        with pytest.raises(Unavailable) as refused:
            await grounds.ask(DEBTOR)
    assert refused.value.outage is Outage.REFUSED
