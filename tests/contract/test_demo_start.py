"""`checker demo`: from nothing to a service that answers as its table of persons says."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.asking import ask, codes
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    RunningService,
    printed_keys,
    run_command,
    running_service,
)
from tests.support.town import TOWN, ndjson

pytestmark = pytest.mark.xdist_group("contract-demo")

PERSONS = tomllib.loads(
    resources.files("checker.demo").joinpath("persons.toml").read_text(encoding="utf-8")
)["persons"]
QUESTIONS = [(person, question) for person in PERSONS for question in person["questions"]]


class Started(NamedTuple):
    """The demo as it was started first, and again on the same directory, where it runs."""

    first: str
    running: RunningService


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with private_folder() as made:
        yield made


@pytest.fixture(scope="module")
def started(folder: Path) -> Iterator[Started]:
    with running_service(folder, "demo") as once:
        first = once.log()
    with running_service(folder, "demo") as again:
        again.keys["institution"] = printed_keys(again.log())["institution"]
        yield Started(first, again)


@pytest.mark.parametrize(
    ("person", "question"), QUESTIONS, ids=[person["is"] for person, _ in QUESTIONS]
)
def test_each_question_of_the_demo_is_answered_as_its_table_says(
    started: Started, person: dict[str, Any], question: dict[str, Any]
) -> None:
    running = started.running
    with running.client(running.keys["institution"]) as client:
        # The demo's persons are the town's, whose names no answer may hold either.
        answer = ask(
            client,
            person["number"],
            question["service"],
            kind=person.get("type", "resident_id"),
            name=question.get("name", person["name"]),
            issuer=question.get("issuer"),
            jurisdiction=question.get("jurisdiction", "CN"),
        )
    assert answer["decision"] == question["decision"]
    assert [code for code, _ in codes(answer)] == question.get("codes", [])
    if "measure" in question:
        assert codes(answer)[0][1] == question["measure"]


def test_it_prints_a_key_for_each_role(started: Started) -> None:
    for told in (started.first, started.running.log()):
        assert {"institution", "court", "operator"} <= set(printed_keys(told))


def test_it_starts_a_second_time_on_the_same_list(started: Started) -> None:
    counts = re.compile(r"\d+ synthetic listings")
    assert counts.findall(started.first) == counts.findall(started.running.log())


def test_the_curl_that_it_prints_works(started: Started) -> None:
    told = started.running.log()
    printed = told[told.index("curl ") :].split("\n\n")[0]
    done = subprocess.run(
        shlex.split(printed.replace("\\\n", " ")), capture_output=True, text=True, check=True
    )
    assert '"decision":"deny"' in done.stdout


def test_it_refuses_a_directory_that_holds_another_list() -> None:
    with private_folder() as other:
        list_file = other / "list.ndjson"
        list_file.write_bytes(ndjson(TOWN))
        data_dir = other / "data"
        assert run_command(data_dir, "import", str(list_file)).returncode == 0
        refused = run_command(data_dir, "demo", "--port", "1")
        assert refused.returncode == 2
        assert "not the demo's" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert not (data_dir / "config.toml").exists(), "the demo's settings reached another list"
