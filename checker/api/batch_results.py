"""Serialises the results of a batch in the order of its items.

Most results are a plain `allow`, which has an id and nothing else. A run of them is made together
(`checker.checks.plain_answers`). Every other result is serialised by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge

import msgspec

from checker.api.exchange import encode
from checker.api.problems import Problem, problem_of
from checker.audit.decisions import BatchIds
from checker.checks.answer import BatchItem, ListState, shown_permit
from checker.checks.batch_request import ReadBatch
from checker.checks.booking import BookingVerdict
from checker.checks.checks import Decided
from checker.checks.in_slices import SLICE_CHECKS
from checker.checks.plain_answers import plain_allows, referenced_allows
from checker.checks.prepared_batch import PreparedBatch
from checker.checks.turns import Pace
from checker.domain.decision import ALLOWED, Decision
from checker.errors import CheckerError
from checker.receipts.receipt import Receipt

SLICE_PLAIN = 300
"""Plain allows that are serialised in one slice: 0.3 ms with references, at 1 µs each."""


class ItemError(msgspec.Struct, frozen=True, kw_only=True):
    """A batch item that could not be checked, with the error."""

    error: Problem


def batch_body(
    state: ListState, results: Sequence[bytes], booking: BookingVerdict | None = None
) -> bytes:
    """Return a `BatchAnswer` as JSON; the results are serialised already."""
    order = b"" if booking is None else b'"order":%b,' % encode(booking)
    return b'{"list":%b,%b"results":[%b]}' % (encode(state), order, b",".join(results))


async def write_results(
    batch: ReadBatch, decided: Decided, receipts: Mapping[int, Receipt | None], pace: Pace
) -> list[bytes]:
    """Return the results as JSON; one element may be a run of results, with commas in between.

    `receipts` has the receipts by the place of the check. `pace` is awaited between the slices.
    """
    checks = batch.checks
    results: list[bytes] = []
    done = 0
    await pace()
    for written, (at, error) in enumerate(_single_results(batch, decided, receipts), 1):
        results += await _runs(checks, decided.ids, done, at, pace)
        if error is None:
            [reference] = checks.references(at, at + 1) or (None,)
            item = _item(decided.ids[at], decided.decisions[at], reference, receipts.get(at))
            results.append(encode(item))
            done = at + 1
        else:
            results.append(encode(ItemError(error=problem_of(error))))
            done = at
        if written % SLICE_CHECKS == 0:
            await pace()
    return results + await _runs(checks, decided.ids, done, len(checks), pace)


def _single_results(
    batch: ReadBatch, decided: Decided, receipts: Mapping[int, Receipt | None]
) -> Iterator[tuple[int, CheckerError | None]]:
    """Return the results that are serialised by themselves, in order.

    A result is the place of its check, and None; or the place of the next check, and the error.
    """
    if isinstance(decided.ids, BatchIds):
        adverse = [at for at, each in enumerate(decided.decisions) if each is not ALLOWED]
        single = sorted({*adverse, *receipts})
    else:
        single = list(range(len(batch.checks)))  # the registry decided all, and made each id
    checks = [(at, 1, None) for at in single]
    # An error has no place among the checks: the errors in front of it are taken off.
    errors = [
        (place - nth, 0, error) for nth, (place, error) in enumerate(sorted(batch.errors.items()))
    ]
    return ((at, error) for at, _, error in merge(errors, checks, key=_order))


def _order(result: tuple[int, int, CheckerError | None]) -> tuple[int, int]:
    """An error stands before the next check."""
    at, is_check, _ = result
    return at, is_check


async def _runs(
    checks: PreparedBatch, ids: Sequence[str], start: int, stop: int, pace: Pace
) -> list[bytes]:
    """Return the results of plain allows from `start` to before `stop`, a run for each slice."""
    runs = []
    for first in range(start, stop, SLICE_PLAIN):
        assert isinstance(ids, BatchIds), "only a batch of counted ids has plain results"
        if first > start:
            await pace()
        past = min(first + SLICE_PLAIN, stop)
        references = checks.references(first, past)
        if references is None:
            runs.append(plain_allows(ids, first, past))
        else:
            runs.append(referenced_allows(ids, first, references))
    return runs


def _item(
    answer_id: str, decision: Decision, reference: str | None, receipt: Receipt | None
) -> BatchItem:
    return BatchItem(
        id=answer_id,
        decision=decision.outcome,
        reasons=decision.reasons,
        permit=shown_permit(decision.permit),
        spending=decision.spending,
        reference=reference,
        receipt=receipt,
        alternatives=decision.alternatives,
    )
