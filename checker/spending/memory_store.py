"""The twin of the record in memory: what a store of spending must do, in the fewest words.

For tests. Who is capped and which documents are one person's it is told by functions, where the
record asks the registry. Nothing is ever removed from it but kept answers.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from cache.token import Token
from checker.audit.decisions import KeptDecision
from checker.domain.clock import Clock, shanghai_day
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.standing import Standing
from checker.registry.standings import StandingQuestion
from checker.spending.answers import KeptAnswer
from checker.spending.authorization import Authorization
from checker.spending.balance import DayTotal
from checker.spending.store import AnswerKey, Loaded, Wanted, Written


class MemorySpendingStore:
    """Keeps authorizations in memory; `group` gives all tokens of the person behind one."""

    def __init__(
        self,
        clock: Clock,
        *,
        standing: Callable[[StandingQuestion], Standing],
        group: Callable[[Token], frozenset[Token]],
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

    async def transact(self, wanted: Wanted, judge: Callable[[Loaded], Written]) -> None:
        """Do as `SpendingStore.transact` says."""
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
        """Find an authorization."""
        return self._authorizations.get(authorization_id)

    async def forget_answers(self, before: datetime) -> None:
        """Forget kept answers from before an instant."""
        self._answers = {key: kept for key, kept in self._answers.items() if kept[0] >= before}

    def _load(self, wanted: Wanted) -> Loaded:
        now = self._clock.now()
        found = {each: self._authorizations[each] for each in wanted.ids & {*self._authorizations}}
        questions: Mapping[int, StandingQuestion] = {
            **wanted.questions,
            **{
                place: StandingQuestion(
                    document=None, tokens=(found[increment.id].opening.token,), name_token=None
                )
                for place, increment in wanted.increments.items()
                if increment.id in found
            },
        }
        groups = {
            token: self._group(token)
            for token in {
                *(question.tokens[0] for question in questions.values()),
                *(each.opening.token for each in found.values()),
            }
        }
        since = wanted.since(now, found)
        tokens = {each for question in questions.values() for each in groups[question.tokens[0]]}
        counters = wanted.counters | {
            found[each.id].opening.counter
            for each in wanted.increments.values()
            if each.id in found
        }
        of_them = [
            each
            for each in self._authorizations.values()
            if each.opening.token in tokens and each.opening.counter in counters
        ]
        return Loaded(
            now=now,
            list_version=self._list_version,
            standings={place: self._standing(each) for place, each in questions.items()},
            groups=groups,
            authorizations=found,
            lapsed=[each for each in of_them if each.has_lapsed(now)],
            totals=_totals(
                each
                for each in of_them
                if shanghai_day(each.opening.counted_at) >= shanghai_day(since)
            ),
            answers={key: self._answers[key][1] for key in wanted.keys & {*self._answers}},
        )


def _totals(authorizations: Iterable[Authorization]) -> list[DayTotal]:
    sums: dict[tuple[Token, Jurisdiction, date], tuple[int, int]] = {}
    for each in authorizations:
        opening = each.opening
        place = (opening.token, opening.counter, shanghai_day(opening.counted_at))
        held_fen, captured_fen = sums.get(place, (0, 0))
        captured = each.captured_fen - each.refunded_fen
        sums[place] = (held_fen + each.held_fen, captured_fen + captured)
    return [
        DayTotal(
            token=token, counter=counter, day=day, held_fen=held_fen, captured_fen=captured_fen
        )
        for (token, counter, day), (held_fen, captured_fen) in sums.items()
    ]
