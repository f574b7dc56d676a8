"""Puts orders on the record: those that wait together share one transaction.

A transaction has a fixed number of statements, however many orders are in it. Orders on one person
by other processes wait for the person's lock, in PostgreSQL.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from checker.database.group_commit import GroupCommit
from checker.domain.clock import period_start
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.settings import Cap
from checker.errors import CheckerError
from checker.policy.book import PolicyBook
from checker.spending.answers import Answer, AuthorizationView, Uncapped
from checker.spending.authorization import Authorization
from checker.spending.book import Book
from checker.spending.orders import Authorize, Increment, Order
from checker.spending.store import Loaded, SpendingStore, Wanted, Written

GROUP_ORDERS_MAX = 100
"""Orders in one transaction: some ten milliseconds of locks at most."""

WAITING_MAX = 2_000
"""Orders that may wait in one process; more are told to come back."""


class SpendingWriter:
    """Writes the orders of one process."""

    def __init__(self, store: SpendingStore, policies: PolicyBook) -> None:
        self._store = store
        self._policies = policies
        self._group: GroupCommit[Order, Answer] = GroupCommit(
            self._transact,
            weight=lambda _order: 1,
            weight_max=GROUP_ORDERS_MAX,
            waiting_max=WAITING_MAX,
        )

    async def write(self, order: Order) -> AuthorizationView | Uncapped:
        """Carry an order out; when this returns, what it says is durable.

        A caller that is cancelled takes its order back if nothing has been done of it yet.

        Raises:
            CheckerError: what the order is refused with; kept too, where it is kept.
            Unavailable: the record cannot be reached, or too many wait: say it again with the same
                key, for whether it was done is not known.
        """
        answer = await self._group.add(order)
        if isinstance(answer, CheckerError):
            raise answer
        return answer

    async def aclose(self) -> None:
        """Stop; whoever waits is cancelled."""
        await self._group.aclose()

    async def _transact(self, orders: Sequence[Order]) -> list[Answer]:
        answers: list[Answer] = []

        def judge(loaded: Loaded) -> Written:
            book = Book(loaded, self._policies)
            answers[:] = [book.judge(place, order) for place, order in enumerate(orders)]
            return book.written()

        await self._store.transact(self._wanted(orders), judge)
        return answers

    def _wanted(self, orders: Sequence[Order]) -> Wanted:
        authorizes, increments = {}, {}
        caps: list[Cap] = []
        for place, order in enumerate(orders):
            match order.command:
                case Authorize() as authorize:
                    authorizes[place] = authorize
                    cap = self._cap(authorize.check.jurisdiction)
                    if cap is not None:
                        caps.append(cap)
                case Increment() as increment:
                    increments[place] = increment

        def since(now: datetime, found: Mapping[str, Authorization]) -> datetime:
            openings = [found[each.id].opening for each in increments.values() if each.id in found]
            begun = [
                period_start(cap.period, opening.counted_at)
                for opening in openings
                if (cap := self._cap(opening.jurisdiction)) is not None
            ]
            return min([*begun, *(period_start(cap.period, now) for cap in caps)], default=now)

        return Wanted(
            authorizes=authorizes,
            increments=increments,
            ids=frozenset(
                order.command.id for order in orders if not isinstance(order.command, Authorize)
            ),
            keys=frozenset((order.account_id, order.key) for order in orders),
            counters=frozenset(cap.counter for cap in caps),
            since=since,
        )

    def _cap(self, jurisdiction: Jurisdiction) -> Cap | None:
        return self._policies.effective(jurisdiction).settings.resort_cap
