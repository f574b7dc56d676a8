"""Other keys than those that wrote the list stop the start: nobody would be found, all allowed."""

import asyncio
import base64
import tempfile
from pathlib import Path

import msgspec
import pytest
from registry_grounds import (
    ENVIRON,
    check_of,
    decide,
    outcome_of,
    person_listing,
    publish,
    resident_id,
)

from checker.errors import ConfigurationError, Unavailable
from checker.runtime import open_runtime

pytestmark = pytest.mark.anyio

OTHER_KEY = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("CHECKER_TOKEN_KEY", "another token key"),
        ("CHECKER_ENCRYPTION_KEY", "does not open with this deployment's key"),
    ],
)
async def test_another_key_refuses_to_start(node, config, variable, said):
    await publish(node, [person_listing(1)])
    with pytest.raises(ConfigurationError, match=said):
        async with open_runtime(config, ENVIRON | {variable: OTHER_KEY}):
            pass


async def test_the_same_keys_start_again(node, config):
    await publish(node, [person_listing(1)])
    async with open_runtime(config, ENVIRON) as again:
        assert (await decide(again, check_of(resident_id(1)))).list.version == 1
        assert await outcome_of(again, 1) == "deny"


async def test_a_redis_that_may_evict_the_list_refuses_to_start(config, redis_client):
    redis_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(ConfigurationError):
            async with open_runtime(config, ENVIRON):
                pass
    finally:
        redis_client.config_set("maxmemory-policy", "noeviction")


async def test_a_start_tries_again_at_a_redis_that_breaks_off(config):
    met = []
    # Not pytest's folder: the path of a Unix socket holds 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        place = Path(folder, "s")

        def break_off(reader, writer):
            met.append("once")
            place.unlink()
            place.symlink_to(config.redis_url.removeprefix("unix://"))
            writer.close()

        async with await asyncio.start_unix_server(break_off, place):
            broken = msgspec.structs.replace(config, redis_url=f"unix://{place}")
            async with open_runtime(broken, ENVIRON) as started:
                await started.cache.ping()
    assert met == ["once"]


@pytest.mark.parametrize("which", ["database_url", "redis_url"])
async def test_a_server_that_is_away_is_told_as_unavailable(config, tmp_path, which):
    urls = {
        "database_url": f"postgresql://postgres@/postgres?host={tmp_path}",
        "redis_url": f"unix://{tmp_path}/nobody",
    }
    gone = msgspec.structs.replace(config, **{which: urls[which]})
    with pytest.raises(Unavailable):
        async with open_runtime(gone, ENVIRON):
            pass
