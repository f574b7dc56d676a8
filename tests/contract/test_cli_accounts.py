"""Accounts and keys on the command line, beside a server that runs on the same data directory."""

import json

import pytest
from click.testing import CliRunner

from checker.cli import main
from tests.support.asking import FLIGHT, G_TRAIN, ask, problem, question
from tests.support.running_service import RunningService, wait_until
from tests.support.town import INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

RIGHT = question(INNOCENT, G_TRAIN)


def told(service: RunningService, *arguments: str) -> str:
    """Run a command in this process, which has read its modules already; what it prints."""
    done = CliRunner().invoke(main, [*arguments, "--data-dir", str(service.data_dir)])
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.strip()


def status_of(service: RunningService, key: str) -> int:
    with service.client(key) as client:
        return client.post("/v1/checks", json=RIGHT).status_code


def test_accounts_and_keys_are_managed_on_the_command_line(service: RunningService) -> None:
    scope = ("--role", "institution", "--name", "inn", "--services", "air")
    made = told(service, "accounts", "create", *scope)
    assert json.loads(told(service, "accounts", "show", "inn", "--json"))["id"] == made
    first = told(service, "keys", "create", "--role", "institution", "--name", "inn")
    [shown] = json.loads(told(service, "keys", "list", "inn", "--json"))
    assert first.startswith(shown["prefix"])
    second = told(service, "keys", "rotate", shown["id"], "--overlap", "0")
    wait_until(lambda: status_of(service, first) == 401)
    with service.client(second) as client:
        assert ask(client, INNOCENT, FLIGHT)["decision"] == "allow"
        problem(client.post("/v1/checks", json=RIGHT), 403, "out-of-scope")
    successor = json.loads(told(service, "keys", "list", made, "--json"))[-1]
    assert successor["id"] in told(service, "keys", "revoke", successor["id"])
    wait_until(lambda: status_of(service, second) == 401)
    assert made in told(service, "accounts", "disable", "inn")
    assert "(disabled)" in told(service, "accounts", "list")
    assert made in told(service, "accounts", "enable", made)
