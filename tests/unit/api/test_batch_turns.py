"""The batch endpoint bounds its batches, and writes their answers in slices."""

import asyncio

import msgspec
import pytest

from checker.api.answering_batches import BatchAnswer
from checker.api.batch_results import ItemError, batch_body
from checker.api.batch_turns import BatchTurns, declared_length
from checker.api.exchange import CHECK_BYTES_MAX, encode
from checker.api.problems import problem_of
from checker.checks.answer import BatchItem, ListState
from checker.checks.turns import GateBounds
from checker.domain.decision import Outcome
from checker.errors import InvalidRequest, QuotaExceeded

ONE = GateBounds(inside=1, inside_of_account=1, waiting=1, waiting_of_account=1, retry_after_s=1)


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (b"12", 12),
        ("0", 0),
        (None, None),
        (b"", None),
        (b"-1", None),
        (b"1 2", None),
        ("²", None),
        (b"9" * 30, None),
    ],
)
def test_a_content_length_is_read_or_unknown(value: bytes | str | None, length: int | None) -> None:
    assert declared_length(value) == length


@pytest.mark.anyio
async def test_a_booking_of_some_persons_does_not_wait_behind_large_batches() -> None:
    turns = BatchTurns(large=ONE, small=ONE)
    async with turns.let_in("a", None):
        waiting = asyncio.create_task(_enter(turns, CHECK_BYTES_MAX + 1))
        await asyncio.sleep(0)
        with pytest.raises(QuotaExceeded):
            await _enter(turns, None)
        await asyncio.wait_for(_enter(turns, CHECK_BYTES_MAX), 5)
    await asyncio.wait_for(waiting, 5)


async def _enter(turns: BatchTurns, body_bytes: int | None) -> None:
    async with turns.let_in("a", body_bytes):
        pass


def test_a_body_of_slices_is_what_the_whole_answer_is_encoded_to() -> None:
    state = ListState(version=3, as_of="1900-01-01T00:00:00.000Z", stale=True, history="h")
    results = (
        BatchItem(id="1", decision=Outcome.ALLOW, reference="r"),
        ItemError(error=problem_of(InvalidRequest("no such field"))),
    )
    for told in ((), results[:1], results):
        whole = msgspec.json.encode(BatchAnswer(list=state, results=told))
        assert batch_body(state, [encode(each) for each in told]) == whole
