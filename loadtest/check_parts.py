"""The parts of a check of an innocent person, each timed on the service's own functions.

`large_list`, `past_spending`, and this file know more of the service than the contract: a change of
the functions' signatures breaks this file, and its test shows the change.
"""

from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import msgspec

from checker.accounts.keys import Caller, digest_of, key_of
from checker.accounts.quotas import Allowance
from checker.api.check_counts import CheckCounts
from checker.api.exchange import raw_ok
from checker.api.manners import request_id_of
from checker.api.metrics import Metrics
from checker.audit.decisions import new_id
from checker.checks.answer import ListStates
from checker.checks.plain_answers import AllowedAnswers
from checker.checks.request import Check, read_check
from checker.domain.clock import shanghai_day
from checker.domain.document import normalize
from checker.node.runtime import Runtime
from checker.registry.prepared_check import PreparedCheck

CALLS = 20_000
REPEATS = 7
"""The median of so many repeats, so that a disturbed repeat has no weight."""

ANSWER_SECONDS = 0.0001
"""The duration that the metrics are given; any value costs the same."""


class TimedPart(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of a part in microseconds; `is_within`: the part above contains this part."""

    name: str
    us: float
    is_within: bool = False


class _Part(NamedTuple):
    """A call, and the arguments of its calls in turn; a repeat with `is_awaited` awaits each."""

    name: str
    call: Callable[[Any], Any]
    arguments: Sequence[Any]
    is_within: bool = False
    is_awaited: bool = False


class CheckParts:
    """The parts of a check on a node that holds a lease; `bodies` are checks of innocents."""

    def __init__(
        self, runtime: Runtime, caller: Caller, bodies: Sequence[bytes], authorization: str
    ) -> None:
        self._runtime = runtime
        self._caller = caller
        self._bodies = bodies
        self._authorization = authorization
        self._today = shanghai_day(runtime.clock.now())
        self._token_of = runtime.sealer.document_token
        self._checks = [self._read(body) for body in bodies]

    async def timed(self, calls: int = CALLS) -> list[TimedPart]:
        """Return the cost of each part, in the order of a check."""
        allowance = await self._runtime.quotas.take(self._caller, 1)
        parts = [*self._before_the_list(), *self._from_the_list(), *self._after(allowance)]
        return [
            TimedPart(name=part.name, us=await _us(part, calls), is_within=part.is_within)
            for part in parts
        ]

    def _read(self, body: bytes) -> PreparedCheck:
        return read_check(body, self._caller, self._today, self._token_of)

    def _before_the_list(self) -> list[_Part]:
        key_ring, quotas, caller = self._runtime.key_ring, self._runtime.quotas, self._caller
        digest = digest_of(key_of(self._authorization) or "")
        decode = msgspec.json.Decoder(Check).decode
        sent = [decode(body).subject.document for body in self._bodies]
        documents = [check.document for check in self._checks]
        return [
            _Part("key (`KeyRing.known`)", lambda _: key_ring.known(digest, ""), self._bodies),
            _Part("body to prepared check (`read_check`)", self._read, self._bodies),
            _Part("decode", decode, self._bodies, is_within=True),
            _Part("normalise", lambda each: normalize(each, self._today), sent, is_within=True),
            _Part("token", self._token_of, documents, is_within=True),
            _Part(
                "quotas a minute and a day",
                lambda _: quotas.take_at_once(caller, 1),
                self._bodies,
            ),
        ]

    def _from_the_list(self) -> list[_Part]:
        deciding, replica = self._runtime.checks, self._runtime.replica
        now = self._runtime.clock.now()
        tokens = [(check.subject.token,) for check in self._checks]
        return [
            _Part(
                "decision (`Checks.decide_at_once`)",
                lambda check: deciding.decide_at_once(check, now),
                self._checks,
            ),
            _Part("lease and filter", replica.ask, tokens, is_within=True),
            _Part("id", lambda _: new_id(), tokens, is_within=True),
        ]

    def _after(self, allowance: Allowance) -> list[_Part]:
        runtime = self._runtime
        metrics = Metrics(runtime.replica)
        position = runtime.replica.position
        assert position is not None, "a node with a lease has a list"
        states = ListStates(runtime.config.list.stale_after_ms)
        state = states.at(position, runtime.clock.now())
        answer_id = new_id()

        counts = CheckCounts(metrics, runtime.audit.tallies, runtime.watch)
        allowed = AllowedAnswers()

        def count(check: PreparedCheck) -> None:
            counts.count_allow(self._caller, check.service)
            metrics.answered(ANSWER_SECONDS, from_registry=0)

        def answer(_: PreparedCheck) -> bytes:
            return allowed.body(answer_id, state, None)

        body, date = answer(self._checks[0]), b"Mon, 30 Nov 2026 00:00:00 GMT"

        def wire(_: PreparedCheck) -> bytes:
            return raw_ok(body, allowance, request_id_of({}), date)

        return [
            _Part("counts (metrics, tallies, watch)", count, self._checks),
            _Part("answer as JSON", answer, self._checks),
            _Part("answer on the wire (`raw_ok`)", wire, self._checks),
        ]


async def _us(part: _Part, calls: int) -> float:
    if part.is_awaited:
        return await awaited_us(part.call, part.arguments, calls)
    return called_us(part.call, part.arguments, calls)


def called_us(call: Callable[[Any], Any], arguments: Sequence[Any], calls: int) -> float:
    """Return the microseconds of a call, without the loop around the calls."""
    times = [_loop_us(call, arguments, calls) for _ in range(REPEATS)]
    return max(0.0, median(times) - _empty_us(arguments, calls))


async def awaited_us(
    call: Callable[[Any], Awaitable[Any]], arguments: Sequence[Any], calls: int
) -> float:
    """Return the microseconds of a call that is awaited, without the loop around the calls."""
    times = []
    for _ in range(REPEATS):
        row = cycle(arguments)
        began_at = perf_counter()
        for _ in range(calls):
            await call(next(row))
        times.append((perf_counter() - began_at) / calls * 1e6)
    return max(0.0, median(times) - _empty_us(arguments, calls))


def _empty_us(arguments: Sequence[Any], calls: int) -> float:
    return median(_loop_us(bool, arguments, calls) for _ in range(REPEATS))


def _loop_us(call: Callable[[Any], Any], arguments: Sequence[Any], calls: int) -> float:
    row = cycle(arguments)
    began_at = perf_counter()
    for _ in range(calls):
        call(next(row))
    return (perf_counter() - began_at) / calls * 1e6
