"""The commands that change the list, alone on their directory; a server that starts later knows."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.changing import Stranger, outcome
from tests.support.private_folder import private_folder
from tests.support.running_service import run_command, running_service
from tests.support.town import DEBTOR, MARKS, TOWN, Line, ndjson

pytestmark = pytest.mark.xdist_group("contract")

AIR = ("--service", "air flight=CZ3101")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder whose data directory has the town's list, and no server."""
    with private_folder() as folder:
        run(folder, "import", written(folder, list(TOWN)))
        yield folder


def run(folder: Path, *arguments: str, code: int = 0) -> str:
    """Run a command that must end with a code, and print nothing about a person."""
    done = run_command(folder / "data", *arguments)
    assert done.returncode == code, done.stderr
    assert not [mark for mark in MARKS if mark in done.stdout + done.stderr]
    return done.stdout


def written(folder: Path, lines: list[Line]) -> str:
    file = folder / "lines.ndjson"
    file.write_bytes(ndjson(lines))
    return str(file)


def decision(folder: Path, number: str) -> str:
    told = run(folder, "check", "--document", f"resident_id:{number}", *AIR, "--json")
    said: str = json.loads(told)["decision"]
    return said


def test_changes_are_in_force_for_the_next_command(folder: Path) -> None:
    somebody = Stranger()
    lines = [somebody.listed(), somebody.about("erase")]
    told = run(folder, "import", written(folder, lines), "--changes", "--json", code=4)
    report = json.loads(told)
    assert (report["accepted"], report["rejected_count"]) == (1, 1)
    assert decision(folder, somebody.number) == "deny"
    ended = [somebody.about("delist", ground="fulfilled")]
    run(folder, "import", written(folder, ended), "--changes", "--strict")
    assert decision(folder, somebody.number) == "allow"


def test_a_rebuild_keeps_every_answer(folder: Path) -> None:
    first, second = (json.loads(run(folder, "rebuild", "--json")) for _ in range(2))
    assert first["id"] != second["id"]
    assert first["entries"] == second["entries"] > 0
    assert decision(folder, DEBTOR) == "deny"


def test_what_was_changed_and_followed_is_in_force_in_a_server_that_starts_later(
    folder: Path,
) -> None:
    changed, followed, record = Stranger(), Stranger(), Stranger()
    source = folder / "source"
    source.mkdir()
    (source / "snapshot-1.ndjson").write_bytes(ndjson([*TOWN, followed.listing()]))
    manifest = {"snapshot": {"number": 1, "file": "snapshot-1.ndjson"}}
    (source / "manifest.json").write_text(json.dumps(manifest))
    run(folder, "feed", "follow", str(source), "--once")
    run(folder, "import", written(folder, [changed.listed()]), "--changes")
    told = {
        "iname": record.name,
        "caseCode": "（2014）某法执字第00232号",
        "cardNum": record.number,
        "courtName": "雷州市人民法院",
        "partyTypeName": "0",
        "publishDate": "2016年05月04日",
    }
    run(folder, "import", written(folder, [told]), "--changes", "--format", "zxgk")
    with running_service(folder) as service:
        service.make_keys({"institution": ("--role", "institution")})
        with service.client(service.keys["institution"]) as client:
            people = (changed, followed, record, Stranger())
            decisions = [outcome(client, each.number) for each in people]
    assert decisions == ["deny", "deny", "deny", "allow"]
