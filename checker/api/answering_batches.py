"""Answers batches, for the fast lane and for the routed handlers alike."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

import msgspec

from checker.accounts.keys import Caller
from checker.accounts.quotas import Quotas
from checker.api.answering import CheckHead, ChecksResource, statement_of
from checker.api.batch_turns import BatchTurns
from checker.api.bodies import Bodies, Receive
from checker.api.check_counts import CheckCounts
from checker.api.exchange import BATCH_BYTES_MAX, Reply, encode, rate_limit_headers
from checker.api.problems import Problem, problem_of
from checker.checks.answer import BatchItem, ListState, shown_permit
from checker.checks.checks import Decided, Deciding
from checker.checks.in_slices import SLICE_CHECKS, each_of
from checker.checks.request import BATCH_ITEMS_MAX, Check, Item, Place, Subject, open_batch
from checker.checks.turns import Pace, slices
from checker.domain.clock import Clock, shanghai_day
from checker.domain.decision import Decision
from checker.domain.service import Service
from checker.receipts.receipt import Receipt
from checker.receipts.receipts import Receipts
from checker.registry.prepared_check import PreparedCheck, TokensOf


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


class BatchesResource:
    """Answers batches: reads, decides, counts, and signs on request.

    `answering` finds the caller, and answers an error as it does for a single check.
    """

    def __init__(
        self,
        *,
        answering: ChecksResource,
        quotas: Quotas,
        checks: Deciding,
        receipts: Receipts,
        clock: Clock,
        counts: CheckCounts,
        tokens_of: TokensOf,
        bodies: Bodies,
        batch_turns: BatchTurns | None = None,
    ) -> None:
        self._answering = answering
        self._quotas = quotas
        self._checks = checks
        self._receipts = receipts
        self._clock = clock
        self._counts = counts
        self._tokens_of = tokens_of
        self._bodies = bodies
        self._batch_turns = batch_turns or BatchTurns()

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

            yield await self._answering.answer("batch", head, receive, create)

    async def _create_batch(self, caller: Caller, receive: Any, pace: Pace) -> tuple[Reply, int]:
        body = await self._bodies.read(receive, BATCH_BYTES_MAX)
        await pace()
        batch = open_batch(body, caller, shanghai_day(self._clock.now()), self._tokens_of)
        allowance = await self._quotas.take(caller, len(batch.raws))
        items = await each_of(batch.raws, batch.read, pace, size=SLICE_CHECKS)
        del body, batch  # they are as large as everything that is made from them
        asked = [item for item in items if isinstance(item, PreparedCheck)]
        decided = await self._checks.decide(asked, account_id=caller.account_id, pace=pace)
        receipts = await self._receipts.issue_all(
            [
                statement_of(check, decided, place, caller) if check.receipt else None
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
            self._counts.count(caller, part)


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
