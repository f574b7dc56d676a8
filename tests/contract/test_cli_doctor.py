"""`checker doctor` beside a server that runs, and on a machine that is not in order."""

import json
from pathlib import Path

import pytest

from tests.support.running_service import RunningService, run_command

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]


def test_the_doctor_finds_a_running_deployment_in_order(service: RunningService) -> None:
    done = run_command(service.data_dir, "doctor", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = {each["name"]: each["level"] for each in json.loads(done.stdout)}
    # The test's server is embedded, and its file of settings stands outside of the data directory.
    assert {name for name, level in found.items() if level != "ok"} == {"servers", "settings"}
    assert {"publisher", "nodes", "list", "keys"} <= found.keys()


def test_the_doctor_ends_with_code_3_at_a_fault_and_shows_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "secrets.json").write_text("{}")
    (folder / "secrets.json").chmod(0o644)
    done = run_command(folder, "doctor")
    assert (done.returncode, done.stderr) == (3, "")
    assert "fault    secrets: others may use the file (mode 0644)" in done.stdout
    assert f"→ chmod 600 {folder / 'secrets.json'}" in done.stdout
    assert not (folder / "postgres").exists(), "nothing is started for a deployment with a fault"
