"""The command line beside a server that runs on the same data directory."""

import json
from pathlib import Path

import httpx
import pytest

from tests.support.asking import G_TRAIN, ask
from tests.support.running_service import RunningService, run_command
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT, MARKS, TOWN, ndjson

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]


@pytest.fixture
def town_file(tmp_path: Path) -> Path:
    file = tmp_path / "town.ndjson"
    file.write_bytes(ndjson(TOWN))
    return file


def test_a_file_is_imported_and_in_force_at_once(
    service: RunningService, institution: httpx.Client, town_file: Path
) -> None:
    before = ask(institution, DEBTOR, G_TRAIN)["list"]["version"]
    done = run_command(service.data_dir, "import", str(town_file), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert (report["version"], report["accepted"]) == (before + 1, len(TOWN))
    assert ask(institution, DEBTOR, G_TRAIN)["list"]["version"] == before + 1


def test_rejected_lines_are_told_on_standard_error_without_what_stood_in_them(
    service: RunningService, tmp_path: Path
) -> None:
    file = tmp_path / "partly.ndjson"
    file.write_bytes(ndjson(TOWN) + ndjson([{DEBTOR: DEBTOR_NAME}]))
    done = run_command(service.data_dir, "import", str(file))
    assert done.returncode == 4
    assert f"{len(TOWN)} accepted, 1 rejected" in done.stdout
    assert f"line {len(TOWN) + 1}: invalid-listing" in done.stderr
    assert not [mark for mark in MARKS if mark in done.stdout + done.stderr]


def test_a_file_without_one_good_line_changes_nothing(
    service: RunningService, institution: httpx.Client, tmp_path: Path
) -> None:
    before = ask(institution, DEBTOR, G_TRAIN)["list"]
    file = tmp_path / "bad.ndjson"
    file.write_text(f"{DEBTOR}\n")
    done = run_command(service.data_dir, "import", str(file))
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("checker: no line could be accepted")
    assert DEBTOR not in done.stderr
    assert ask(institution, DEBTOR, G_TRAIN)["list"] == before


@pytest.mark.parametrize(
    ("asked", "decision", "code"),
    [
        ("rail train=G79 seat=second", "deny", 12),
        (json.dumps(G_TRAIN), "deny", 12),
        ("rail train=1461 seat=hard_seat", "allow", 0),
        ("resort venue=rated_resort amount_fen=1", "review", 11),
        ("lodging star_rating=0 high_consumption=true", "deny", 12),
    ],
)
def test_a_question_is_asked_in_words_or_json(
    service: RunningService, asked: str, decision: str, code: int
) -> None:
    done = run_command(
        service.data_dir, "check", "--document", DEBTOR, "--service", asked, "--exit-code", "--json"
    )
    assert (done.returncode, done.stderr) == (code, "")
    assert json.loads(done.stdout)["decision"] == decision


def test_a_number_is_read_from_standard_input_where_nobody_sees_it(
    service: RunningService,
) -> None:
    arguments = ("check", "--document", "-", "--service", "air flight=CZ3101")
    done = run_command(service.data_dir, *arguments, typed=f"resident_id:{DEBTOR}\n")
    assert done.returncode == 0
    first, reason = done.stdout.splitlines()
    assert first.startswith("deny  (list version ")
    assert reason.split()[:4] == ["restricted", "cn-2016-64/2.7.1", "as", "debtor"]


def test_the_status_is_told_as_json(service: RunningService, operator: httpx.Client) -> None:
    done = run_command(service.data_dir, "status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    seen = operator.get("/v1/list").json()
    shared = set(told) & set(seen)
    assert {name: told[name] for name in shared} == {name: seen[name] for name in shared}
    assert {"version", "listings", "persons"} <= shared
    assert told["cache_version"] == told["version"]


def test_a_key_is_printed_alone_and_works(service: RunningService) -> None:
    arguments = ("keys", "create", "--role", "institution", "--name", "cli", "--services", "rail")
    done = run_command(service.data_dir, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    key = done.stdout.removesuffix("\n")
    assert key.startswith("ck_")
    assert not any(character.isspace() for character in key)
    with service.client(key) as client:
        assert ask(client, INNOCENT, G_TRAIN)["decision"] == "allow"


def test_an_account_keeps_its_role(service: RunningService) -> None:
    arguments = ("keys", "create", "--role", "court", "--name", "institution")
    done = run_command(service.data_dir, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "checker: the account of this name has the role institution\n"
