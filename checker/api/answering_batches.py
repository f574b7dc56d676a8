"""Answers batches, for the fast lane and for the routed handlers alike."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

import msgspec

from checker.accounts.keys import Caller
from checker.accounts.quotas import Quotas
from checker.api.answering import CheckHead, ChecksResource, statement_of
from checker.api.batch_results import batch_body, write_results
from checker.api.batch_turns import BatchTurns
from checker.api.bodies import Bodies, Receive
from checker.api.check_counts import CheckCounts
from checker.api.exchange import BATCH_BYTES_MAX, Reply, rate_limit_headers
from checker.checks.answer import ListState
from checker.checks.batch_request import BATCH_ITEMS_MAX, open_batch
from checker.checks.booking import BookingVerdict, verdict_on
from checker.checks.checks import Decided, Deciding
from checker.checks.prepared_batch import PreparedBatch
from checker.checks.request import Check, Place, Subject
from checker.checks.turns import Pace
from checker.domain.clock import Clock, shanghai_day
from checker.domain.decision import ALLOWED
from checker.domain.service import Service
from checker.receipts.receipt import Receipt
from checker.receipts.receipts import Receipts
from checker.registry.sealing import Sealer
from checker.sheets.checking import SheetChecks
from checker.sheets.endings import SheetLanguage

SLICE_COUNTED = 300
"""Decisions that are counted in one slice: 0.03 ms for plain allows, 0.6 ms for all others."""


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
    """The answers of a batch in the order of its items, all from one list.

    `order` is there only if the batch is one booking.
    """

    list: ListState
    order: BookingVerdict | msgspec.UnsetType = msgspec.UNSET
    results: Annotated[tuple[Any, ...], msgspec.Meta(extra_json_schema=_RESULT_SCHEMA)]


_ITEMS = msgspec.Meta(max_length=BATCH_ITEMS_MAX)


class BatchOfChecks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch in which each item has its own service; up to 10 000 items.

    `order`: the items are one booking, and the answer has a verdict on the booking.
    """

    checks: Annotated[tuple[Check, ...], _ITEMS]
    order: bool = False


class BatchOfSubjects(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch of one service for many subjects; up to 10 000.

    `order`: the subjects are those of one booking, and the answer has a verdict on the booking.
    """

    service: Service
    jurisdiction: Place | None = None
    subjects: Annotated[tuple[Subject, ...], _ITEMS]
    order: bool = False


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
        sealer: Sealer,
        bodies: Bodies,
        batch_turns: BatchTurns | None = None,
    ) -> None:
        self._answering = answering
        self._quotas = quotas
        self._checks = checks
        self._receipts = receipts
        self._clock = clock
        self._counts = counts
        self._sealer = sealer
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

    @asynccontextmanager
    async def sheet_checks(
        self, caller: Caller, language: SheetLanguage
    ) -> AsyncIterator[SheetChecks]:
        """Yield the checks of a sheet, which are decided and counted as a batch, in its turns.

        The items are not taken from the quota of the caller.

        Raises:
            QuotaExceeded, Unavailable: too many batches wait.
        """
        async with self._batch_turns.let_in(caller.account_id, None) as pace:

            async def count(checks: PreparedBatch, decided: Decided) -> None:
                await self._count(caller, checks, decided, pace)

            yield SheetChecks(
                checks=self._checks,
                sealer=self._sealer,
                caller=caller,
                account_id=caller.account_id,
                today=shanghai_day(self._clock.now()),
                language=language,
                pace=pace,
                count=count,
            )

    async def _create_batch(self, caller: Caller, receive: Any, pace: Pace) -> tuple[Reply, int]:
        body = await self._bodies.read(receive, BATCH_BYTES_MAX)
        await pace()
        today = shanghai_day(self._clock.now())
        opened = await open_batch(body, caller, today, self._sealer, pace=pace)
        allowance = await self._quotas.take(caller, len(opened.raws))
        batch = await opened.read_all(pace)
        is_booking = opened.order
        del body, opened  # they are as large as everything that is made from them
        decided = await self._checks.decide(batch.checks, account_id=caller.account_id, pace=pace)
        receipts = await self._receipts_of(batch.checks, decided, caller, pace)
        results = await write_results(batch, decided, receipts, pace)
        await self._count(caller, batch.checks, decided, pace)
        booking = verdict_on(decided.decisions, batch.errors) if is_booking else None
        reply = Reply(
            status=200,
            body=batch_body(decided.list, results, booking),
            headers=rate_limit_headers(allowance),
        )
        return reply, decided.from_registry

    async def _receipts_of(
        self, checks: PreparedBatch, decided: Decided, caller: Caller, pace: Pace
    ) -> dict[int, Receipt | None]:
        """Return the receipts of the checks that ask for one, by place."""
        places = checks.with_receipt
        statements = [statement_of(checks[at], decided, at, caller) for at in places]
        receipts = await self._receipts.issue_all(statements, pace)
        return dict(zip(places, receipts, strict=True))

    async def _count(
        self, caller: Caller, checks: PreparedBatch, decided: Decided, pace: Pace
    ) -> None:
        """Count the plain allows of a slice by service, and all other decisions one by one."""
        for start in range(0, len(checks), SLICE_COUNTED):
            await pace()
            stop = min(start + SLICE_COUNTED, len(checks))
            services = checks.services(start, stop)
            other = [at for at in range(start, stop) if decided.decisions[at] is not ALLOWED]
            for at in reversed(other):
                del services[at - start]
            self._counts.count_allowed(caller, services)
            self._counts.count(caller, [(checks[at], decided.decisions[at]) for at in other])
        self._counts.looked_up(caller, decided.maybe_tokens(checks))
