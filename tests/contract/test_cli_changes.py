"""Changes, a rebuild and a followed directory by the command line, beside a server that runs."""

import functools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.support.changing import Stranger, outcome, outcome_everywhere
from tests.support.running_service import RunningService, run_command
from tests.support.town import MARKS, TOWN, ndjson

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]


def written(folder: Path, lines: list[dict[str, object]]) -> str:
    file = folder / "lines.ndjson"
    file.write_bytes(ndjson(lines))
    return str(file)


def test_changes_of_a_file_are_in_force_on_every_worker(
    service: RunningService, tmp_path: Path
) -> None:
    somebody = Stranger()
    lines = [somebody.listed(), somebody.about("erase")]
    done = run_command(service.data_dir, "import", written(tmp_path, lines), "--changes")
    assert done.returncode == 4, done.stderr
    assert "1 accepted, 1 rejected" in done.stdout
    assert "line 2: invalid-operation" in done.stderr
    assert not [mark for mark in MARKS if mark in done.stdout + done.stderr]
    assert outcome_everywhere(service, somebody.number) == "deny"


def test_an_import_under_a_key_and_a_version_is_done_once(
    service: RunningService, institution: httpx.Client, tmp_path: Path
) -> None:
    somebody = Stranger()
    file = written(tmp_path, [somebody.listed()])
    key = ("--idempotency-key", f"import of {somebody.number}")
    do = functools.partial(run_command, service.data_dir, "import", file, "--changes", "--json")
    first = do(*key)
    assert first.returncode == 0, first.stderr
    version = json.loads(first.stdout)["version"]
    other = do(*key, "--strict")
    assert (other.returncode, other.stdout) == (2, "")
    assert json.loads(other.stderr)["error"]["code"] == "idempotency-key-reused"
    assert "--idempotency-key was used for another request" in other.stderr
    late = do("--if-match", str(version - 1))
    assert (late.returncode, late.stdout) == (2, "")
    assert f"the list has version {version}" in late.stderr
    assert do(*key, "--if-match", str(version - 1)).stdout == first.stdout
    assert outcome(institution, somebody.number) == "deny"


def test_strict_changes_are_all_or_nothing(
    service: RunningService, institution: httpx.Client, tmp_path: Path
) -> None:
    somebody = Stranger()
    file = written(tmp_path, [somebody.listed(), somebody.about("erase")])
    done = run_command(service.data_dir, "import", file, "--changes", "--strict", "--json")
    assert (done.returncode, json.loads(done.stdout)["accepted"]) == (5, 0)
    assert outcome(institution, somebody.number) == "allow"


def test_a_list_in_gb18030_is_read_and_a_list_without_a_good_line_frees_nobody(
    service: RunningService, institution: httpx.Client, tmp_path: Path
) -> None:
    somebody = Stranger()
    file = tmp_path / "list.ndjson"
    lines = ndjson([*TOWN, somebody.listing()])
    file.write_bytes(lines.decode().encode("gb18030"))
    done = run_command(service.data_dir, "import", str(file), "--allow-shrink")
    assert (done.returncode, done.stderr) == (0, "")
    assert outcome(institution, somebody.number) == "deny"
    file.write_bytes(b"{}\n[]\n")
    done = run_command(service.data_dir, "import", str(file), "--allow-empty", "--json")
    assert (done.returncode, done.stdout) == (5, "")
    assert len(json.loads(done.stderr)["error"]["faults"]) == 2
    assert outcome(institution, somebody.number) == "deny"


def test_records_of_the_platform_come_in_as_changes(
    service: RunningService, institution: httpx.Client, tmp_path: Path
) -> None:
    somebody = Stranger()
    record = {
        "iname": somebody.name,
        "caseCode": "（2014）某法执字第00232号",
        "cardNum": somebody.number,
        "courtName": "雷州市人民法院",
        "partyTypeName": "0",
        "publishDate": "2016年05月04日",
    }
    file = written(tmp_path, [record])
    for _ in range(2):
        done = run_command(service.data_dir, "import", file, "--changes", "--format", "zxgk")
        assert done.returncode == 0, done.stderr
    assert outcome(institution, somebody.number, name=somebody.name) == "deny"


@pytest.mark.parametrize("options", [("--strict",), ("--changes", "--allow-shrink")])
def test_options_that_do_not_go_together_are_refused(
    service: RunningService, tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = run_command(service.data_dir, "import", written(tmp_path, []), *options)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_rebuild_changes_the_generation_and_no_answer(
    service: RunningService, institution: httpx.Client, tmp_path: Path
) -> None:
    somebody = Stranger()
    file = written(tmp_path, [somebody.listed()])
    run_command(service.data_dir, "import", file, "--changes")
    ids = set()
    for _ in range(2):
        done = run_command(service.data_dir, "rebuild", "--json")
        assert done.returncode == 0, done.stderr
        ids.add(json.loads(done.stdout)["id"])
        assert outcome_everywhere(service, somebody.number) == "deny"
    assert len(ids) == 2


def publish(folder: Path, somebody: Stranger, other: Stranger) -> None:
    """Write a list with somebody, and a change that takes another in their place."""
    (folder / "snapshot-1.ndjson").write_bytes(ndjson([*TOWN, somebody.listing()]))
    changes = [somebody.about("delist", ground="settled"), other.listed()]
    (folder / "changes-2.ndjson").write_bytes(ndjson(changes))
    manifest = {
        "snapshot": {"number": 1, "file": "snapshot-1.ndjson"},
        "changes": [{"number": 2, "file": "changes-2.ndjson"}],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Serve a folder as a court may; gives its address."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def plain_folder(folder: Path) -> Iterator[str]:
    yield str(folder)


@pytest.mark.parametrize("source", [web_server, plain_folder])
def test_a_directory_is_followed_from_its_snapshot_through_its_changes(
    service: RunningService,
    tmp_path: Path,
    source: Callable[[Path], AbstractContextManager[str]],
) -> None:
    somebody, other = Stranger(), Stranger()
    publish(tmp_path, somebody, other)
    with source(tmp_path) as address:
        follow = ("feed", "follow", address, "--once", "--json")
        done = run_command(service.data_dir, *follow)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["files"] == 2
        assert not [mark for mark in MARKS if mark in done.stdout + done.stderr]
        told = [outcome_everywhere(service, each.number) for each in (somebody, other)]
        assert told == ["allow", "deny"]
        assert json.loads(run_command(service.data_dir, *follow).stdout)["files"] == 0
