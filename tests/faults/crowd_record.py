"""The answers that the crowd saw, and which of them were true at no instant of their calls.

Every change has a number, and every answer names the number of its list. So an
answer is right if the list of that number gives it, and if that list may have been the newest at
some instant of the call: not older than what was acknowledged before the call was sent, and not
one that nobody had sent yet when its answer came.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

from tests.faults.crowd_list import CLEAR, Answer, List
from tests.support.town import Line


@dataclass(frozen=True)
class FeedCall:
    """A call that was answered; a snapshot's lines are listings."""

    sent_at: float
    answered_at: float
    version: int
    lines: list[Line]
    rejected: list[tuple[int, str]]
    is_snapshot: bool


@dataclass(frozen=True)
class Seen:
    """One answer, or those of one batch, by person; `floor` was acknowledged before it was asked.

    `others` are the answers about somebody who buys what is restricted for nobody.
    """

    node: str
    sent_at: float
    answered_at: float
    floor: int
    version: int
    answers: list[tuple[int, Answer]]
    others: frozenset[Answer] = frozenset()


@dataclass
class Record:
    """The calls and their answers, by the clock of this process alone."""

    calls: list[FeedCall] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    unanswered: int = 0
    acknowledged: int = 0

    def take_in(self, call: FeedCall) -> None:
        self.calls.append(call)
        self.acknowledged = max(self.acknowledged, call.version)

    def versions(self) -> dict[int, List]:
        """Every version's list; each line must have been judged by the list that it met."""
        versions = {0: List()}
        # A call that changed nothing tells the newest number, which may be a snapshot's.
        for call in sorted(self.calls, key=lambda one: (one.version, not one.is_snapshot)):
            before = versions.get(call.version, versions[max(versions)])
            assert call.version - max(versions) in {0, 1}, "only the calls of this record change it"
            if call.is_snapshot:
                after, rejected = before.replaced(call.lines), []
            else:
                after, rejected = before.changed(call.lines)
            assert call.rejected == rejected, f"at version {call.version}"
            versions[call.version] = after
        return versions

    def wrong(self) -> Iterator[str]:
        """Every answer that was true at no instant of its call, in words."""
        versions = self.versions()
        first_sent: dict[int, float] = {}
        for call in self.calls:
            sent_at = min(call.sent_at, first_sent.get(call.version, call.sent_at))
            first_sent[call.version] = sent_at
        for seen in self.seen:
            told = f"node {seen.node} at version {seen.version}, {len(seen.answers)} persons"
            if seen.version < seen.floor:
                yield f"{told}: version {seen.floor} was acknowledged before it was asked"
            if seen.version not in versions or first_sent[seen.version] > seen.answered_at:
                yield f"{told}: nobody had sent that version"
                continue
            for index, answer in seen.answers:
                right = versions[seen.version].answer(index)
                if answer != right:
                    yield f"{told}: person {index} was told {answer}, not {right}"
            if seen.others - {CLEAR}:
                yield f"{told}: {seen.others} where nothing is restricted"


def now() -> float:
    """The instant by which calls are compared."""
    return monotonic()
