"""A person's spending, and the room that is left: sums over the steps of all documents.

Sums are kept by the day in Asia/Shanghai of the hold, so every period of the calendar is a sum of
days. Pure.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

import msgspec

from cache.token import Token
from checker.domain.clock import period_end, period_start, shanghai_day
from checker.domain.decision import CapSpending
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.rules import spending_under
from checker.domain.settings import Cap
from checker.registry.document_key import DocumentKey
from checker.spending.authorization import Authorization, CountedRoom
from checker.spending.persons import counts, issuers_by_token


class DayTotal(msgspec.Struct, frozen=True, kw_only=True):
    """One document's held and captured sums on one counter, of the amounts authorized on `day`."""

    document: DocumentKey
    counter: Jurisdiction
    day: date
    held_fen: int
    captured_fen: int


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A person's spending under a cap in the period around the instant `at`."""

    cap: Cap
    at: datetime
    documents: frozenset[DocumentKey]
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
            documents=in_one_order(self.documents),
            held_fen=self.held_fen,
            captured_fen=self.captured_fen,
        )


class SumsByDay:
    """Held and captured sums of documents, by counter and day."""

    def __init__(self) -> None:
        self._days: dict[
            tuple[Token, Jurisdiction], dict[tuple[str | None, date], tuple[int, int]]
        ] = {}

    def add(self, total: DayTotal) -> None:
        """Add the amounts of one document on one day."""
        token, issuer = total.document
        days = self._days.setdefault((token, total.counter), {})
        held_fen, captured_fen = days.get((issuer, total.day), (0, 0))
        days[issuer, total.day] = (held_fen + total.held_fen, captured_fen + total.captured_fen)

    def of(
        self, documents: Iterable[DocumentKey], counter: Jurisdiction
    ) -> Iterator[tuple[date, tuple[int, int]]]:
        """Yield each day and its sums of the person of these documents on a counter."""
        for token, issuers in issuers_by_token(documents).items():
            for (issuer, day), total in self._days.get((token, counter), {}).items():
                if counts(issuers, issuer):
                    yield day, total


def in_one_order(documents: Iterable[DocumentKey]) -> tuple[DocumentKey, ...]:
    """Return documents in the order in which a step keeps them."""
    return tuple(sorted(documents, key=lambda each: (each.token, each.issuer or "")))


class Balances:
    """The sums of some documents, by counter and day. New steps are added to them."""

    def __init__(self, totals: Iterable[DayTotal]) -> None:
        self._sums = SumsByDay()
        for each in totals:
            self._sums.add(each)

    def add(self, moved: Authorization) -> None:
        """Add the newest step of an authorization."""
        opening, step = moved.opening, moved.steps[-1]
        self._sums.add(
            DayTotal(
                document=opening.document,
                counter=opening.counter,
                day=shanghai_day(opening.counted_at),
                held_fen=step.held_delta,
                captured_fen=step.captured_delta,
            )
        )

    def newest_day(self, documents: frozenset[DocumentKey], counter: Jurisdiction) -> date | None:
        """Return the last day on which the person of these documents is known to have spent."""
        return max((day for day, _ in self._sums.of(documents, counter)), default=None)

    def room(self, documents: frozenset[DocumentKey], cap: Cap, at: datetime) -> Room:
        """Return the spending of the person of these documents in the period around `at`."""
        first = shanghai_day(period_start(cap.period, at))
        end = shanghai_day(period_end(cap.period, at))
        sums = [total for day, total in self._sums.of(documents, cap.counter) if first <= day < end]
        return Room(
            cap=cap,
            at=at,
            documents=documents,
            held_fen=sum(held_fen for held_fen, _ in sums),
            captured_fen=sum(captured_fen for _, captured_fen in sums),
        )
