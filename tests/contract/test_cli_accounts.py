"""Accounts and keys on the command line, beside a server that runs on the same data directory."""

import json

import pytest
from click.testing import CliRunner

from checker.cli.main import main
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


def test_a_key_for_the_courts_of_an_account_is_made_on_the_command_line(
    service: RunningService,
) -> None:
    role = ("--role", "court", "--name", "two courts")
    both = ("--courts", "雷州市人民法院,徐闻县人民法院", "--courts", "遂溪县人民法院")
    key = told(service, "keys", "create", *role, *both)
    courts = ["雷州市人民法院", "徐闻县人民法院", "遂溪县人民法院"]
    assert json.loads(told(service, "accounts", "show", "two courts", "--json"))["courts"] == courts
    assert key != told(service, "keys", "create", *role)
    refusals = [
        ["keys", "create", *role, "--courts", "雷州市人民法院"],
        [
            "keys",
            "create",
            "--role",
            "institution",
            "--name",
            "inn 2",
            "--courts",
            "雷州市人民法院",
        ],
        ["accounts", "create", *role, "--courts", " "],
    ]
    for arguments in refusals:
        refused = CliRunner().invoke(main, [*arguments, "--data-dir", str(service.data_dir)])
        assert refused.exit_code == 2, refused.output


def test_the_networks_of_an_account_are_set_on_the_command_line(service: RunningService) -> None:
    role = ("--role", "institution", "--name", "branch")
    told(service, "accounts", "create", *role, "--network", "192.0.2.0/24")
    key = told(service, "keys", "create", *role)
    assert status_of(service, key) == 403
    both = ("--network", "192.0.2.0/24", "--network", "127.0.0.0/8")
    told(service, "accounts", "set-networks", "branch", *both)
    shown = json.loads(told(service, "accounts", "show", "branch", "--json"))
    assert shown["networks"] == ["192.0.2.0/24", "127.0.0.0/8"]
    wait_until(lambda: status_of(service, key) == 200)
    told(service, "accounts", "set-networks", "branch")
    assert json.loads(told(service, "accounts", "show", "branch", "--json"))["networks"] is None
    arguments = ["accounts", "create", *role, "--network", "office"]
    refused = CliRunner().invoke(main, [*arguments, "--data-dir", str(service.data_dir)])
    assert refused.exit_code == 2
    assert "--network" in refused.stderr
    assert "office" not in refused.stderr.replace("--network office", "")
