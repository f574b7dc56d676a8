"""Wrong usage: exit code 2 and a line that says what is wrong, before any server is started."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from checker.cli.main import main

NUMBER = "440882189001011230"
CHECK = ("check", "--document", NUMBER, "--service", "air flight=CZ3101")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("serv",), "No such command"),
        (("serve", "--port", "0"), "--port"),
        (("serve", "--port", "x"), "--port"),
        (("serve", "--workers", "0"), "--workers"),
        (("import",), "FILE"),
        (("import", "/nowhere/list.ndjson"), "does not exist"),
        (("import", "/"), "is a directory"),
        (("import", __file__, "--strict"), "--changes"),
        (("import", __file__, "--changes", "--allow-empty"), "--snapshot"),
        (("import", __file__, "--changes", "--allow-shrink"), "--snapshot"),
        (("import", __file__, "--format", "csv"), "--format"),
        (("feed", "follow"), "URL"),
        (("rebuild", "now"), "unexpected extra argument"),
        (("check",), "--document"),
        (("check", "--document", NUMBER), "--service"),
        (("keys", "create", "--name", "x"), "--role"),
        (("keys", "create", "--role", "judge", "--name", "x"), "--role"),
        (("keys", "create", "--role", "court"), "--name"),
        (("keys", "create", "--role", "court", "--name", "x", "--services", "rial"), "--services"),
        (("keys", "create", "--role", "court", "--name", "x", "--jurisdiction", "99"), "GB/T 2260"),
        (("keys", "create", "--role", "court", "--name", "x", "--quota", "-1"), "--quota"),
        (("receipts", "rotate", "--lead", "2"), "--lead"),
        (("receipts", "withdraw"), "--kid"),
        (("keys", "create", "--role", "court", "--name", "x", "--expires-at", "soon"), "RFC 3339"),
        (("keys", "list"), "ACCOUNT"),
        (("keys", "rotate", "x", "--overlap", "-1"), "--overlap"),
        (("keys", "revoke"), "KEY_ID"),
        (("accounts", "create", "--role", "court"), "--name"),
        (("accounts", "create", "--role", "court", "--name", " "), "--name"),
        (("accounts", "disable"), "ACCOUNT"),
        (("status", "--config", "/nowhere.toml"), "does not exist"),
        ((*CHECK, "--no-such-option"), "--no-such-option"),
        (("check", "--document", NUMBER, "--service", '{"type": '), "--service"),
        (("check", "--document", NUMBER, "--service", "[1]"), "/service/type"),
        (("check", "--document", NUMBER, "--service", ""), "/service/type"),
        (("check", "--document", NUMBER, "--service", "rail train"), "/service/train"),
        (("check", "--document", NUMBER, "--service", "lodging star_rating=six"), "star_rating"),
        (("check", "--document", NUMBER, "--service", "lodging star_rating=-1"), "star_rating"),
        ((*CHECK, "--jurisdiction", "99"), "/jurisdiction"),
        (("check", "--document", NUMBER[:17], *CHECK[3:]), "/subject/document/number"),
        (("check", "--document", f"card:{NUMBER}", *CHECK[3:]), "/subject/document/type"),
        ((*CHECK, "--name", "\udcff"), "UTF-8"),
    ],
)
def test_wrong_usage_is_told_in_a_line(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    data_dir = tmp_path / "data"
    result = run(*arguments, "--data-dir", str(data_dir))
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output
    assert NUMBER not in result.output
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("[lists]\n", "lists"),
        ("[list]\nstale_after_days = 2\n", "stale_after_days"),
        ("[list]\nstale_after_hours = 0\n", "stale_after_hours"),
        ("[fishing]\nshare = 0.1\n", "share"),
        ("[fishing]\nadverse_share = 1.5\n", "adverse_share"),
        ("[fishing]\nitems_min = 0\n", "items_min"),
        ("[jurisdiction.CN]\nhigh_school_fee = 1\n", "high_school_fee"),
        ("[jurisdiction.99]\nhigh_premium_fen = 1\n", "99"),
        ("[jurisdiction.CN]\nresort_cap_fen = -1\n", "resort_cap_fen"),
        ('[jurisdiction.CN]\nresort_cap_period = "week"\n', "resort_cap_period"),
        ("[jurisdiction.CN\n", "line 1"),
    ],
)
def test_a_setting_that_is_unknown_or_wrong_stops_the_start_with_file_and_key(
    tmp_path: Path, settings: str, told: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(settings)
    result = run("serve", "--data-dir", str(tmp_path / "data"), "--config", str(file))
    assert result.exit_code == 2
    assert result.stderr.startswith("checker: ")
    assert len(result.stderr.splitlines()) == 1
    assert str(file) in result.stderr
    assert told in result.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("settings", [b"\xff\xfe", b"# \xc4\n"])
def test_a_config_file_in_another_encoding_cannot_be_read(tmp_path: Path, settings: bytes) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(settings)
    result = run("status", "--data-dir", str(tmp_path / "data"), "--config", str(file))
    assert (result.exit_code, result.stderr) == (2, f"checker: {file} cannot be read\n")


def test_the_config_file_of_the_data_directory_is_read_by_itself(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[lists]\n")
    result = run("status", "--data-dir", str(tmp_path))
    assert result.exit_code == 2
    assert str(tmp_path / "config.toml") in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "demo",
        "import",
        "check",
        "status",
        "rebuild",
        "keys create",
        "feed follow",
        "keys list",
        "keys rotate",
        "keys revoke",
        "accounts create",
        "accounts list",
    ],
)
def test_each_command_says_where_its_deployment_is(command: str) -> None:
    told = run(*command.split(), "--help")
    assert told.exit_code == 0
    assert "--data-dir" in told.stdout
    assert "--config" in told.stdout


def test_the_version_is_told() -> None:
    assert run("--version").exit_code == 0
