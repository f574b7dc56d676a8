"""The truth of the scenarios, their mistakes, and the budget of a run."""

from datetime import date
from random import Random

import msgspec
import pytest

from loadtest.scenarios.budget import LoadBudget, LoadFigures, overspent
from loadtest.scenarios.sales import (
    CLOSED,
    CROWD,
    OPEN,
    court_changes,
    crowd,
    fault_of_sale,
    fault_of_sales,
    mistake_in,
    queue,
    sale_of,
)

TODAY = date(2026, 11, 25)
BUDGET = LoadBudget(failures_max=0.01, p99_ms_max=100.0)
LIST = {"version": 1, "as_of": "2026-11-25T00:00:00.000Z", "stale": False}


def figures(**changes: object) -> LoadFigures:
    usual = {"requests": 1000, "failures": 0, "p99_ms": 50.0, "errors": ()}
    return LoadFigures(**{**usual, **changes})


def test_one_in_a_hundred_of_the_crowd_is_on_the_list():
    listed = sum(1 for subject in crowd() if subject.links)

    assert 0.005 * CROWD < listed < 0.02 * CROWD


@pytest.mark.parametrize("kind", CLOSED)
def test_the_innocent_are_allowed_and_the_listed_only_what_is_open(kind, seed):
    rng = Random(seed)
    for subject in crowd()[:500]:
        sale = sale_of(kind, subject, TODAY, rng)
        is_open = sale.service in OPEN.get(kind, ())
        assert sale.decision == ("allow" if is_open else subject.expected(TODAY))


def test_each_user_begins_elsewhere_in_the_crowd():
    assert next(queue(0)) is crowd()[0]
    assert next(queue(1)) is not crowd()[0]


def test_the_court_lists_nobody_who_stands_in_a_queue():
    queued = {subject.document.number for subject in crowd()}
    changes = court_changes(TODAY)
    listed = []
    for _ in range(100):
        change = changes.next()
        changes.settled(change)
        listed.append(change.subject.document.number)

    assert not queued & set(listed)


def test_a_wrong_decision_is_a_fault_and_the_right_one_is_none():
    sale = sale_of("air", crowd()[0], TODAY, Random(1))
    right = {"id": "x", "decision": sale.decision, "reasons": [], "list": LIST}
    reason = {"code": "restricted", "measure": "cn-2016-64/2.7.1"}
    wrong = {**right, "decision": "deny", "reasons": [reason]}

    assert sale.decision == "allow"
    assert fault_of_sale(sale, right) is None
    assert fault_of_sale(sale, wrong) == "wrong answer: deny instead of allow"
    assert fault_of_sales([sale, sale], {"list": LIST, "results": [right, right]}) is None
    assert "deny instead of" in fault_of_sales(
        [sale, sale], {"list": LIST, "results": [right, wrong]}
    )
    assert fault_of_sale(sale, None).startswith("wrong answer")


def test_a_mistake_never_repeats_a_valid_request(seed):
    sale = sale_of("air", crowd()[0], TODAY, Random(1))
    valid = msgspec.json.encode(sale.body())
    drawn = {
        mistake.name: mistake for mistake in (mistake_in(sale, Random(seed + n)) for n in range(64))
    }

    assert len(drawn) == 4
    assert all(not each.has_key or each.content != valid for each in drawn.values())


def test_a_run_within_its_budget_passes():
    assert overspent(BUDGET, figures(failures=10, p99_ms=100.0)) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"failures": 11}, "1.10% of the requests failed"),
        ({"p99_ms": 101.0}, "p99 is 101 ms"),
        ({"requests": 0}, "nothing was asked"),
        ({"failures": 1, "errors": ("a: wrong answer: allow instead of deny",)}, "instead of deny"),
    ],
)
def test_a_run_beyond_its_budget_fails_with_the_reason(changes, reason):
    [found] = overspent(BUDGET, figures(**changes))

    assert reason in found
