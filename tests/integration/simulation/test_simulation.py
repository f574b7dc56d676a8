"""Whatever a court says, whatever dies, and however time passes: all checks agree with paper.

`SIMULATION_EXAMPLES` says how many sequences are run: a few with each change, thousands by hand.
"""

import asyncio
import os
from datetime import timedelta

import pytest
from deployment import NODES, STARTS_AT, Deployment, check_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from naive_list import FLIGHT, QUESTIONS, NaiveList, Rejected, day_of
from simulated_town import Lines, Town, contents, dated, ids, operations

EXAMPLES = int(os.environ.get("SIMULATION_EXAMPLES", "25"))
STEPS = 14

nodes = st.integers(0, NODES - 1)


class Simulation(RuleBasedStateMachine):
    """A court, a town, and the deployment that `runner` and `deployment` hold for all sequences."""

    runner: asyncio.Runner
    deployment: Deployment

    def __init__(self):
        super().__init__()
        self.town = Town()
        self.paper = NaiveList()
        self.runner.run(self._begin())

    async def _begin(self):
        for number in range(NODES):
            self.deployment.start_publisher(number)
        self.deployment.clock.instant = max(self.deployment.clock.instant, STARTS_AT)
        await self.deployment.replace(0, [])

    @property
    def lines(self):
        return Lines(self.town, self.deployment.clock.instant)

    @property
    def today(self):
        return day_of(self.deployment.clock.instant)

    @rule(node=nodes, drawn=st.lists(operations(), min_size=1, max_size=4), strict=st.booleans())
    def say(self, node, drawn, strict):
        self._send(node, drawn, strict=strict)

    @rule(
        node=nodes, drawn=st.lists(operations(), min_size=1, max_size=3), turns=st.integers(0, 60)
    )
    def say_while_a_publisher_dies(self, node, drawn, turns):
        self._send(node, drawn, kill_after=turns)

    @rule(node=nodes, drawn=st.lists(st.tuples(ids, contents()), max_size=4))
    def replace_the_list(self, node, drawn):
        listings = {each[0]: self.lines.listing(*each) for each in drawn}
        self.runner.run(
            self.deployment.replace(node, [dated(listing) for listing in listings.values()])
        )
        self.paper.replace(list(listings.values()), self.today)
        self.ask_everybody()

    @rule(hours=st.sampled_from([1, 7, 15, 24, 72, 100]))
    def let_time_pass(self, hours):
        self.deployment.clock.instant += timedelta(hours=hours)
        self.ask_everybody()

    @rule(node=nodes)
    def rebuild(self, node):
        self.runner.run(self.deployment.rebuild(node))
        self.ask_everybody()

    @rule(share=st.sampled_from([1, 0.3, 0.05]))
    def lose_what_redis_holds(self, share):
        self.runner.run(self.deployment.lose(share))
        self.ask_everybody()

    @rule(node=nodes)
    def kill_a_publisher(self, node):
        self.runner.run(self.deployment.kill_publisher(node))

    @precondition(lambda self: None in self.deployment.publishers)
    @rule()
    def start_publishers(self):
        self.runner.run(self._start())

    @rule(node=nodes)
    def restart_a_node(self, node):
        self.runner.run(self.deployment.restart_node(node))
        self.ask_everybody()

    async def _start(self):
        for number in range(NODES):
            self.deployment.start_publisher(number)

    def ask_everybody(self):
        """All questions about everybody, on each node: alone, and in one batch."""
        asked = [
            (document, name, service, place)
            for document, name in self.town.everybody()
            for service in QUESTIONS
            for place in ("CN", "440882")
        ]
        alone = [(document, name, FLIGHT, "CN") for document, name in self.town.everybody()]
        now = self.deployment.clock.instant
        for node in range(NODES):
            told = self.runner.run(
                self.deployment.ask(node, [check_of(*question) for question in asked])
            )
            expected = [self.paper.answer(*question, now) for question in asked]
            self._compare(asked, told, expected)
            for question in alone:
                told = self.runner.run(self.deployment.ask(node, [check_of(*question)]))
                self._compare([question], told, [self.paper.answer(*question, now)])

    @staticmethod
    def _compare(asked, told, expected):
        wrong = [each for each in zip(asked, told, expected, strict=True) if each[1] != each[2]]
        assert not wrong, f"{len(wrong)} answers are wrong, the first: {wrong[0]}"

    def _send(self, node, drawn, *, strict=False, kill_after=None):
        operations = [self.lines.operation(*each) for each in drawn]
        tried = self.paper.copy()
        rejected = []
        for number, operation in enumerate(operations, 1):
            try:
                tried.say(operation, self.today)
            except Rejected as error:
                rejected.append((number, str(error)))
        if not (strict and rejected):
            self.paper = tried
        lines = [dated(operation) for operation in operations]
        report = self.runner.run(
            self.deployment.send(node, lines, strict=strict, kill_after=kill_after)
        )
        assert [(line.line, str(line.code)) for line in report.rejected] == rejected
        self.ask_everybody()


@pytest.fixture
def simulated(tmp_path, database_url, redis_url):
    with asyncio.Runner() as runner:
        deployment = Deployment(tmp_path, database_url, redis_url)
        runner.run(deployment.open())
        try:
            yield type("Simulated", (Simulation,), {"runner": runner, "deployment": deployment})
        finally:
            runner.run(deployment.close())


def test_every_check_agrees_with_the_list_on_paper(simulated):
    run_state_machine_as_test(
        simulated,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
