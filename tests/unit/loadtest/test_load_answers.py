"""Load users know an answer of the contract's shape from any other."""

import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.answers import fault_of_batch, fault_of_check
from loadtest.load import RATE, SCENARIOS, load_options, locust_command

LIST = {"version": 42, "history": "a" * 32, "as_of": "2026-11-23T01:02:03.456Z", "stale": False}
REASON = {"code": "restricted", "measure": "cn-2016-64/2.7.1"}
ALLOW = {"id": "1", "decision": "allow", "list": LIST}
DENY = {"id": "1", "decision": "deny", "reasons": [REASON], "list": LIST}
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "body",
    [
        ALLOW,
        DENY,
        {**DENY, "decision": "cap", "spending": {"limit_fen": 1}},
        {**DENY, "decision": "allow", "permit": {"id": "P"}},
    ],
)
def test_an_answer_of_the_contract_has_no_fault(body):
    assert fault_of_check(body) is None


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ([], "no object"),
        ({**ALLOW, "decision": "perhaps"}, "no decision"),
        ({**DENY, "reasons": []}, "without a reason"),
        ({**ALLOW, "reasons": [REASON]}, "without a permit"),
        ({**DENY, "decision": "cap"}, "without spending"),
        ({**DENY, "reasons": [{"code": "restricted"}]}, "code or measure"),
        ({**ALLOW, "id": None}, "without an id"),
        ({**ALLOW, "list": None}, "which version"),
        ({**ALLOW, "list": {"version": 1}}, "how old"),
    ],
)
def test_an_answer_of_another_shape_has_its_fault_named(body, fault):
    assert fault in fault_of_check(body)


def test_a_batch_has_a_result_for_each_subject():
    allow = {"decision": "allow"}
    assert fault_of_batch({"list": LIST, "results": [allow, allow]}, 2) is None
    assert "2 results" in fault_of_batch({"list": LIST, "results": [allow]}, 2)
    assert "no object" in fault_of_batch(None, 2)


def test_a_batch_with_one_bad_result_has_its_fault_named():
    body = {"list": LIST, "results": [{"decision": "allow"}, {"error": {}}]}
    assert "no decision" in fault_of_batch(body, 2)


def test_locust_finds_each_scenario():
    command = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--list"]
    listed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert {*listed.stdout.split()[2:]} == {*SCENARIOS, RATE}


def test_a_run_has_users_and_a_time_and_a_rush_has_its_shape():
    usual = locust_command(load_options(["TicketRush", "--users", "5", "--arrivals", "9"]))
    rush = locust_command(load_options(["--rush"]))

    assert usual[-2:] == ["TicketRush", RATE]
    assert usual[usual.index("--users") + 1] == "5"
    assert not any("rush_shape" in word for word in usual)
    assert any("rush_shape.py" in word for word in rush)
    assert "--users" not in rush
    assert rush[-len(SCENARIOS) :] == [*SCENARIOS]


def test_an_unknown_scenario_is_refused(capsys):
    with pytest.raises(SystemExit):
        load_options(["TicketRushes"])
    assert "no such scenario: TicketRushes" in capsys.readouterr().err
