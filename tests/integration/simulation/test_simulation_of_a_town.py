"""Random sequences of all that may happen to a list: both nodes always answer as a clerk does.

`SIMULATION_EXAMPLES` sets the number of sequences. After each step everybody in town is asked about
on both nodes.
"""

import asyncio
import logging
import os
from datetime import timedelta

import pytest
import uvloop
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from checker.errors import InvalidRequest
from tests.integration.simulation.clerks_list import ClerksList
from tests.integration.simulation.small_town import AT, PLACES, SERVICES, broken, listing, operation
from tests.integration.simulation.town_hall import (
    World,
    both,
    decide,
    feed,
    nothing,
    shown,
    until_clear,
)

EXAMPLES = int(os.environ.get("SIMULATION_EXAMPLES", "12"))
STEPS = 12

_log = logging.getLogger(__name__)

LOSSES = (
    "everything",
    "a bucket",
    "a filter segment",
    "a head",
    "the pointer",
    "the vouch",
    "the list of nodes",
    "the stream",
    "a node that left no word",
)
places = st.sampled_from([0, 1])
batches = st.lists(operation, min_size=1, max_size=6)
snapshots = st.lists(listing() | listing() | listing() | broken, max_size=5)


class Simulation(RuleBasedStateMachine):
    """One sequence, on a town of its own in a deployment that lives through all of them."""

    def __init__(self, world):
        super().__init__()
        self.world = world
        self.model = ClerksList()
        self.town = world.next_town()
        self.last = []
        self.heard = []
        self.turn = 0

    @initialize(stormy=st.sampled_from([False, False, False, True]), first=snapshots)
    def begins(self, stormy, first):
        self.stormy = stormy
        self.world.clock.instant = AT
        self.world.run(self.world.nodes.settle())
        self.world.tally["sequences"] += 1
        self._replace(first, 0, during=None)

    @rule(batch=batches, place=places, strict=st.booleans(), asked_meanwhile=st.booleans())
    def operations_are_sent(self, batch, place, strict, asked_meanwhile):
        during = self._asking() if asked_meanwhile else None
        self._apply(self.town.told(batch), place, strict=strict, during=during)

    @rule(place=places)
    def the_last_operations_are_sent_again(self, place):
        self._apply(self.last, place)

    @rule(lines=snapshots, place=places, asked_meanwhile=st.booleans())
    def a_snapshot_is_sent(self, lines, place, asked_meanwhile):
        self._replace(lines, place, during=self._asking() if asked_meanwhile else None)

    @rule(hours=st.sampled_from([1, 8, 24, 24, 72, 120]))
    def time_passes(self, hours):
        self.world.clock.instant += timedelta(hours=hours)
        self._agree()

    @rule()
    def the_nodes_settle(self):
        """Then nobody unlisted is even suspected: who left the list has left the cache."""
        self.world.run(self.world.nodes.settle())
        unlisted = [
            each
            for each in self.town.questions(self.turn)
            if not self.model.is_on_file(each["document"], each["name"])
        ]
        for runtime in self.world.nodes.runtimes:
            self.world.run(until_clear(runtime, unlisted, self._now))
        self._agree()

    @rule(place=places)
    def a_rebuild_is_asked_for(self, place):
        self.world.run(self.world.nodes.ask_for_rebuild(place))
        self._agree()

    @precondition(lambda self: self.stormy)
    @rule(what=st.sampled_from(LOSSES), chosen=st.integers(0, 40))
    def redis_loses(self, what, chosen):
        self.world.nodes.lose(what, chosen)
        self._agree()

    @precondition(lambda self: self.stormy)
    @rule(place=places)
    def a_node_is_restarted(self, place):
        self.world.run(self.world.nodes.restart(place))
        self._agree()

    @precondition(lambda self: self.stormy)
    @rule(
        batch=batches,
        place=places,
        moments=st.integers(0, 60),
        survivor=st.sampled_from([0, 1, None]),
        rebuild=st.booleans(),
    )
    def publishers_are_killed_while_operations_are_sent(
        self, batch, place, moments, survivor, rebuild
    ):
        during = self._killing(moments, survivor, rebuild)
        self._apply(self.town.told(batch), place, during=during)

    @precondition(lambda self: self.stormy)
    @rule(
        lines=snapshots,
        place=places,
        moments=st.integers(0, 300),
        survivor=st.sampled_from([0, 1, None]),
    )
    def publishers_are_killed_while_a_snapshot_is_sent(self, lines, place, moments, survivor):
        self._replace(lines, place, during=self._killing(moments, survivor, rebuild=True))

    def _apply(self, lines, place, *, strict=False, during=None):
        self.last = lines
        before, rejected = self.model.copy(), self.model.apply(lines, self._now, strict=strict)
        changes = self.world.nodes.runtimes[place].changes
        accepted = 0 if strict and rejected else len(lines) - len(rejected)
        self._send(changes.apply(feed(lines), strict=strict), rejected, accepted, (during, before))

    def _replace(self, lines, place, *, during):
        lines = self.town.told(lines)
        before, rejected = self.model.copy(), self.model.replace(lines, self._now)
        snapshots_of = self.world.nodes.runtimes[place].feed
        sending = snapshots_of.replace(
            feed(lines), allow_empty=True, allow_shrink=True, allow_rejected=True
        )
        if lines and len(rejected) == len(lines):
            # The list stays as it was, whatever is allowed.
            self.model = before
            with pytest.raises(InvalidRequest):
                self.world.run(sending)
            return
        self._send(sending, rejected, len(lines) - len(rejected), (during, before))

    def _send(self, sending, rejected, accepted, during):
        """Send a feed while something goes on, compare its report, then ask about everybody."""
        happening, before = during
        report = self.world.run(both(sending, happening or nothing))
        note(f"version {report.version}, rejected {report.rejected}")
        assert [each.line for each in report.rejected] == rejected
        assert report.accepted == accepted
        self.world.tally["rejected lines"] += len(rejected)
        self._compare_meanwhile(before, report.version)
        self._agree(report.version)

    def _asking(self):
        """Ask both nodes again and again; what they said is compared when it is known what of."""
        questions = [
            each | {"service": SERVICES[1], "jurisdiction": place}  # no permit counts hotels
            for place in PLACES
            for each in list(self.town.questions(self.turn))[::9]
        ]

        async def ask(sent):
            while not sent.done():
                for runtime in self.world.nodes.runtimes:
                    decided = await decide(runtime, questions, self._now)
                    self.heard.append((questions, decided))
                    await asyncio.sleep(0)

        return ask

    def _compare_meanwhile(self, before, version):
        """One answer speaks of one list: the one before the feed, or the one after it."""
        heard, self.heard = self.heard, []
        for questions, decided in heard:
            model = self.model if decided.list.version >= version else before
            for question, decision in zip(questions, decided.decisions, strict=True):
                assert shown(decision) == model.expected(**question, now=self._now)
            self.world.tally["answers meanwhile"] += len(questions)

    def _killing(self, moments, survivor, rebuild):
        nodes = self.world.nodes

        async def kill(_sent):
            if rebuild:
                await nodes.ask_for_rebuild(0)
            for _ in range(moments):
                await asyncio.sleep(0)
            for place in {0, 1} - {survivor}:
                await nodes.kill_publisher(place)
                nodes.start_publisher(place)
                self.world.tally["killed publishers"] += 1

        return kill

    @property
    def _now(self):
        return self.world.clock.instant

    def _agree(self, version=None):
        """Ask both nodes about everybody, together, and about the innocent alone."""
        self.turn += 1
        for place in (self.turn % 2, (self.turn + 1) % 2):
            questions = list(self.town.questions(self.turn))
            self._compare(place, questions, version)
            clear = [
                each for each in questions if not self.model.expected(**each, now=self._now)[1]
            ]
            if clear:
                self._compare(place, clear, version)

    def _compare(self, place, questions, version):
        runtime = self.world.nodes.runtimes[place]
        decided = self.world.run(decide(runtime, questions, self._now))
        assert version in {None, decided.list.version}
        self.world.tally["answers by the registry"] += decided.from_registry
        self.world.tally["answers"] += len(questions)
        for question, decision in zip(questions, decided.decisions, strict=True):
            expected = self.model.ask(question, self._now)
            assert shown(decision) == expected, (place, question)
            self.world.tally[expected[0] if not expected[2] else "lifted by a permit"] += 1


def test_both_nodes_answer_as_a_clerk_whatever_happens(nodes_of, seed):
    _log.warning("seed %d", seed)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        nodes, clock = nodes_of(AT)
        world = World(runner, nodes, clock)
        runner.run(nodes.open())
        try:
            run_state_machine_as_test(
                lambda: Simulation(world),
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    print_blob=True,
                    report_multiple_bugs=False,  # each one found costs minutes
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            _log.warning("%s", dict(world.tally))
            runner.run(nodes.close())
    assert {"allow", "deny", "review"} <= world.tally.keys()
    assert world.tally["answers by the registry"] < world.tally["answers"]
