"""`checker feed follow` as an operator starts and stops it, on a deployment of its own."""

import json
import signal

import msgspec
import pytest

from loadtest.document_numbers import NumberSpace
from tests.support.private_folder import private_folder
from tests.support.running_service import run_command, start_command

_numbers = NumberSpace(18)


@pytest.fixture
def data_dir():
    with private_folder() as folder:
        yield folder / "data"


@pytest.fixture
def published(tmp_path):
    """A folder that publishes one listing, and a second one as a change; one line is wrong."""
    (tmp_path / "snapshot-1.ndjson").write_bytes(msgspec.json.encode(listing(1)))
    change = msgspec.json.encode({"op": "list", "listing": listing(2)})
    (tmp_path / "changes-2.ndjson").write_bytes(change + b"\n{}\n")
    manifest = {
        "snapshot": {"number": 1, "file": "snapshot-1.ndjson"},
        "changes": [{"number": 2, "file": "changes-2.ndjson"}],
    }
    (tmp_path / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return tmp_path


def listing(index):
    number = _numbers.resident_id(index, "0704")
    return {
        "id": f"followed-{index}",
        "case_number": f"（2026）粤0882执{index}号",
        "court": "雷州市人民法院",
        "published_on": "2026-01-01",
        "party": {
            "type": "person",
            "name": f"示例人{index}号",
            "documents": [{"type": "resident_id", "number": number}],
        },
    }


def listings(data_dir):
    told = run_command(data_dir, "status", "--json")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)["listings"]


def test_one_look_takes_in_what_is_new_and_tells_it(data_dir, published):
    first = run_command(data_dir, "feed", "follow", str(published), "--once", "--json")
    second = run_command(data_dir, "feed", "follow", str(published), "--once")

    assert first.returncode == 4, first.stderr
    done = json.loads(first.stdout)
    assert (done["files"], done["rejected"]) == (2, 1)
    assert (second.returncode, second.stdout) == (0, "nothing new\n")
    assert listings(data_dir) == 2


def test_a_source_that_is_away_is_told_in_a_line(data_dir, tmp_path):
    told = run_command(data_dir, "feed", "follow", str(tmp_path / "nowhere"), "--once")

    assert told.returncode == 1
    assert told.stderr.splitlines()[-1] == (
        "checker: nowhere cannot be read: No such file or directory"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_follower_that_is_told_to_stop_ends_in_order(data_dir, published, number):
    process = start_command(data_dir, "feed", "follow", str(published))
    told = ""
    while "changes-2.ndjson is in force" not in told:
        line = process.stderr.readline()
        assert line, told
        told += line
    process.send_signal(number)
    _, rest = process.communicate(timeout=60)

    assert process.returncode == 0, told + rest
    assert "Traceback" not in told + rest
    assert "示例人" not in told + rest
    assert listings(data_dir) == 2
