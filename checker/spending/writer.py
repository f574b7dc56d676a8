"""Writes orders to the record: orders that wait together share one transaction.

A transaction has a fixed number of statements for any number of orders. Two transactions are under
way at once, and neither waits for a lock. An order whose person is locked by another transaction is
set aside, and goes to the line of the orders that wait:

    order → group, which takes the locks that are free ─→ judged and kept
               └─ the person's lock is held → line, which waits for the locks ─→ judged and kept
                                                 └─ not released in time → that person's orders
                                                    fail, and the others of the line are kept
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from checker.domain.clock import period_start
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.settings import Cap
from checker.errors import CheckerError, Unavailable
from checker.group_commit import GROUPS_AT_ONCE, GroupCommit, group_commit
from checker.policy.book import PolicyBook
from checker.spending.answers import Answer, AuthorizationView, Uncapped
from checker.spending.authorization import Authorization
from checker.spending.book import Book
from checker.spending.orders import AuthorizeCommand, IncrementCommand, SpendingOrder
from checker.spending.store import (
    LoadedSpending,
    LocksHeld,
    SpendingStore,
    WantedSpending,
    WrittenSpending,
)
from checker.vault import Vault

GROUP_ORDERS_MAX = 100
"""Orders in one transaction: some ten milliseconds of locks at most."""

WAITING_MAX = 2_000
"""Orders that may wait in one process. Further orders are refused with Unavailable."""


_LOCKED: Final = "another order about this person is not finished; send it again"


class SpendingWriter:
    """Writes the orders of one process."""

    def __init__(self, store: SpendingStore, policies: PolicyBook, vault: Vault) -> None:
        self._store = store
        self._policies = policies
        self._vault = vault
        self._group: GroupCommit[SpendingOrder, Answer | None] = group_commit(
            self._transact_free,
            weight=lambda _order: 1,
            weight_max=GROUP_ORDERS_MAX,
            waiting_max=WAITING_MAX,
            at_once=GROUPS_AT_ONCE,
        )
        self._line: GroupCommit[SpendingOrder, Answer] = group_commit(
            self._transact_waiting,
            weight=lambda _order: 1,
            weight_max=GROUP_ORDERS_MAX,
            waiting_max=WAITING_MAX,
        )

    async def write(self, order: SpendingOrder) -> AuthorizationView | Uncapped:
        """Carry out an order, and return its answer, which is durable.

        A caller that is cancelled takes its order back, if nothing of the order is done yet.

        Raises:
            CheckerError: the order is refused; some refusals are kept as the answer.
            Unavailable: the record cannot be reached, or too many orders wait. It is not known
                whether the order was done: send it again with the same key.
        """
        answer = await self._group.add(order)
        if answer is None:
            answer = await self._line.add(order)
        if isinstance(answer, CheckerError):
            raise answer
        return answer

    async def aclose(self) -> None:
        """Stop; a caller that waits gets Unavailable."""
        await self._group.aclose()
        await self._line.aclose()

    async def _transact_free(self, orders: Sequence[SpendingOrder]) -> list[Answer | None]:
        """Return the answers to orders whose locks are free; None: the order was set aside."""
        return await self._transact(orders, waits=False)

    async def _transact_waiting(self, orders: Sequence[SpendingOrder]) -> list[Answer]:
        """Wait for all locks. If one of them is not released in time, carry out what is free."""
        try:
            answers = await self._transact(orders, waits=True)
        except LocksHeld:
            answers = await self._transact(orders, waits=False)
        return [Unavailable(_LOCKED) if answer is None else answer for answer in answers]

    async def _transact(
        self, orders: Sequence[SpendingOrder], *, waits: bool
    ) -> list[Answer | None]:
        answers: list[Answer | None] = []

        def judge(loaded: LoadedSpending) -> WrittenSpending:
            book = Book(loaded, self._policies, self._vault)
            answers[:] = [
                None if place in loaded.set_aside else book.judge(place, order)
                for place, order in enumerate(orders)
            ]
            return book.written()

        await self._store.transact(self._wanted(orders), judge, waits=waits)
        return answers

    def _wanted(self, orders: Sequence[SpendingOrder]) -> WantedSpending:
        authorizes, increments = {}, {}
        caps: list[Cap] = []
        for place, order in enumerate(orders):
            match order.command:
                case AuthorizeCommand() as authorize:
                    authorizes[place] = authorize
                    cap = self._cap(authorize.check.jurisdiction)
                    if cap is not None:
                        caps.append(cap)
                case IncrementCommand() as increment:
                    increments[place] = increment

        def since(now: datetime, found: Mapping[str, Authorization]) -> datetime:
            openings = [found[each.id].opening for each in increments.values() if each.id in found]
            begun = [
                period_start(cap.period, opening.counted_at)
                for opening in openings
                if (cap := self._cap(opening.jurisdiction)) is not None
            ]
            return min([*begun, *(period_start(cap.period, now) for cap in caps)], default=now)

        return WantedSpending(
            authorizes=authorizes,
            increments=increments,
            ids={
                place: order.command.id
                for place, order in enumerate(orders)
                if not isinstance(order.command, AuthorizeCommand)
            },
            keys={place: (order.account_id, order.key) for place, order in enumerate(orders)},
            counters=frozenset(cap.counter for cap in caps),
            since=since,
        )

    def _cap(self, jurisdiction: Jurisdiction) -> Cap | None:
        return self._policies.effective(jurisdiction).settings.resort_cap
