"""Other keys than those that wrote the list stop the start: nobody would be found, all allowed."""

import asyncio
import base64
import tempfile
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import make_url

from checker.config import RedisSettings
from checker.errors import ConfigurationError, Unavailable
from checker.node.runtime import open_runtime
from tests.support.registry_grounds import (
    ENVIRON,
    check_of,
    decide,
    outcome_of,
    person_listing,
    publish,
    resident_id,
)

pytestmark = pytest.mark.anyio

OTHER_KEY = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("CHECKER_TOKEN_KEY", "another token key"),
        ("CHECKER_ENCRYPTION_KEY", "another encryption key 1 than the deployment"),
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


async def test_another_deployment_on_one_redis_needs_a_prefix_of_its_own(
    node, config, bare_database_url
):
    await publish(node, [person_listing(1)])
    other = msgspec.structs.replace(config, database_url=bare_database_url)
    environ = ENVIRON | {"CHECKER_TOKEN_KEY": OTHER_KEY, "CHECKER_ENCRYPTION_KEY": OTHER_KEY}
    with pytest.raises(ConfigurationError, match=r"another deployment.*CHECKER_REDIS_PREFIX"):
        async with open_runtime(other, environ):
            pass
    apart = msgspec.structs.replace(other, redis=RedisSettings(prefix="second"))
    async with open_runtime(apart, environ) as second:
        await publish(second, [person_listing(2)])
        assert await outcome_of(second, 1) == "allow"
        assert await outcome_of(second, 2) == "deny"
    assert await outcome_of(node, 1) == "deny"
    assert await outcome_of(node, 2) == "allow"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"database": "hunter2"}, "no database of this name"),
        ({"username": "hunter2"}, "does not admit this user"),
    ],
)
async def test_a_login_that_postgresql_refuses_is_told_in_a_line(config, changed, said):
    url = make_url(config.database_url).set(**changed).render_as_string(hide_password=False)
    with pytest.raises(ConfigurationError, match=said) as refused:
        async with open_runtime(msgspec.structs.replace(config, database_url=url), ENVIRON):
            pass
    assert "hunter2" not in str(refused.value)


async def test_a_redis_database_that_there_is_not_is_told_in_a_line(config):
    url = f"{config.redis_url}?db=99"
    with pytest.raises(ConfigurationError, match="REDIS_URL: Redis has no database of this number"):
        async with open_runtime(msgspec.structs.replace(config, redis_url=url), ENVIRON):
            pass
