"""A snapshot of less than half of what is in force is a mistake until somebody says otherwise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, ask, problem
from tests.support.running_service import RunningService, run_command
from tests.support.town import DEBTOR, TOWN, ndjson

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

FEED = "/v1/feed/snapshot"
HALF = len(TOWN) // 2
PutSnapshot = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def whole(put_snapshot: PutSnapshot) -> int:
    """Have the whole town in force; gives its version."""
    version: int = put_snapshot(list(TOWN))["version"]
    return version


def test_less_than_half_is_refused_and_changes_nothing(
    court: httpx.Client, institution: httpx.Client, whole: int
) -> None:
    refused = court.put(FEED, content=ndjson(TOWN[-HALF + 1 :]))
    assert "allow_shrink" in problem(refused, 409, "conflict")["detail"]
    answer = ask(institution, DEBTOR, FLIGHT)
    assert (answer["decision"], answer["list"]["version"]) == ("deny", whole)


def test_rejected_lines_do_not_count_for_the_half(court: httpx.Client, whole: int) -> None:
    body = ndjson(TOWN[-HALF + 1 :]) + b"{}\n" * len(TOWN)
    problem(court.put(FEED, content=body), 409, "conflict")


def test_half_is_taken_in(court: httpx.Client, institution: httpx.Client, whole: int) -> None:
    report = court.put(FEED, content=ndjson(TOWN[-HALF:])).json()
    assert (report["version"], report["accepted"]) == (whole + 1, HALF)
    assert ask(institution, DEBTOR, FLIGHT)["decision"] == "allow"


def test_less_than_half_that_is_meant_is_taken_in(
    court: httpx.Client, institution: httpx.Client, whole: int
) -> None:
    response = court.put(FEED, content=ndjson(TOWN[-1:]), params={"allow_shrink": "true"})
    assert response.json()["version"] == whole + 1
    assert ask(institution, DEBTOR, FLIGHT)["decision"] == "allow"


def test_the_command_line_asks_for_the_same_word(
    service: RunningService, institution: httpx.Client, tmp_path: Path, whole: int
) -> None:
    file = tmp_path / "few.ndjson"
    file.write_bytes(ndjson(TOWN[-1:]))
    done = run_command(service.data_dir, "import", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert ask(institution, DEBTOR, FLIGHT)["decision"] == "deny"
    done = run_command(service.data_dir, "import", str(file), "--allow-shrink")
    assert done.returncode == 0, done.stderr
    assert ask(institution, DEBTOR, FLIGHT)["decision"] == "allow"
