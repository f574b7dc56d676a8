"""Shares one event loop between batches: which batch works now, and which batch is let in.

A batch of 10 000 persons takes 20 ms of computing, and up to a second where the registry is asked
about all of them. Two things keep this time from delaying anybody else:

- `Turns`: a batch works in slices of about a millisecond. One slice runs in each round of the event
  loop, and a single check that arrives waits for one slice at most. Accounts take turns.
- `BatchGate`: few batches are let in at once. The body of a batch is read when the batch is let in,
  so we hold no body of a batch that waits. Accounts are let in one after the other, so a thousand
  batches of one account delay a batch of another account by the batches that are inside.

Knows the ids of accounts, and nothing of the content of a batch.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias, TypeVar

import msgspec

from checker.errors import QuotaExceeded, Unavailable

_T = TypeVar("_T")

Pace: TypeAlias = Callable[[], Awaitable[None]]
"""Awaited between two slices of work. Returns when the next slice may run."""


async def give_way() -> None:
    """Let the event loop serve all others once."""
    await asyncio.sleep(0)


def slices(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Cut a sequence into pieces of `size`; the last piece may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


class _Line:
    """The waiting batches: in order within an account, and the accounts in turn."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, account: str) -> int:
        """Return the number of waiting batches of an account."""
        return len(self._waiting.get(account, ()))

    def join(self, account: str) -> asyncio.Future[None]:
        """Return a future that is set when the turn of this batch has come."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, deque()).append(waiter)
        self._count += 1
        return waiter

    def leave(self, account: str, waiter: asyncio.Future[None]) -> None:
        """Take out a batch that waits no longer."""
        waiters = self._waiting.get(account)
        if waiters is not None and waiter in waiters:
            waiters.remove(waiter)
            self._count -= 1
            if not waiters:
                del self._waiting[account]

    def take(self, may_take: Callable[[str], bool]) -> str | None:
        """Wake the first batch of the next account that may be taken, and return the account.

        Return None if no batch waits, or no waiting account may be taken.
        """
        for account in list(self._waiting):
            if may_take(account) and self._wake_first(account):
                return account
        return None

    def _wake_first(self, account: str) -> bool:
        """Wake the first batch that still waits, and put the account behind the others."""
        waiters = self._waiting.pop(account)
        is_woken = False
        while waiters and not is_woken:
            waiter = waiters.popleft()
            self._count -= 1
            if not waiter.done():  # a cancelled batch leaves in the next round
                waiter.set_result(None)
                is_woken = True
        if waiters:
            self._waiting[account] = waiters
        return is_woken


class Turns:
    """Gives turns to slices: one in each round of the event loop, the accounts in turn."""

    def __init__(self) -> None:
        self._line = _Line()
        self._is_giving = False

    def pace_of(self, account: str) -> Pace:
        """Return the pace of a batch of this account, to await between its slices."""

        async def pace() -> None:
            await self.next(account)

        return pace

    async def next(self, account: str) -> None:
        """Wait for the account's next turn."""
        waiter = self._line.join(account)
        if not self._is_giving:
            self._is_giving = True
            asyncio.get_running_loop().call_soon(self._give)
        try:
            await waiter
        except asyncio.CancelledError:
            self._line.leave(account, waiter)
            raise

    def _give(self) -> None:
        if self._line.take(_anybody) is None:
            self._is_giving = False
            return
        # The woken slice runs in the next round, and `_give` comes behind it.
        asyncio.get_running_loop().call_soon(self._give)


class GateBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one process: batches that it works on at once, and batches that wait outside."""

    inside: int
    inside_of_account: int
    waiting: int
    waiting_of_account: int
    retry_after_s: int


class BatchGate:
    """Lets batches in, the accounts in turn."""

    def __init__(self, bounds: GateBounds) -> None:
        self._bounds = bounds
        self._line = _Line()
        self._inside: dict[str, int] = {}
        self._inside_count = 0

    @property
    def is_empty(self) -> bool:
        """Whether no batch is inside and none waits."""
        return not self._inside_count and not len(self._line)

    @asynccontextmanager
    async def passed(self, account: str) -> AsyncIterator[None]:
        """Wait until a batch of this account is let in. The batch is inside until the block ends.

        Raises:
            QuotaExceeded: too many batches of this account wait.
            Unavailable: too many batches of all accounts wait.
        """
        await self._enter(account)
        try:
            yield
        finally:
            self._left(account)
            self._let_in()

    async def _enter(self, account: str) -> None:
        bounds = self._bounds
        if not self._line.of(account) and self._may_enter(account):
            self._entered(account)
            return
        if self._line.of(account) >= bounds.waiting_of_account:
            text = f"{bounds.waiting_of_account} batches of this account wait already"
            raise QuotaExceeded(text, retry_after_s=bounds.retry_after_s)
        if len(self._line) >= bounds.waiting:
            text = "too many batches wait; send it again"
            raise Unavailable(text, retry_after_s=bounds.retry_after_s)
        waiter = self._line.join(account)
        try:
            await waiter
        except asyncio.CancelledError:
            self._line.leave(account, waiter)
            if waiter.done() and not waiter.cancelled():
                self._left(account)
                self._let_in()
            raise

    def _may_enter(self, account: str) -> bool:
        return (
            self._inside_count < self._bounds.inside
            and self._inside.get(account, 0) < self._bounds.inside_of_account
        )

    def _let_in(self) -> None:
        while (account := self._line.take(self._may_enter)) is not None:
            self._entered(account)

    def _entered(self, account: str) -> None:
        self._inside[account] = self._inside.get(account, 0) + 1
        self._inside_count += 1

    def _left(self, account: str) -> None:
        self._inside_count -= 1
        self._inside[account] -= 1
        if not self._inside[account]:
            del self._inside[account]


def _anybody(_account: str) -> bool:
    return True
