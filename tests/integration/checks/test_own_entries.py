"""A look-up of one's own entries costs the same whatever is listed, and nothing without a list."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import NamedTuple

import pytest
import redis

from cache.counting.quota import RedisQuota
from cache.token import Tokenizer
from checker.accounts.senders import Senders
from checker.database.engine import open_engine
from checker.domain.document import Document, DocumentType
from checker.errors import Unavailable
from checker.policy.loader import builtin_policies, load_policies
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import Sealer
from checker.vault import Vault
from checker.web.self_check.own_entries import OwnEntries
from tests.integration.checks.checks_grounds import (
    AT,
    DEBTOR,
    INNOCENT,
    KEY,
    NOWHERE,
    OFFICER,
    Grounds,
    listing,
    open_grounds,
)
from tests.support.postgres_trips import CountedLine, counted_line
from tests.support.token_keys import held_keys

pytestmark = pytest.mark.anyio

POLICIES = load_policies(builtin_policies(), {})
TODAY = AT.date()
SEALER = Sealer(Tokenizer(KEY), Vault(KEY))
ADDRESS = "192.0.2.7"
NAME, OTHER_NAME = "陈示例", "陈另名"
MASKED = "440882189404045678"


class OwnGround(NamedTuple):
    """A node on whose list are the debtor, a masked number, and an entry that is not public."""

    own: OwnEntries
    grounds: Grounds
    line: CountedLine
    stack: AsyncExitStack

    async def with_stores(self, *, database_url: str, redis_url: str) -> OwnEntries:
        """Return the look-up on other stores."""
        engine = await self.stack.enter_async_context(
            open_engine(database_url, token_keys=held_keys())
        )
        quota = await self.stack.enter_async_context(aclosing(RedisQuota(redis_url)))
        return OwnEntries(
            engine=engine,
            sealer=SEALER,
            replica=self.grounds.replica,
            senders=Senders(quota, digest=_digest),
            policies=POLICIES,
        )


def _digest(words: Sequence[str]) -> str:
    return SEALER.request_digest(words).hex()


def person(number: str, name: str) -> PreparedSubject:
    document = Document(type=DocumentType.RESIDENT_ID, number=number)
    return PreparedSubject(token=SEALER.document_token(document), document=document, name=name)


@pytest.fixture
async def ground(database_url: str, redis_url: str) -> AsyncIterator[OwnGround]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(counted_line(database_url))
        grounds = await stack.enter_async_context(open_grounds(database_url))
        engine = await stack.enter_async_context(open_engine(line.url, token_keys=held_keys()))
        quota = await stack.enter_async_context(aclosing(RedisQuota(redis_url)))
        own = OwnEntries(
            engine=engine,
            sealer=SEALER,
            replica=grounds.replica,
            senders=Senders(quota, digest=_digest),
            policies=POLICIES,
            lease_wait_s=0,
        )
        masked = f"{MASKED[:10]}****{MASKED[14:]}"
        await grounds.publish(
            listing(DEBTOR),
            listing(OFFICER, "2", public=False),
            listing(masked, "3"),
        )
        yield OwnGround(own, grounds, line, stack)


def counts(client: redis.Redis) -> int:
    """Return the number of times that Redis has counted."""
    found = client.info("commandstats").get("cmdstat_eval", {"calls": 0})
    return int(found["calls"])


async def test_a_look_up_takes_the_same_trips_whatever_is_listed(
    ground: OwnGround, redis_url: str
) -> None:
    await ground.grounds.hold_lease()
    await ground.own.find(person(INNOCENT, NAME), ADDRESS, TODAY)
    trips, redis_trips, shown = [], [], []
    asked = [
        (INNOCENT, NAME),
        (DEBTOR, OTHER_NAME),
        (DEBTOR, NAME),
        (OFFICER, OTHER_NAME),
        (OFFICER, NAME),
        (MASKED, OTHER_NAME),
        (MASKED, NAME),
    ]
    with redis.Redis.from_url(redis_url) as client:
        for number, name in asked:
            ground.line.trips, before = 0, counts(client)
            result = await ground.own.find(person(number, name), ADDRESS, TODAY)
            trips.append(ground.line.trips)
            redis_trips.append(counts(client) - before)
            shown.append((result.is_listed, bool(result.possible)))
        names = client.keys("*")
        held = b"".join(names)
        assert all(client.ttl(each) > 0 for each in names)
    assert len(set(trips)) == 1
    assert set(redis_trips) == {1}
    nothing, certain, possible = (False, False), (True, False), (False, True)
    assert shown == [nothing, nothing, certain, nothing, certain, nothing, possible]
    for number, _ in asked:
        token = SEALER.document_token(Document(type=DocumentType.RESIDENT_ID, number=number))
        assert number.encode() not in held
        assert token.hex().encode() not in held


async def test_nothing_is_asked_or_counted_without_a_lease(
    ground: OwnGround, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        with pytest.raises(Unavailable):
            await ground.own.find(person(DEBTOR, NAME), ADDRESS, TODAY)
        assert client.keys("*") == []
    assert ground.line.trips == 0


async def test_a_store_that_is_away_never_says_not_listed(
    ground: OwnGround, database_url: str, redis_url: str
) -> None:
    await ground.grounds.hold_lease()
    without_redis = await ground.with_stores(
        database_url=database_url, redis_url="unix:///nonexistent/s"
    )
    without_postgres = await ground.with_stores(database_url=NOWHERE, redis_url=redis_url)
    for own in (without_redis, without_postgres):
        with pytest.raises(Unavailable):
            await own.find(person(INNOCENT, NAME), ADDRESS, TODAY)
