"""A Redis that does not let us in, is a cluster, or holds another deployment, is called so."""

from contextlib import aclosing

import pytest
from redis.asyncio import Redis

from cache.changes import Position
from cache.claim import ForeignNamespace, NamespaceClaim
from cache.errors import CacheMisconfigured, CacheUnavailable
from cache.generation import Generation, encode_pointer
from cache.redis_pipe import AccessRefused, CommandRefused, Pipe
from cache.redis_store import RedisStandingCache
from cache.token_key import TokenKeys
from tests.support.cache_keys import first_key, token_keys

pytestmark = pytest.mark.anyio

PASSWORD = "hunter2"


OURS, THEIRS = token_keys(), first_key(bytes(32))


async def claim(url: str, keys: TokenKeys, namespace: str) -> None:
    await NamespaceClaim(url, token_keys=keys, namespace=namespace).hold()


async def refusal(url: str) -> AccessRefused:
    async with aclosing(Pipe(url, "checker", timeout_s=5)) as pipe:
        with pytest.raises(AccessRefused) as refused:
            await pipe.ask([("PING",)])
    assert PASSWORD not in str(refused.value)
    # A process that runs already goes on without the cache.
    assert isinstance(refused.value, CacheUnavailable)
    return refused.value


async def test_a_wrong_password_is_called_so(start_redis, program):
    with start_redis("--requirepass", "another", program=program) as server:
        told = await refusal(server.url.replace("unix://", f"unix://:{PASSWORD}@"))
        assert "does not know this password" in str(told)
        told = await refusal(server.url.replace("unix://", f"unix://somebody:{PASSWORD}@"))
        assert "does not know this password or user" in str(told)
        assert "wants a password" in str(await refusal(server.url))
        url = server.url.replace("unix://", "unix://:another@")
        async with aclosing(Pipe(url, "checker", timeout_s=5)) as pipe:
            assert await pipe.ask([("PING",)]) == [b"PONG"]


async def test_a_database_that_there_is_not_is_called_so(own_redis):
    assert "no database of this number" in str(await refusal(f"{own_redis.url}?db=99"))


async def test_a_password_where_none_is_set_is_called_so(own_redis):
    told = await refusal(own_redis.url.replace("unix://", f"unix://:{PASSWORD}@"))
    assert "has no password" in str(told)


async def test_another_refusal_is_no_matter_of_access(own_redis):
    async with aclosing(Pipe(own_redis.url, "checker", timeout_s=5)) as pipe:
        with pytest.raises(CommandRefused) as refused:
            await pipe.ask([("NONSENSE",)])
    assert not isinstance(refused.value, AccessRefused)


async def test_a_cluster_is_refused_with_a_clear_word(start_redis, program):
    with start_redis("--cluster-enabled", "yes", "--port", "0", program=program) as server:
        store = RedisStandingCache.connect(server.url, token_keys=OURS)
        async with aclosing(store):
            with pytest.raises(CacheMisconfigured, match="is a cluster"):
                await store.verify_policy()


async def test_a_namespace_belongs_to_the_deployment_that_claims_it_first(own_redis):
    for _ in range(2):
        await claim(own_redis.url, OURS, "checker")
    with pytest.raises(ForeignNamespace, match="'checker'"):
        await claim(own_redis.url, THEIRS, "checker")
    await claim(own_redis.url, THEIRS, "checker-2")


async def test_a_list_of_another_deployment_is_as_good_as_a_claim(own_redis):
    theirs = Generation.plan(
        position=Position(version=1, as_of_ms=1, change_id="1" * 32, history="1" * 32),
        token_key=THEIRS.first.fingerprint,
        entries=1,
        segment_blocks=4095,
    )
    async with Redis.from_url(own_redis.url) as client:
        await client.set("checker:live", encode_pointer(theirs))
    with pytest.raises(ForeignNamespace):
        await claim(own_redis.url, OURS, "checker")
    await claim(own_redis.url, THEIRS, "checker")


async def test_a_list_that_nobody_can_read_keeps_nobody_off(own_redis):
    async with Redis.from_url(own_redis.url) as client:
        await client.set("checker:live", b"?")
    await claim(own_redis.url, OURS, "checker")
