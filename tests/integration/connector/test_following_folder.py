"""A source on the file system is followed like one on the web."""

import hashlib
import os

import msgspec
import pytest

from checker.connector.errors import SourceFault
from checker.connector.folder_source import FolderSource

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "published"
    made.mkdir()
    return made


def put(folder, snapshot, *changes):
    """Write snapshot and changes as (number, words), and a manifest of them."""
    entries = [
        write(folder, f"{kind}-{number}.ndjson", number, words)
        for kind, files in (("snapshot", [snapshot]), ("changes", changes))
        for number, words in files
    ]
    manifest = {"snapshot": entries[0], "changes": entries[1:]}
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def write(folder, file, number, words):
    (folder / file).write_bytes(words)
    return {"number": number, "file": file, "sha256": hashlib.sha256(words).hexdigest()}


async def test_a_folder_is_followed_by_its_manifest(folder, follower):
    connector = follower.to(FolderSource(folder))
    put(folder, (1, b"a"))
    await connector.round()
    put(folder, (1, b"a"), (2, b"+b"))
    await connector.round()
    await connector.round()

    assert follower.feeds.files == [("replace", "a"), ("apply", "+b")]


async def test_a_manifest_may_be_named_itself(folder, follower):
    put(folder, (1, b"a"))
    await follower.to(FolderSource(folder / "manifest.json")).round()

    assert follower.feeds.files == [("replace", "a")]


async def test_a_list_is_read_again_only_when_it_was_written_again(folder, follower):
    file = folder / "list.ndjson"
    file.write_bytes(b"a")
    connector = follower.to(FolderSource(file))
    await connector.round()
    await connector.round()
    file.write_bytes(b"b")
    os.utime(file, ns=(1, 1))
    await connector.round()

    assert follower.feeds.files == [("replace", "a"), ("replace", "b")]


async def test_a_file_that_is_half_written_is_not_taken_in(folder, follower):
    put(folder, (1, b"a b c"))
    (folder / "snapshot-1.ndjson").write_bytes(b"a b")
    with pytest.raises(SourceFault, match="sha256"):
        await follower.to(FolderSource(folder)).round()

    assert follower.feeds.files == []


async def test_a_file_that_changes_while_it_is_read_is_refused(folder):
    file = folder / "list.ndjson"
    file.write_bytes(b"a" * (1 << 20))
    async with FolderSource(file).open("list.ndjson") as body:
        await anext(body.chunks)
        file.write_bytes(b"b")
        with pytest.raises(SourceFault, match="changed while"):
            [chunk async for chunk in body.chunks]


@pytest.mark.parametrize("file", ["nowhere/", "nowhere.ndjson"])
async def test_a_path_that_is_not_there_is_told_and_tried_again(folder, follower, file):
    with pytest.raises(SourceFault, match="cannot be read"):
        await follower.to(FolderSource(folder / file)).round()
