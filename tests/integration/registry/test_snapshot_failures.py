"""A snapshot that fails half-way: nothing changes in either store, and the next one works.

A cache that fails is no failure of a snapshot: the list is in force without it.
"""

import asyncio
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import redis

from cache.keys import Keys
from checker.errors import Unavailable
from loadtest.population import Population
from tests.support.registry_grounds import (
    check_of,
    config_of,
    decide,
    listings_in_force,
    outcome_of,
    person_listing,
    publish,
    query,
    resident_id,
    serving,
    settled,
    until,
)

pytestmark = pytest.mark.anyio

# More than one slice of the stage, so that COPY has begun when the fault strikes.
LINES = list(Population(7, 6_000).listing_lines())

WRITER = "state = 'idle in transaction'"
LOCK_HOLDER = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
CROWD = [check_of(resident_id(index)) for index in (1, 2, 3)]


class CourtHungUp(Exception):
    """A feed's transport raises this when the sender is gone."""


@pytest.fixture
async def listed(node):
    """A node with a list in force, and what both stores hold of it."""
    await publish(node, [person_listing(1), person_listing(2)])
    return node


@asynccontextmanager
async def nothing_changed(node, client):
    """Hold both stores against what they held before, and prove that the next snapshot works."""
    await _at_rest(node, client)
    before = await _registry_rows(node), _live_keys(client)
    yield
    await _at_rest(node, client)
    assert (await _registry_rows(node), _live_keys(client)) == before
    assert await outcome_of(node, 1) == "deny"
    report = await publish(node, [person_listing(2), person_listing(3)])
    assert report.version == 2
    assert await listings_in_force(node) == {"listing-2", "listing-3"}
    assert await outcome_of(node, 1) == "allow"
    assert await outcome_of(node, 3) == "deny"


async def test_a_stream_that_breaks_off_changes_nothing(listed, redis_client):
    async def broken():
        for line in LINES:
            yield line
        raise CourtHungUp

    async with nothing_changed(listed, redis_client):
        with pytest.raises(CourtHungUp):
            await listed.feed.replace(broken())


@pytest.mark.parametrize("lines_after", [len(LINES), 10])
@pytest.mark.parametrize("whose", [WRITER, f"({WRITER} OR {LOCK_HOLDER})"])
async def test_a_lost_database_connection_changes_nothing(
    listed, redis_client, database_url, whose, lines_after
):
    async def deprived():
        yield LINES[0]
        await _terminate(database_url, whose)
        for line in LINES[1:lines_after]:
            yield line

    asyncio.get_running_loop().set_exception_handler(_but_for_asyncpg_s_own)
    async with nothing_changed(listed, redis_client):
        with pytest.raises(Unavailable):
            await listed.feed.replace(deprived())


async def test_a_redis_that_refuses_to_grow_does_not_keep_the_list_up(listed, redis_client):
    async def starved():
        for line in LINES:
            yield line
        used = redis_client.info("memory")["used_memory"]
        redis_client.config_set("maxmemory", used + 150_000)

    try:
        report = await listed.feed.replace(starved())
        assert (report.version, report.accepted) == (2, len(LINES))
        assert await outcome_of(listed, 1) == "allow"
        assert (await listed.cache.current()).version == 1
    finally:
        redis_client.config_set("maxmemory", 0)
    await settled(listed)
    assert (await listed.cache.current()).version == 2


async def test_a_redis_that_is_gone_when_the_build_begins_does_not_keep_the_list_up(
    anyio_backend, tmp_path, database_url, own_redis, clock
):
    socket = Path(own_redis.url.removeprefix("unix://"))

    async def abandoned():
        yield LINES[0]
        away.enter()

    async with serving(config_of(tmp_path, database_url, own_redis.url), clock) as node:
        with redis.Redis.from_url(own_redis.url) as client:
            away = _Away(socket, client)
            await publish(node, [person_listing(1)])
            report = await node.feed.replace(abandoned())
            assert (report.version, report.accepted) == (2, 1)
            assert await outcome_of(node, 1) == "allow"
            away.leave()
            await settled(node)
            assert (await node.cache.current()).version == 2


async def test_a_process_killed_between_commit_and_switch_has_its_snapshot_finished(listed, config):
    await settled(listed)
    assert _die_at_the_switch(config) == -signal.SIGKILL
    [[newest]] = await query(listed, "SELECT max(version) FROM change")
    assert (newest, (await listed.cache.current()).version) == (2, 1)

    async def is_finished():
        return (await listed.cache.current()).version == 2

    await until(is_finished)
    await settled(listed)
    assert [await outcome_of(listed, index) for index in (1, 2, 3)] == ["allow", "allow", "deny"]


async def test_until_it_is_finished_the_registry_answers_by_it(listed, config):
    await settled(listed)
    assert _die_at_the_switch(config) == -signal.SIGKILL
    decided = await decide(listed, *CROWD)
    assert [decision.outcome.value for decision in decided.decisions] == ["allow", "allow", "deny"]
    assert (decided.list.version, decided.from_registry) == (2, 3)


class _Away:
    """A Redis that nobody can reach any more, by its socket or by a connection that is open."""

    def __init__(self, socket, client):
        self._socket = socket
        self._hidden = socket.with_name("hidden")
        self._client = client
        client.ping()  # while there is a way in

    def enter(self):
        self._socket.rename(self._hidden)
        for connection in self._client.client_list():
            if int(connection["id"]) != self._client.client_id():
                self._client.client_kill_filter(_id=connection["id"])

    def leave(self):
        self._hidden.rename(self._socket)


def _die_at_the_switch(config):
    module = "tests.integration.registry.dies_at_the_switch"
    command = [sys.executable, "-m", module, config.database_url, config.redis_url, config.data_dir]
    return subprocess.run(command, cwd=Path(__file__).parents[3], check=False).returncode


def _but_for_asyncpg_s_own(_loop, context):
    """Pass over the rest that asyncpg leaves unread of a COPY whose connection is gone."""
    told = isinstance(context.get("exception"), asyncpg.exceptions.ConnectionDoesNotExistError)
    assert told, context["message"]


async def _terminate(database_url, whose):
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        killed = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {whose}"
        )
    finally:
        await connection.close()
    assert killed


async def _at_rest(node, client):
    """Wait until Redis holds the live generation alone: no other is being built or removed."""

    async def is_alone():
        live = (await node.cache.current()).id.encode()
        return all(live in name for name in client.scan_iter(Keys().any_generation))

    await settled(node)
    await until(is_alone)


async def _registry_rows(node):
    """Every row of the list's tables."""
    tables = ("change", "listing", "officer_link", "document", "quarantine", "outline", "outbox")
    return {
        table: sorted(map(repr, await query(node, f"SELECT * FROM {table}"))) for table in tables
    }


def _live_keys(client):
    """Return all keys of lists in the cache, each in the form of Redis's DUMP."""
    names = [Keys().pointer.encode(), *client.scan_iter(Keys().any_generation)]
    return {key: client.dump(key) for key in names}


async def test_connections_that_died_unseen_cost_no_check_its_answer(listed, database_url):
    assert await outcome_of(listed, 1) == "deny"
    await _terminate(database_url, "true")
    assert await outcome_of(listed, 1) == "deny"
