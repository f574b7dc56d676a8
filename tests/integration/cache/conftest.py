"""One suite over the memory store and each Redis program."""

from contextlib import ExitStack

import pytest
import redis

from cache.token_key import FIRST_KEY
from tests.integration.cache.cache_grounds import TOKEN_KEYS, MemoryGround, RedisGround
from tests.support.redis_programs import PROGRAMS


@pytest.fixture(scope="session")
def url_of(start_redis):
    """Return a function: the name of a program → the URL of its server, started at first use."""
    urls = {}
    with ExitStack() as servers:

        def url(name):
            if name not in urls:
                running = start_redis(program=PROGRAMS[name])
                urls[name] = servers.enter_context(running).url
            return urls[name]

        yield url


@pytest.fixture(scope="session", params=PROGRAMS)
def program_name(request):
    """The name of each program; all servers of one test are of the same."""
    return request.param


@pytest.fixture(scope="session")
def program(program_name):
    """The path of each program, for a test that starts it with options of its own."""
    return PROGRAMS[program_name]


@pytest.fixture(scope="session")
def redis_url(program_name, url_of):
    """The URL of a Redis that tests may empty, of each program."""
    return url_of(program_name)


@pytest.fixture
def own_redis(program, start_redis):
    """A Redis of each program for one test alone, to be frozen or starved."""
    with start_redis(program=program) as server:
        yield server


@pytest.fixture
def redis_ground(redis_url):
    ground = RedisGround(redis_url)
    yield ground
    ground.client.close()


# Each key over the twin and over Redis; how tokens are stored is no matter of the program.
GROUNDS = [
    ("memory", 1),
    ("memory", 2),
    *((program, 2 - number % 2) for number, program in enumerate(PROGRAMS)),
]


@pytest.fixture(params=GROUNDS, ids=lambda ground: f"{ground[0]}-key{ground[1]}")
def ground(request, url_of):
    name, key = request.param
    TOKEN_KEYS.use(key)
    if name == "memory":
        yield MemoryGround()
    else:
        ground = RedisGround(url_of(name))
        yield ground
        ground.client.close()
    TOKEN_KEYS.use(FIRST_KEY)


@pytest.fixture
async def store(ground, anyio_backend):
    store = ground.store()
    yield store
    await store.aclose()


@pytest.fixture(params=["memory", *PROGRAMS])
def counting_url(request, url_of):
    """The URL of an empty Redis of each program to count on; None: count in memory."""
    if request.param == "memory":
        return None
    url = url_of(request.param)
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url
