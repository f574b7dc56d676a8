"""The record's twin in memory: the specification of a store of spending, as short as possible.

For tests. Functions say who is capped and which documents belong to one person; the record asks the
registry for both. Nothing but kept answers is ever removed.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import date, datetime

from checker.audit.decisions import KeptDecision
from checker.domain.clock import Clock, shanghai_day
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.standing import Standing
from checker.registry.document_key import DocumentKey
from checker.registry.prepared_check import PreparedSubject
from checker.spending.answers import KeptAnswer
from checker.spending.authorization import Authorization
from checker.spending.balance import DayTotal
from checker.spending.persons import counted_documents, subject_of
from checker.spending.store import AnswerKey, LoadedSpending, WantedSpending, WrittenSpending


class MemorySpendingStore:
    """Keeps authorizations in memory. `group` returns all documents of a document's person."""

    def __init__(
        self,
        clock: Clock,
        *,
        standing: Callable[[PreparedSubject], Standing],
        group: Callable[[DocumentKey], frozenset[DocumentKey]],
        list_version: int | None = 1,
    ) -> None:
        self._clock = clock
        self._standing = standing
        self._group = group
        self._list_version = list_version
        self._lock = asyncio.Lock()
        self._authorizations: dict[str, Authorization] = {}
        self._answers: dict[AnswerKey, tuple[datetime, KeptAnswer]] = {}
        self.decisions: list[KeptDecision] = []

    async def transact(
        self,
        wanted: WantedSpending,
        judge: Callable[[LoadedSpending], WrittenSpending],
        *,
        waits: bool,
    ) -> None:
        """Keep the contract of `SpendingStore.transact`."""
        async with self._lock:
            loaded = self._load(wanted)
            written = judge(loaded)
            for moved in written.moved:
                before = self._authorizations.get(moved.opening.id)
                assert moved.steps[:-1] == (() if before is None else before.steps), "it only grows"
                self._authorizations[moved.opening.id] = moved
            self.decisions += written.decisions
            for key, answer in written.answers.items():
                assert key not in self._answers, "the first answer stays"
                self._answers[key] = (loaded.now, answer)

    async def find(self, authorization_id: str) -> Authorization | None:
        """Return an authorization, or None."""
        return self._authorizations.get(authorization_id)

    async def forget_answers(self, before: datetime) -> None:
        """Delete the answers that were kept before an instant."""
        self._answers = {key: kept for key, kept in self._answers.items() if kept[0] >= before}

    def _load(self, wanted: WantedSpending) -> LoadedSpending:
        now = self._clock.now()
        ids = {*self._authorizations}.intersection(wanted.ids.values())
        found = {each: self._authorizations[each] for each in ids}
        subjects = {
            place: authorize.check.subject for place, authorize in wanted.authorizes.items()
        } | {
            place: subject_of(found[increment.id])
            for place, increment in wanted.increments.items()
            if increment.id in found
        }
        persons = {
            place: frozenset[DocumentKey]().union(
                *(self._group(each) for each in counted_documents(subject, ()).values())
            )
            for place, subject in subjects.items()
        }
        since = wanted.since(now, found)
        tokens = {document.token for person in persons.values() for document in person}
        counters = wanted.counters | {
            found[each.id].opening.counter
            for each in wanted.increments.values()
            if each.id in found
        }
        of_them = [
            each
            for each in self._authorizations.values()
            if each.opening.document.token in tokens and each.opening.counter in counters
        ]
        return LoadedSpending(
            now=now,
            list_version=self._list_version,
            standings={place: self._standing(each) for place, each in subjects.items()},
            persons=persons,
            authorizations=found,
            lapsed=[each for each in of_them if each.has_lapsed(now)],
            totals=_totals(
                each
                for each in of_them
                if shanghai_day(each.opening.counted_at) >= shanghai_day(since)
            ),
            answers={
                key: self._answers[key][1]
                for key in {*self._answers}.intersection(wanted.keys.values())
            },
        )


def _totals(authorizations: Iterable[Authorization]) -> list[DayTotal]:
    sums: dict[tuple[DocumentKey, Jurisdiction, date], tuple[int, int]] = {}
    for each in authorizations:
        opening = each.opening
        place = (opening.document, opening.counter, shanghai_day(opening.counted_at))
        held_fen, captured_fen = sums.get(place, (0, 0))
        captured = each.captured_fen - each.refunded_fen
        sums[place] = (held_fen + each.held_fen, captured_fen + captured)
    return [
        DayTotal(
            document=document,
            counter=counter,
            day=day,
            held_fen=held_fen,
            captured_fen=captured_fen,
        )
        for (document, counter, day), (held_fen, captured_fen) in sums.items()
    ]
