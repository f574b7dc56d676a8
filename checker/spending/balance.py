"""A person's spending, and the room that is left: sums over the steps of all documents.

Sums are kept by the day in Asia/Shanghai of the hold, so every period of the calendar is a sum of
days. Pure.
"""

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from cache.token import Token
from checker.domain.clock import period_end, period_start, shanghai_day
from checker.domain.decision import CapSpending
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.rules import spending_under
from checker.domain.settings import Cap
from checker.spending.authorization import Authorization, CountedRoom


class DayTotal(msgspec.Struct, frozen=True, kw_only=True):
    """One document's held and captured sums on one counter, of the amounts authorized on `day`."""

    token: Token
    counter: Jurisdiction
    day: date
    held_fen: int
    captured_fen: int


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A person's spending under a cap in the period around the instant `at`."""

    cap: Cap
    at: datetime
    tokens: frozenset[Token]
    held_fen: int
    captured_fen: int

    def after(self, amount_fen: int) -> "Room":
        """Return the room as it is once the amount is held too."""
        return msgspec.structs.replace(self, held_fen=self.held_fen + amount_fen)

    def spending(self) -> CapSpending:
        """Return the room as the answer shows it."""
        return spending_under(
            self.cap, now=self.at, held_fen=self.held_fen, captured_fen=self.captured_fen
        )

    def counted(self) -> CountedRoom:
        """Return the sums of this room, as a proof to keep with a step."""
        return CountedRoom(
            limit_fen=self.cap.limit_fen,
            since=period_start(self.cap.period, self.at),
            until=period_end(self.cap.period, self.at),
            tokens=tuple(sorted(self.tokens)),
            held_fen=self.held_fen,
            captured_fen=self.captured_fen,
        )


class Balances:
    """The sums of some documents, by counter and day. New steps are added to them."""

    def __init__(self, totals: Iterable[DayTotal]) -> None:
        self._days: dict[tuple[Token, Jurisdiction], dict[date, tuple[int, int]]] = {}
        for total in totals:
            days = self._days.setdefault((total.token, total.counter), {})
            days[total.day] = (total.held_fen, total.captured_fen)

    def add(self, moved: Authorization) -> None:
        """Add the newest step of an authorization."""
        opening, step = moved.opening, moved.steps[-1]
        days = self._days.setdefault((opening.token, opening.counter), {})
        day = shanghai_day(opening.counted_at)
        held_fen, captured_fen = days.get(day, (0, 0))
        days[day] = (held_fen + step.held_delta, captured_fen + step.captured_delta)

    def newest_day(self, tokens: frozenset[Token], counter: Jurisdiction) -> date | None:
        """Return the last day on which the person of these documents is known to have spent."""
        days = [day for each in tokens for day in self._days.get((each, counter), {})]
        return max(days, default=None)

    def room(self, tokens: frozenset[Token], cap: Cap, at: datetime) -> Room:
        """Return the spending of the person of these documents in the period around `at`."""
        first = shanghai_day(period_start(cap.period, at))
        end = shanghai_day(period_end(cap.period, at))
        sums = [
            total
            for each in tokens
            for day, total in self._days.get((each, cap.counter), {}).items()
            if first <= day < end
        ]
        return Room(
            cap=cap,
            at=at,
            tokens=tokens,
            held_fen=sum(held_fen for held_fen, _ in sums),
            captured_fen=sum(captured_fen for _, captured_fen in sums),
        )
