"""The bounds of batches: how many one worker computes at once, and how many may wait.

The bounds hold for one process. A small batch is a booking of some persons, and never waits behind
large batches. A batch without a `Content-Length` counts as large.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from checker.api.exchange import CHECK_BYTES_MAX
from checker.checks.turns import BatchGate, GateBounds, Pace, Turns
from checker.node.memory import release_memory

LARGE = GateBounds(
    # A full batch inside takes about 20 MB, with its body and its answers.
    inside=4,
    # One computes while the other waits for a store.
    inside_of_account=2,
    # A waiting batch costs a connection; its body is not read yet.
    waiting=512,
    waiting_of_account=128,
    # A full batch takes about a second.
    retry_after_s=10,
)
"""The bounds of batches with more than `CHECK_BYTES_MAX` bytes: 500 to 10 000 persons each."""

SMALL = GateBounds(
    # At most 64 KB and some 500 persons each.
    inside=64,
    inside_of_account=32,
    waiting=1_024,
    waiting_of_account=256,
    retry_after_s=1,
)
"""The bounds of batches with up to `CHECK_BYTES_MAX` bytes."""

RELEASE_AFTER_S = 1.0
"""The process releases memory when no large batch has been inside for this time."""


class BatchTurns:
    """The gates and the turns of one process."""

    def __init__(self, *, large: GateBounds = LARGE, small: GateBounds = SMALL) -> None:
        self._turns = Turns()
        self._large = BatchGate(large)
        self._small = BatchGate(small)
        self._releasing: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def let_in(self, account_id: str, body_bytes: int | None) -> AsyncIterator[Pace]:
        """Wait for the turn of a batch, and yield the pace to await between its slices.

        `body_bytes` None: the size is not known. Read the body only within this context.

        Raises:
            QuotaExceeded: too many batches of this account are waiting.
            Unavailable: too many batches of all accounts are waiting.
        """
        is_small = body_bytes is not None and body_bytes <= CHECK_BYTES_MAX
        gate = self._small if is_small else self._large
        try:
            async with gate.passed(account_id):
                yield self._turns.pace_of(account_id)
        finally:
            if gate is self._large and gate.is_empty:
                self._release_soon()

    def _release_soon(self) -> None:
        if self._releasing is not None:
            self._releasing.cancel()
        loop = asyncio.get_running_loop()
        self._releasing = loop.call_later(RELEASE_AFTER_S, self._release)

    def _release(self) -> None:
        self._releasing = None
        if self._large.is_empty:
            asyncio.get_running_loop().run_in_executor(None, release_memory)


def declared_length(value: bytes | str | None) -> int | None:
    """Return the number in a `Content-Length`; None if the header is absent or no number."""
    if value is None:
        return None
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
