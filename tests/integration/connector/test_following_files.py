"""What a follower takes in of a source, and in which order; the list is then the source's."""

import pytest

from checker.connector.errors import SourceFault
from tests.integration.connector.following_grounds import Directory
from tests.integration.connector.source_server import Served

pytestmark = pytest.mark.anyio


async def test_a_list_is_taken_in_once_and_then_asked_for_by_its_tag(server, follower):
    server.files["/list.ndjson"] = Served(body=b"a\nb\n")
    connector = follower.connector(f"{server.url}/list.ndjson")
    first = await connector.round()
    second = await connector.round()

    assert (first.files, second.files) == (1, 0)
    assert follower.feeds.files == [("replace", "a b")]
    assert "if-none-match" not in server.asked[0].headers
    assert server.asked[1].headers["if-none-match"] == server.files["/list.ndjson"].etag


async def test_a_new_list_replaces_the_old_one(server, follower):
    server.files["/list.ndjson"] = Served(body=b"a\nb\n")
    connector = follower.connector(f"{server.url}/list.ndjson")
    await connector.round()
    server.files["/list.ndjson"] = Served(body=b"b\nc\n")
    await connector.round()

    assert follower.feeds.words == {"b", "c"}


@pytest.mark.parametrize(
    "options",
    [
        {"tells_etag": False},
        {"tells_etag": False, "is_chunked": True},
        {"tells_etag": False, "headers": {"ETag": "caf\xe9"}},
        {"tells_etag": False, "headers": {"ETag": "x" * 2000}},
        {"tells_etag": False, "headers": {"Last-Modified": "Mon, 23 Nov 2026 01:02:03 GMT"}},
    ],
)
async def test_the_same_bytes_are_no_new_list_whatever_the_server_tells(server, follower, options):
    server.files["/list.ndjson"] = Served(body=b"a\n", **options)
    connector = follower.connector(f"{server.url}/list.ndjson")
    for _ in range(3):
        await connector.round()

    assert follower.feeds.files == [("replace", "a")]


async def test_a_date_is_sent_back_where_the_server_tells_one(server, follower):
    told = "Mon, 23 Nov 2026 01:02:03 GMT"
    served = Served(body=b"a\n", tells_etag=False, headers={"Last-Modified": told})
    server.files["/list.ndjson"] = served
    connector = follower.connector(f"{server.url}/list.ndjson")
    await connector.round()
    await connector.round()

    assert server.asked[-1].headers["if-modified-since"] == told


async def test_a_directory_is_taken_in_from_its_snapshot_on(server, follower):
    directory = Directory(server)
    directory.put_snapshot(5, "a b")
    directory.put_changes(6, "+c")
    directory.put_changes(7, "-a +d")
    connector = follower.connector(directory.url)
    done = await connector.round()

    assert (done.files, done.version) == (3, 3)
    assert follower.feeds.files == [("replace", "a b"), ("apply", "+c"), ("apply", "-a +d")]
    assert (await follower.position(directory.url)).number == 7


async def test_only_what_is_new_is_fetched(server, follower):
    directory = Directory(server)
    directory.put_snapshot(5, "a")
    directory.put_changes(6, "+b")
    connector = follower.connector(directory.url)
    await connector.round()
    server.paths()
    await connector.round()
    assert server.paths() == ["/list/manifest.json"]

    directory.put_changes(7, "+c")
    await connector.round()
    assert server.paths() == ["/list/manifest.json", "/list/changes-7.ndjson"]
    assert follower.feeds.words == {"a", "b", "c"}


async def test_where_changes_are_gone_the_whole_list_is_taken(server, follower):
    directory = Directory(server)
    directory.put_snapshot(5, "a")
    connector = follower.connector(directory.url)
    await connector.round()
    directory.changes.clear()
    directory.put_snapshot(9, "x")
    directory.put_changes(10, "+y")
    await connector.round()

    assert follower.feeds.words == {"x", "y"}
    assert (await follower.position(directory.url)).number == 10


@pytest.mark.parametrize("more", [{}, {"series": "second"}])
async def test_a_source_that_counts_anew_is_taken_whole(server, follower, more):
    directory = Directory(server)
    directory.put_snapshot(5, "a")
    connector = follower.connector(directory.url)
    await connector.round()
    directory.put_snapshot(3 if not more else 5, "x")
    directory.put_changes(4 if not more else 6, "+y")
    directory.tell(**more)
    await connector.round()

    assert follower.feeds.words == {"x", "y"}


async def test_a_manifest_is_known_by_its_type_under_any_name(server, follower):
    directory = Directory(server, path="/")
    directory.put_snapshot(1, "a")
    server.files["/current"] = server.files.pop("/manifest.json")
    await follower.connector(f"{server.url}/current").round()

    assert follower.feeds.files == [("replace", "a")]


async def test_a_list_stays_a_list_under_the_type_of_a_manifest(server, follower):
    json = {"Content-Type": "application/json"}
    server.files["/list.ndjson"] = Served(body=b"a\n", headers=json)
    await follower.connector(f"{server.url}/list.ndjson").round()

    assert follower.feeds.files == [("replace", "a")]


async def test_a_page_to_log_in_is_never_taken_for_a_list(server, follower):
    page = Served(body=b"<html>log in</html>", headers={"Content-Type": "text/html"})
    server.files["/list/manifest.json"] = Served(status=302, headers={"Location": "/login"})
    server.files["/login"] = page
    with pytest.raises(SourceFault, match="manifest: "):
        await follower.connector(f"{server.url}/list/").round()

    assert follower.feeds.files == []


async def test_the_files_stand_beside_the_manifest_where_it_was_found(server, follower):
    directory = Directory(server, path="/2026/11/")
    directory.put_snapshot(1, "a")
    moved = Served(status=307, headers={"Location": "/2026/11/manifest.json"})
    server.files["/latest/manifest.json"] = moved
    await follower.connector(f"{server.url}/latest/").round()

    assert follower.feeds.files == [("replace", "a")]


async def test_a_rejected_line_stops_nothing(server, follower):
    directory = Directory(server)
    directory.put_snapshot(1, "a ?")
    directory.put_changes(2, "? ? +b")
    done = await follower.connector(directory.url).round()

    assert (done.files, done.rejected) == (2, 3)
    assert follower.feeds.words == {"a", "b"}
