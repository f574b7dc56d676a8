"""While the list is replaced, changed and rebuilt in a loop, a crowd on two nodes asks about it.

The law is that of `crowd_record`: every answer was true at an instant of its call.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from random import SystemRandom

import psutil
import pytest

from tests.faults.crowd_load import load
from tests.faults.crowd_nodes import generations, two_nodes
from tests.faults.crowd_run import LEAST, Run
from tests.support.running_service import LOOK_S, PATIENCE_S, RunningService

pytestmark = pytest.mark.xdist_group("crowd")


@pytest.fixture(scope="module")
def nodes() -> Iterator[tuple[RunningService, RunningService]]:
    with two_nodes() as running:
        yield running


@pytest.fixture(scope="module")
def run(nodes: tuple[RunningService, RunningService]) -> Run:
    seed = SystemRandom().randrange(1_000_000)
    run = asyncio.run(load(nodes, seed))
    told = {**run.happened, "versions": run.record.acknowledged}
    sys.stdout.write(f"seed {seed}: {told}, unanswered {run.record.unanswered}\n")
    return run


def test_a_crowd_on_two_nodes_sees_no_answer_that_was_true_at_no_instant_of_its_call(
    run: Run,
) -> None:
    wrong = list(run.record.wrong())
    assert not wrong, f"{len(wrong)} of {len(run.record.seen)}: {wrong[:10]}"


def test_the_list_was_replaced_changed_and_rebuilt_often_while_many_asked(run: Run) -> None:
    assert [name for name, least in LEAST.items() if run.happened[name] < least] == []
    assert run.record.unanswered * 20 < len(run.record.seen)
    told = {(seen.node, each.decision) for seen in run.record.seen for _, each in seen.answers}
    assert len(told) == 4, told


@pytest.mark.usefixtures("run")
def test_of_all_generations_one_alone_is_left(
    nodes: tuple[RunningService, RunningService],
) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(left := generations(nodes[0])) != 1:
        assert time.monotonic() < deadline, left
        with pytest.raises(psutil.TimeoutExpired):
            psutil.Process().wait(LOOK_S)


def test_nothing_unexpected_is_logged(
    nodes: tuple[RunningService, RunningService], run: Run
) -> None:
    assert run.happened
    for node in nodes:
        assert "Traceback" not in node.log(), node.log()
        assert "unexpected" not in node.log(), node.log()
