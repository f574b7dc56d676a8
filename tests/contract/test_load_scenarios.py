"""The scenarios of `make load` against a demo: every answer is right, and budgets fail a run."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.load import SCENARIOS
from tests.support.private_folder import private_folder
from tests.support.running_service import RunningService, running_service

ROOT = Path(__file__).parents[2]
REQUESTS = {
    "TicketRush": "rush: a ticket",
    "HotelEvening": "hotel: a room",
    "AgencyManifests": "agency: a coach",
    "EnrolmentDay": "school: a parent",
    "ResortCounter": "resort: refund",
    "PublishingCourt": "court: ",
    "OpenRate": "arrivals: a ticket",
}
# A machine that runs other tests is slow; the answers have to be right all the same.
PATIENT = ("--p99-ms-max", "60000", "--failures-max", "0")

pytestmark = pytest.mark.xdist_group("contract-load")


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningService]:
    with private_folder() as folder, running_service(folder, "demo") as service:
        yield service


def load(demo: RunningService, *options: str) -> subprocess.CompletedProcess[str]:
    port = str(demo.address[1])
    command = [sys.executable, "-m", "loadtest.load", "--port", port]
    command += ["--data-dir", str(demo.data_dir), *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_all_scenarios_at_once_get_no_wrong_answer(demo: RunningService, tmp_path: Path) -> None:
    report = tmp_path / "load.html"
    sizes = ("--users", "15", "--seconds", "6", "--arrivals", "20", "--html", str(report))
    done = load(demo, *sizes, *PATIENT)

    assert done.returncode == 0, done.stdout + done.stderr
    assert {name for name in REQUESTS.values() if name not in done.stderr + done.stdout} == set()
    assert report.stat().st_size > 0


def test_a_run_whose_answers_take_longer_than_its_budget_fails(demo: RunningService) -> None:
    done = load(demo, "HotelEvening", "--users", "2", "--seconds", "3", "--p99-ms-max", "0.001")

    assert done.returncode == 1
    assert "over budget: p99" in done.stdout


def test_every_scenario_is_looked_for_in_the_summary() -> None:
    assert {*SCENARIOS, "OpenRate"} == REQUESTS.keys()
