"""Answers checks and batches, for the fast lane and for the routed handlers alike."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from checker.accounts.key_ring import KeyRing
from checker.accounts.keys import Action, Caller
from checker.accounts.quotas import Allowance, Quotas
from checker.accounts.watch import FishingWatch
from checker.api.access import refuse_access
from checker.api.batch_turns import BatchTurns
from checker.api.bodies import Bodies, Receive
from checker.api.exchange import (
    BATCH_BYTES_MAX,
    CHECK_BYTES_MAX,
    JSON,
    Reply,
    encode,
    rate_limit_headers,
    reply_to,
)
from checker.api.media_types import json_alone, refuse_media_type
from checker.api.metrics import Metrics
from checker.api.operation import RequestBody
from checker.api.parameters import refuse_unknown
from checker.api.problems import Problem, problem_of
from checker.audit.tallies import Tallies
from checker.checks.answer import BatchItem, ListState, answer_of, shown_permit
from checker.checks.checks import Decided, Deciding
from checker.checks.in_slices import SLICE_CHECKS, each_of
from checker.checks.request import (
    BATCH_ITEMS_MAX,
    Check,
    Item,
    Place,
    Subject,
    open_batch,
    read_check,
)
from checker.checks.turns import Pace, slices
from checker.domain.clock import Clock, shanghai_day
from checker.domain.decision import Decision, Outcome, ReasonCode
from checker.domain.service import Service, type_of
from checker.errors import CheckerError
from checker.receipts.receipt import Receipt, Statement
from checker.receipts.receipts import Receipts
from checker.registry.prepared_check import PreparedCheck, TokenOf


class ItemError(msgspec.Struct, frozen=True, kw_only=True):
    """A batch item that could not be checked, with the error."""

    error: Problem


# msgspec describes a union of structs only if they are tagged, and the contract has no tag here.
_RESULT_SCHEMA = {
    "items": {
        "anyOf": [
            {"$ref": "#/components/schemas/BatchItem"},
            {"$ref": "#/components/schemas/ItemError"},
        ]
    }
}


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answers of a batch in the order of its items, all from one list."""

    list: ListState
    results: Annotated[tuple[Any, ...], msgspec.Meta(extra_json_schema=_RESULT_SCHEMA)]


def batch_body(state: ListState, results: Sequence[bytes]) -> bytes:
    """Return a `BatchAnswer` as JSON; the results are serialised already."""
    return b'{"list":%b,"results":[%b]}' % (encode(state), b",".join(results))


_ITEMS = msgspec.Meta(max_length=BATCH_ITEMS_MAX)


class BatchOfChecks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch in which each item has its own service; up to 10 000 items."""

    checks: Annotated[tuple[Check, ...], _ITEMS]


class BatchOfSubjects(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch of one service for many subjects; up to 10 000."""

    service: Service
    jurisdiction: Place | None = None
    subjects: Annotated[tuple[Subject, ...], _ITEMS]


_CHECKING = (Action.CHECK,)
_BODY = RequestBody(kinds=(Check,), bytes_max=None, example=None)


class CheckHead(NamedTuple):
    """The part of a request for checks that comes before the body.

    `address` is the network address of the caller. The query must be empty.
    """

    authorization: str | None
    address: str
    content_type: str | None
    query: bytes


class AnsweredAtOnce(NamedTuple):
    """The body of the answer to a check, and the items that its caller has left."""

    body: bytes
    allowance: Allowance


_Create = Callable[[Caller, Any], Awaitable[tuple[Reply, int]]]
"""Answers one kind of request; returns the answer and the number of checks the registry decided."""


class ChecksResource:
    """Answers checks: finds the caller, reads, decides, counts, and signs on request."""

    def __init__(
        self,
        *,
        key_ring: KeyRing,
        quotas: Quotas,
        checks: Deciding,
        receipts: Receipts,
        clock: Clock,
        metrics: Metrics,
        tallies: Tallies,
        watch: FishingWatch,
        token_of: TokenOf,
        bodies: Bodies,
        body_timeout_s: float,
        batch_turns: BatchTurns | None = None,
    ) -> None:
        self._key_ring = key_ring
        self._quotas = quotas
        self._checks = checks
        self._receipts = receipts
        self._clock = clock
        self._metrics = metrics
        self._tallies = tallies
        self._watch = watch
        self._token_of = token_of
        self._bodies = bodies
        self._body_timeout_s = body_timeout_s
        self._batch_turns = batch_turns or BatchTurns()

    async def create(self, head: CheckHead, receive: Receive) -> Reply:
        """Return the answer to one check, or the problem that answers an error."""
        return await self._answer("checks", head, receive, self._create)

    def caller_at_once(self, digest: bytes, address: str) -> Caller | None:
        """Return the caller with the key of this digest; None: `create` must answer the request."""
        return self._key_ring.known(digest, address)

    def create_at_once(self, caller: Caller, body: bytes) -> AnsweredAtOnce | None:
        """Return the answer to one check, as `create` gives it, without a wait.

        None: `create` must answer, by an error or after asking others. Nothing was counted.
        """
        if not caller.may(Action.CHECK):
            return None
        started = perf_counter()
        now = self._clock.now()
        try:
            check = read_check(body, caller, shanghai_day(now), self._token_of)
            if check.receipt:
                return None
            decided = self._checks.decide_at_once(check, now)
            if decided is None:
                return None
            allowance = self._quotas.take_at_once(caller, 1)
        except CheckerError:
            return None
        if allowance is None:
            return None
        self._count(caller, ((check, decided.decision),))
        answer = answer_of(decided.decision, decided.list, check.reference, answer_id=decided.id)
        self._metrics.answered(perf_counter() - started, from_registry=0)
        return AnsweredAtOnce(encode(answer), allowance)

    @asynccontextmanager
    async def created_batch(
        self, head: CheckHead, receive: Receive, *, body_bytes: int | None
    ) -> AsyncIterator[Reply]:
        """Yield the answer to a batch; an item at fault is answered by an error in its place.

        The batch takes up its turn until the block ends: send the answer within the block.
        """
        async with AsyncExitStack() as inside:

            async def create(caller: Caller, receive: Any) -> tuple[Reply, int]:
                entering = self._batch_turns.let_in(caller.account_id, body_bytes)
                pace = await inside.enter_async_context(entering)
                return await self._create_batch(caller, receive, pace)

            yield await self._answer("batch", head, receive, create)

    async def _answer(
        self, resource: str, head: CheckHead, receive: Receive, create: _Create
    ) -> Reply:
        started = perf_counter()
        caller = None
        try:
            caller = await self._key_ring.caller(head.authorization, head.address)
            refuse_access(caller, _CHECKING)
            if head.query:
                refuse_unknown(parse_qs(head.query.decode("latin-1"), keep_blank_values=True), ())
            if head.content_type != JSON:
                refuse_media_type(head.content_type, _BODY)
                receive = json_alone(receive, head.content_type, _BODY)
            reply, from_registry = await create(caller, receive)
        except CheckerError as error:
            headers: Mapping[str, str] = {}
            if caller is not None:
                headers = rate_limit_headers(await self._quotas.take(caller, 0))
            reply = reply_to(error, headers)
            self._metrics.failed(resource, reply.status)
        else:
            self._metrics.answered(perf_counter() - started, from_registry=from_registry)
        return reply

    async def _create(self, caller: Caller, receive: Any) -> tuple[Reply, int]:
        body = await self._bodies.read(receive, CHECK_BYTES_MAX, within_s=self._body_timeout_s)
        check = read_check(body, caller, shanghai_day(self._clock.now()), self._token_of)
        allowance = await self._quotas.take(caller, 1)
        decided = await self._checks.decide((check,), account_id=caller.account_id)
        decision = decided.decisions[0]
        self._count(caller, ((check, decision),))
        self._watch.looked_up(caller, decided.maybe_tokens((check,)))
        receipt = None
        if check.receipt:
            receipt = self._receipts.issue(_statement(check, decided, 0, caller))
        answer = answer_of(
            decision, decided.list, check.reference, answer_id=decided.ids[0], receipt=receipt
        )
        reply = Reply(status=200, body=encode(answer), headers=rate_limit_headers(allowance))
        return reply, decided.from_registry

    async def _create_batch(self, caller: Caller, receive: Any, pace: Pace) -> tuple[Reply, int]:
        body = await self._bodies.read(receive, BATCH_BYTES_MAX)
        await pace()
        batch = open_batch(body, caller, shanghai_day(self._clock.now()), self._token_of)
        allowance = await self._quotas.take(caller, len(batch.raws))
        items = await each_of(batch.raws, batch.read, pace, size=SLICE_CHECKS)
        del body, batch  # they are as large as everything that is made from them
        asked = [item for item in items if isinstance(item, PreparedCheck)]
        decided = await self._checks.decide(asked, account_id=caller.account_id, pace=pace)
        receipts = await self._receipts.issue_all(
            [
                _statement(check, decided, place, caller) if check.receipt else None
                for place, check in enumerate(asked)
            ],
            pace,
        )
        answers = zip(decided.decisions, decided.ids, receipts, strict=True)
        results: list[bytes] = []
        for part in slices(items, SLICE_CHECKS):
            await pace()
            results += [encode(each) for each in _results(part, answers)]
        await self._count_in_slices(caller, asked, decided, pace)
        reply = Reply(
            status=200,
            body=batch_body(decided.list, results),
            headers=rate_limit_headers(allowance),
        )
        return reply, decided.from_registry

    async def _count_in_slices(
        self, caller: Caller, asked: Sequence[PreparedCheck], decided: Decided, pace: Pace
    ) -> None:
        pairs = list(zip(asked, decided.decisions, strict=True))
        for part in slices(pairs, SLICE_CHECKS):
            await pace()
            self._count(caller, part)
        self._watch.looked_up(caller, decided.maybe_tokens(asked))

    def _count(self, caller: Caller, pairs: Sequence[tuple[PreparedCheck, Decision]]) -> None:
        """Count decisions for the metrics, the reports, and the watch on searching accounts."""
        self._watch.asked(caller, len(pairs))
        for check, decision in pairs:
            self._metrics.decided(check.service, decision.outcome)
            self._tallies.count(caller.account_id, type_of(check.service), decision.outcome)
            if decision.outcome is not Outcome.ALLOW:
                mismatched = any(
                    reason.code is ReasonCode.NAME_MISMATCH for reason in decision.reasons
                )
                self._watch.adverse(caller, check.subject.token, mismatched=mismatched)


def _statement(check: PreparedCheck, decided: Decided, place: int, caller: Caller) -> Statement:
    """Return the statement that a receipt makes about the answer at this place."""
    return Statement(
        decision_id=decided.ids[place],
        account_id=caller.account_id,
        decision=decided.decisions[place],
        list_version=decided.list.version,
        service=type_of(check.service),
        document=check.document,
    )


def _results(
    items: Sequence[Item], answers: Iterator[tuple[Decision, str, Receipt | None]]
) -> list[BatchItem | ItemError]:
    """Return the results of these items; each checked item takes the next of the answers."""
    return [
        _item(item, *next(answers))
        if isinstance(item, PreparedCheck)
        else ItemError(error=problem_of(item))
        for item in items
    ]


def _item(
    check: PreparedCheck, decision: Decision, answer_id: str, receipt: Receipt | None
) -> BatchItem:
    return BatchItem(
        id=answer_id,
        decision=decision.outcome,
        reasons=decision.reasons,
        permit=shown_permit(decision.permit),
        spending=decision.spending,
        reference=check.reference,
        receipt=receipt,
    )
