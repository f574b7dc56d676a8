"""A wrong argument, setting or environment ends a command with one line and its exit code.

Nothing is made on disk, and no line is a traceback. `test_cli_misuse` has the arguments of each
command; this table has what surrounds a command.
"""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from checker.cli.endings import ExitCode
from checker.cli.main import COMMANDS, main

SECRET = "hunter2"
NUMBER = "440882189001011230"
KEYS = dict.fromkeys(
    ("CHECKER_TOKEN_KEY", "CHECKER_ENCRYPTION_KEY"), "c3ludGhldGljLWtleS1vZi0zMi1ieXRlcy1leGFjdGw="
)
# Nothing listens on port 1.
AWAY = {
    "DATABASE_URL": f"postgresql://u:{SECRET}@127.0.0.1:1/d",
    "REDIS_URL": f"redis://:{SECRET}@127.0.0.1:1/0",
}
DATA = "{data}"
BEGINS = ("accounts", "create", "--role", "court", "--name", "x", "--data-dir", DATA)
TOO_LONG = "a" * 300
NO_DEPLOYMENT = "there is no deployment in"

# The arguments, the environment, the exit code, and a part of the line.
TABLE = [
    (("serv",), {}, ExitCode.WRONG_INPUT, "No such command"),
    (("status", "--no-such"), {}, ExitCode.WRONG_INPUT, "--no-such"),
    (("keys", "create", "--name", "x"), {}, ExitCode.WRONG_INPUT, "--role"),
    (("rebuild", NUMBER), {}, ExitCode.WRONG_INPUT, "unexpected extra argument"),
    (BEGINS, {"REDIS_URL": SECRET}, ExitCode.WRONG_INPUT, "REDIS_URL is no URL"),
    (BEGINS, {"REDIS_URL": "redis://h/0?ssl_keyfile=x"}, ExitCode.WRONG_INPUT, "rediss://"),
    (BEGINS, {"DATABASE_URL": SECRET}, ExitCode.WRONG_INPUT, "DATABASE_URL is not a URL"),
    (BEGINS, {"DATABASE_URL": "postgresql://h/d?sslmode=x"}, ExitCode.WRONG_INPUT, "sslmode"),
    (BEGINS, {"CHECKER_LOG_FORMAT": SECRET}, ExitCode.WRONG_INPUT, "CHECKER_LOG_FORMAT"),
    (BEGINS, {"CHECKER_REDIS_PREFIX": "a b"}, ExitCode.WRONG_INPUT, "CHECKER_REDIS_PREFIX"),
    (BEGINS, {"CHECKER_CONFIG": "/"}, ExitCode.WRONG_INPUT, "is a directory"),
    (BEGINS, {"CHECKER_CONFIG": "/dev/zero"}, ExitCode.WRONG_INPUT, "larger than any"),
    (BEGINS, {"CHECKER_CONFIG": sys.executable}, ExitCode.WRONG_INPUT, sys.executable),
    ((*BEGINS[:-1], "/dev/null"), {}, ExitCode.WRONG_INPUT, "data directory"),
    ((*BEGINS[:-1], "/dev/null/x"), {}, ExitCode.WRONG_INPUT, "data directory"),
    ((*BEGINS[:-1], "/proc/checker"), {}, ExitCode.WRONG_INPUT, "data directory"),
    ((*BEGINS[:-1], TOO_LONG), {}, ExitCode.WRONG_INPUT, "File name too long"),
    (BEGINS[:-2], {"CHECKER_DATA_DIR": TOO_LONG}, ExitCode.WRONG_INPUT, "File name too long"),
    (("status", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("status", "--data-dir", DATA), AWAY, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("status", "--data-dir", DATA), KEYS, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("keys", "list", "x", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("keys", "rotate", "x", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("keys", "revoke", "x", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("accounts", "list", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("accounts", "show", "x", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("accounts", "disable", "x", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("audit", "verify", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("rebuild", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (("receipts", "rotate", "--data-dir", DATA), {}, ExitCode.WRONG_INPUT, NO_DEPLOYMENT),
    (
        ("check", "--document", NUMBER, "--service", "air flight=CZ3101", "--data-dir", DATA),
        {},
        ExitCode.WRONG_INPUT,
        NO_DEPLOYMENT,
    ),
]


def run(folder: Path, arguments: tuple[str, ...], environ: dict[str, str]) -> Result:
    words = [word.replace(DATA, str(folder / "data")) for word in arguments]
    unset = dict.fromkeys((*AWAY, *KEYS, "CHECKER_DATA_DIR", "CHECKER_CONFIG"))
    return CliRunner(env=unset | environ).invoke(main, words)


@pytest.mark.parametrize(("arguments", "environ", "code", "part"), TABLE)
def test_a_wrong_call_ends_with_one_line_and_makes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    environ: dict[str, str],
    code: ExitCode,
    part: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(tmp_path, arguments, environ)
    [line] = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (code, "")
    assert line.startswith("checker: ")
    assert part in line
    assert not [word for word in ("Traceback", SECRET, NUMBER) if word in line]
    assert list(tmp_path.iterdir()) == []


def test_an_error_beside_json_is_json(tmp_path: Path) -> None:
    result = run(tmp_path, ("status", "--json", "--data-dir", DATA), {})
    error = json.loads(result.stderr)["error"]
    assert (result.exit_code, result.stdout) == (ExitCode.WRONG_INPUT, "")
    assert error["code"] == "configuration"
    assert error["detail"].startswith(NO_DEPLOYMENT)
    assert error["faults"] == []


def test_the_faults_of_a_request_are_in_the_line(tmp_path: Path) -> None:
    asked = (
        "check",
        "--document",
        NUMBER[:17],
        "--service",
        "air flight=CZ3101",
        "--data-dir",
        DATA,
    )
    [line] = run(tmp_path, asked, {}).stderr.splitlines()
    assert "/subject/document/number: " in line
    faults = json.loads(run(tmp_path, (*asked, "--json"), {}).stderr)["error"]["faults"]
    assert [fault["pointer"] for fault in faults] == ["/subject/document/number"]


def test_a_server_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    result = run(tmp_path, ("status", "--data-dir", DATA), AWAY | KEYS)
    assert result.exit_code == ExitCode.UNAVAILABLE
    assert result.stderr.startswith("checker: PostgreSQL at 127.0.0.1:1: ")
    assert SECRET not in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_knows_h_and_cuts_no_summary(name: str) -> None:
    result = CliRunner().invoke(main, [name, "-h"])
    assert result.exit_code == ExitCode.DONE
    shown = result.stdout.partition("\nCommands:")[2].splitlines()
    assert not [line for line in shown if line.endswith(("...", "…"))]
