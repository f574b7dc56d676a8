"""The fields of a manifest, and the errors of a wrong one."""

import msgspec
import pytest

from checker.connector.errors import SourceFault
from checker.connector.manifest import read_manifest

SNAPSHOT = {"number": 5, "file": "snapshot-5.ndjson"}


def test_a_manifest_names_its_snapshot_and_changes():
    manifest = read_manifest(
        b'{"snapshot": {"number": 5, "file": "a/s.ndjson", "sha256": "' + b"aB" * 32 + b'"},'
        b' "changes": [{"number": 6, "file": "c.ndjson"}], "publisher": "x"}'
    )

    assert (manifest.snapshot.file, manifest.changes[0].number) == ("a/s.ndjson", 6)
    assert manifest.newest == 6


def test_a_source_without_changes_stands_at_its_snapshot():
    assert read_manifest(msgspec.json.encode({"snapshot": SNAPSHOT})).newest == 5


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ({}, "/snapshot: is required"),
        ({"snapshot": None}, "/snapshot"),
        ({"snapshot": SNAPSHOT | {"number": -1}}, "/snapshot/number"),
        ({"snapshot": SNAPSHOT | {"number": 2**63}}, "/snapshot/number"),
        ({"snapshot": SNAPSHOT | {"number": "5"}}, "/snapshot/number"),
        ({"snapshot": SNAPSHOT | {"number": 5.5}}, "/snapshot/number"),
        ({"snapshot": SNAPSHOT, "series": "\x00"}, "/series"),
        ({"snapshot": SNAPSHOT, "series": "a" * 201}, "/series"),
        ({"snapshot": SNAPSHOT | {"sha256": "a" * 63}}, "/snapshot: a sha256 has 64"),
        ({"snapshot": SNAPSHOT, "changes": [SNAPSHOT, SNAPSHOT]}, "one number"),
        ({"snapshot": SNAPSHOT, "changes": [{"number": 6}]}, "/changes/0/file: is required"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_told_by_field(manifest, told):
    with pytest.raises(SourceFault, match="the manifest: ") as refused:
        read_manifest(msgspec.json.encode(manifest))
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "file",
    [
        "",
        "/etc/passwd",
        "../list.ndjson",
        "a/../../list.ndjson",
        "a/..",
        ".hidden",
        "a//b",
        "a/",
        "//elsewhere.example/list.ndjson",
        "https://elsewhere.example/list.ndjson",
        "a\\b",
        "a?b",
        "a#b",
        "a%2e%2e/b",
        "a b",
        "a\n",
        "a\x00",
        "列表.ndjson",
        "a" * 201,
    ],
)
def test_no_file_name_leads_out_of_the_directory(file):
    with pytest.raises(SourceFault, match="/snapshot/file"):
        read_manifest(msgspec.json.encode({"snapshot": SNAPSHOT | {"file": file}}))


@pytest.mark.parametrize("data", [b"", b"{", b"<html>", b"\xff", b"[" * 100_000, b"5", b"[]"])
def test_what_is_no_object_of_json_is_no_manifest(data):
    with pytest.raises(SourceFault, match="the manifest: "):
        read_manifest(data)
