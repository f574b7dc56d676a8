"""What a broken, lying, stolen or absent source can do: nothing. It is tried again."""

import asyncio

import msgspec
import pytest

from checker.connector.errors import SourceFault
from checker.connector.plan import SourcePosition
from checker.errors import Conflict, Unavailable
from tests.integration.connector.following_grounds import Directory
from tests.integration.connector.source_server import Served

pytestmark = pytest.mark.anyio

TOKEN = "spoken-only-to-the-source"


@pytest.fixture
def directory(server):
    published = Directory(server)
    published.put_snapshot(5, "a")
    published.put_changes(6, "+b")
    published.put_changes(7, "+c")
    return published


@pytest.mark.parametrize(
    "broken",
    [
        {"cut_at": 3},
        {"cut_at": 0},
        {"cut_at": 8, "is_chunked": True},
        {"tells_length": False},
        {"answers": False},
        {"status": 500},
        {"status": 206},
        {"headers": {"Content-Encoding": "gzip"}},
    ],
)
async def test_a_list_that_does_not_come_whole_is_not_taken_in(server, follower, broken):
    url = f"{server.url}/list.ndjson"
    server.files["/list.ndjson"] = Served(body=b"a\nbcd\nefg\n", **broken)
    connector = follower.connector(url)
    with pytest.raises(SourceFault):
        await connector.round()
    assert follower.feeds.files == []
    assert await follower.position(url) == SourcePosition()

    server.files["/list.ndjson"] = Served(body=b"a\nbcd\nefg\n")
    await connector.round()
    assert follower.feeds.words == {"a", "bcd", "efg"}


@pytest.mark.parametrize("broken", [{"body": b"+stolen"}, {"cut_at": 1}, {"status": 404}])
async def test_a_file_that_is_wrong_stops_the_chain_before_it(server, follower, directory, broken):
    good = directory.served("changes-6.ndjson")
    bad = msgspec.structs.replace(good, **broken)
    server.files["/list/changes-6.ndjson"] = bad
    connector = follower.connector(directory.url)
    for _ in range(2):
        with pytest.raises(SourceFault):
            await connector.round()
    assert follower.feeds.files == [("replace", "a")]
    assert (await follower.position(directory.url)).number == 5

    server.files["/list/changes-6.ndjson"] = good
    await connector.round()
    assert follower.feeds.files[1:] == [("apply", "+b"), ("apply", "+c")]


async def test_a_body_without_an_end_counts_where_its_sha256_is_told(server, follower, directory):
    directory.served("changes-6.ndjson").tells_length = False
    await follower.connector(directory.url).round()

    assert follower.feeds.words == {"a", "b", "c"}


async def test_a_body_without_an_end_and_sha256_is_refused(server, follower):
    directory = Directory(server, with_sha256=False)
    directory.put_snapshot(1, "a")
    directory.served("snapshot-1.ndjson").tells_length = False
    with pytest.raises(SourceFault, match="where it ends"):
        await follower.connector(directory.url).round()


async def test_a_source_that_was_away_is_taken_up_where_it_was_left(server, follower, directory):
    connector = follower.connector(directory.url)
    await connector.round()
    await server.stop()
    with pytest.raises(SourceFault, match="reached"):
        await connector.round()
    await server.start()
    directory.put_changes(8, "+d")
    await connector.round()

    assert follower.feeds.files[3:] == [("apply", "+d")]


async def test_a_manifest_over_its_limit_is_not_read_on(server, follower):
    server.files["/list/manifest.json"] = Served(body=b" " * ((4 << 20) + 1))
    with pytest.raises(SourceFault, match="the manifest is larger"):
        await follower.connector(f"{server.url}/list/").round()


async def test_no_other_host_is_asked_and_none_hears_the_token(server, other_server, follower):
    away = Served(status=302, headers={"Location": f"{other_server.url}/list.ndjson"})
    server.files["/list.ndjson"] = away
    with pytest.raises(SourceFault, match="another host"):
        await follower.connector(f"{server.url}/list.ndjson", token=TOKEN).round()

    assert [asked.headers["authorization"] for asked in server.asked] == [f"Bearer {TOKEN}"]
    assert other_server.asked == []


async def test_a_file_of_the_manifest_is_not_fetched_elsewhere_either(
    server, other_server, follower, directory
):
    away = Served(status=307, headers={"Location": f"{other_server.url}/changes"})
    server.files["/list/changes-6.ndjson"] = away
    with pytest.raises(SourceFault, match="another host"):
        await follower.connector(directory.url).round()

    assert other_server.asked == []


@pytest.mark.parametrize("location", ["/list.ndjson", "https://[", "http://\x7f/", ""])
async def test_a_redirection_that_leads_nowhere_ends(server, follower, location):
    server.files["/list.ndjson"] = Served(status=301, headers={"Location": location})
    with pytest.raises(SourceFault):
        await follower.connector(f"{server.url}/list.ndjson").round()

    assert len(server.asked) <= 6


async def test_every_request_of_a_round_carries_the_token(server, follower, directory):
    await follower.connector(directory.url, token=TOKEN).round()

    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {TOKEN}"}


async def test_who_dies_before_it_is_noted_takes_the_same_file_in_again(
    server, follower, directory
):
    connector = follower.connector(directory.url)
    directory.changes.pop()
    directory.tell()
    await connector.round()
    directory.put_changes(7, "+c -a")
    follower.feeds.fault_after = Unavailable("gone")
    with pytest.raises(Unavailable):
        await connector.round()
    await connector.round()

    assert follower.feeds.files[2:] == [("apply", "+c -a")] * 2
    assert follower.feeds.words == {"b", "c"}


@pytest.mark.parametrize("fault", [Conflict("the list would shrink"), Unavailable("away")])
async def test_a_file_that_the_feed_refuses_is_tried_again(server, follower, directory, fault):
    connector = follower.connector(directory.url)
    follower.feeds.fault = fault
    with pytest.raises(type(fault)):
        await connector.round()
    assert await follower.position(directory.url) == SourcePosition()

    await connector.round()
    assert follower.feeds.words == {"a", "b", "c"}


async def test_two_followers_of_one_source_take_turns(server, follower, directory):
    url = directory.url
    done = await asyncio.gather(*(follower.connector(url).round() for _ in range(4)))

    assert len(follower.feeds.files) == 3
    assert sum(round_.files for round_ in done) == 3
    assert (await follower.connector(url).round()).files == 0


async def test_while_one_is_at_it_another_leaves_it_alone(server, follower, directory):
    async with follower.positions.hold(directory.url):
        done = await follower.connector(directory.url).round()

    assert done.left_to_another
    assert server.asked == []


async def test_who_is_stopped_in_the_middle_leaves_nothing_behind(server, follower, directory):
    directory.served("changes-6.ndjson").answers = False
    connector = follower.connector(directory.url)
    task = asyncio.create_task(connector.round())
    while "/list/changes-6.ndjson" not in [asked.path for asked in server.asked]:
        assert not task.done()
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await follower.position(directory.url)).number == 5
    directory.served("changes-6.ndjson").answers = True
    assert (await connector.round()).files == 2
