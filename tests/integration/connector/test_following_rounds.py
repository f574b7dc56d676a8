"""Round after round: when it looks again, and what it tells."""

import logging

import pytest

from checker.errors import ConfigurationError, Conflict, Unavailable
from tests.integration.connector.following_grounds import Directory
from tests.integration.connector.source_server import Served

pytestmark = pytest.mark.anyio

TOKEN = "spoken-only-to-the-source"


class Stopped(Exception):
    """Ends a loop that has no end."""


class Waiting:
    """Stands for the pauses: notes how long each is, and does something in it."""

    def __init__(self, *steps):
        self.pauses = []
        self._steps = list(steps)

    async def __call__(self, seconds):
        self.pauses.append(seconds)
        if not self._steps:
            raise Stopped
        await self._steps.pop(0)()


async def nothing():
    pass


async def rounds(connector, *steps, interval_s=60):
    """Do one round more than there are steps between them; give the pauses."""
    waiting = Waiting(*steps)
    with pytest.raises(Stopped):
        await connector.follow(interval_s, wait=waiting, chance=lambda: 0.0)
    return waiting.pauses


async def test_a_source_that_is_well_is_looked_at_once_an_interval(server, follower):
    server.files["/list.ndjson"] = Served(body=b"a\n")
    connector = follower.connector(f"{server.url}/list.ndjson")

    assert await rounds(connector, nothing, nothing) == [60, 60, 60]


async def test_a_source_that_fails_is_tried_sooner_until_it_is_back(server, follower, caplog):
    async def come_back():
        server.files["/list.ndjson"] = Served(body=b"a\n")

    connector = follower.connector(f"{server.url}/list.ndjson")
    pauses = await rounds(connector, nothing, nothing, come_back, nothing)

    assert pauses == [1, 2, 4, 60, 60]
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == [
        f"{server.url}/list.ndjson: the source answers 404 for /list.ndjson",
        f"{server.url}/list.ndjson: works again",
    ]


@pytest.mark.parametrize(
    ("told", "expected"), [("120", 120), ("0", 1), ("99999999", 3600), ("soon", 1), ("-1", 1)]
)
async def test_a_source_is_left_alone_for_as_long_as_it_asks(server, follower, told, expected):
    server.files["/list.ndjson"] = Served(status=503, headers={"Retry-After": told})

    assert await rounds(follower.connector(f"{server.url}/list.ndjson")) == [expected]


async def test_a_refused_list_is_tried_again_at_the_next_interval(server, follower, caplog):
    directory = Directory(server)
    directory.put_snapshot(1, "a")
    follower.feeds.fault = Conflict("the list would shrink; allow_shrink=true says it is meant")

    assert await rounds(follower.connector(directory.url), nothing) == [60, 60]
    assert follower.feeds.words == {"a"}
    assert f"{directory.url}: refused: the list would shrink" in caplog.text


async def test_a_registry_that_is_away_is_a_failure_like_any_other(server, follower):
    server.files["/list.ndjson"] = Served(body=b"a\n")
    follower.feeds.fault = Unavailable("the registry cannot be reached")
    pauses = await rounds(follower.connector(f"{server.url}/list.ndjson"), nothing)

    assert pauses == [1, 60]


async def test_a_deployment_that_must_be_mended_ends_the_following(server, follower):
    server.files["/list.ndjson"] = Served(body=b"a\n")
    follower.feeds.fault = ConfigurationError("another key")
    with pytest.raises(ConfigurationError):
        await follower.connector(f"{server.url}/list.ndjson").follow(60)


async def test_the_log_tells_files_and_rejected_lines_but_no_secret(server, follower, caplog):
    caplog.set_level(logging.INFO, logger="checker")
    server.files["/list.ndjson"] = Served(body=b"somebody\n?\n")
    connector = follower.connector(f"{server.url}/list.ndjson?key=secret-query", token=TOKEN)
    await rounds(connector)
    told = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith("checker")
    )

    assert "the list is in force as version 1: 1 accepted, 1 rejected" in told
    assert "line 2: invalid-listing: wrong" in told
    assert not any(secret in told for secret in (TOKEN, "secret-query", "somebody"))
