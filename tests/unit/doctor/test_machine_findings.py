"""The machine of a deployment: folders, files and limits, each with its remedy."""

from pathlib import Path

import msgspec
import pytest

from checker.config import load_config
from checker.doctor.finding import Finding, FindingLevel
from checker.doctor.machine import EXAMINATIONS, Machine, read_machine

NAMED = {"DATABASE_URL": "postgresql://u:hunter2@db/x", "REDIS_URL": "redis://:hunter2@r"}
KEY = "A" * 43 + "="
KEYS = {"CHECKER_TOKEN_KEY": KEY, "CHECKER_ENCRYPTION_KEY": KEY}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    keys = made / "secrets.json"
    keys.write_text("{}")
    keys.chmod(0o600)
    return made


def levels(machine: Machine) -> dict[str, FindingLevel]:
    return {found.name: found.level for found in findings(machine)}


def findings(machine: Machine) -> list[Finding]:
    return [examination(machine) for examination in EXAMINATIONS]


def machine_of(folder: Path, environ: dict[str, str]) -> Machine:
    return read_machine(load_config(environ, data_dir=folder), environ)


def test_a_private_folder_with_private_secrets_has_no_fault(folder: Path) -> None:
    (folder / "config.toml").write_text("")
    (folder / "config.toml").chmod(0o644)
    found = levels(machine_of(folder, NAMED))
    assert {found[name] for name in ("servers", "data directory", "secrets", "settings")} == {"ok"}


def test_embedded_servers_and_missing_settings_are_warnings(folder: Path) -> None:
    found = levels(machine_of(folder, {}))
    assert (found["servers"], found["settings"]) == ("warning", "warning")


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_file_of_secrets_that_others_may_use_is_a_fault(folder: Path, mode: int) -> None:
    (folder / "secrets.json").chmod(mode)
    assert levels(machine_of(folder, NAMED))["secrets"] == "fault"


@pytest.mark.parametrize(
    ("mode", "level"), [(0o770, "fault"), (0o702, "fault"), (0o755, "warning")]
)
def test_a_folder_that_others_may_use_is_found(folder: Path, mode: int, level: str) -> None:
    folder.chmod(mode)
    assert levels(machine_of(folder, NAMED))["data directory"] == level


def test_settings_that_others_may_change_are_a_fault(folder: Path) -> None:
    (folder / "config.toml").write_text("")
    (folder / "config.toml").chmod(0o666)
    assert levels(machine_of(folder, NAMED))["settings"] == "fault"


@pytest.mark.parametrize(
    ("environ", "level"), [(KEYS, "ok"), ({"CHECKER_TOKEN_KEY": KEY}, "fault"), ({}, "fault")]
)
def test_secrets_are_complete_or_a_fault(
    tmp_path: Path, environ: dict[str, str], level: str
) -> None:
    assert levels(machine_of(tmp_path, NAMED | environ))["secrets"] == level


def test_limits_below_the_needs_of_a_worker_are_warnings(folder: Path) -> None:
    low = msgspec.structs.replace(machine_of(folder, NAMED), files_max=1024, somaxconn=128)
    found = levels(low)
    assert (found["open files"], found["waiting connections"]) == ("warning", "warning")


def test_a_finding_that_is_not_ok_says_how_to_mend_it(folder: Path) -> None:
    folder.chmod(0o777)
    low = msgspec.structs.replace(machine_of(folder, {}), files_max=1024, somaxconn=128)
    assert all((found.mend is None) == (found.level == "ok") for found in findings(low))


def test_no_finding_repeats_a_secret(folder: Path) -> None:
    assert "hunter2" not in str(findings(machine_of(folder, NAMED | KEYS)))
