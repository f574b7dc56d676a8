"""What is asked of the registry: checks of one caller, and of several in one transaction."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from cache.changes import Position
from cache.token import Token
from checker.audit.decisions import KeptDecision
from checker.checks.request import PreparedCheck
from checker.domain.decision import Decision
from checker.registry.standings import StandingQuestion
from checker.registry.versions import ListVersion


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Checks that were asked together, and all tokens under which each subject may be listed.

    `account_id` None: asked on the command line.
    """

    checks: tuple[PreparedCheck, ...]
    tokens: tuple[tuple[Token, ...], ...]
    account_id: str | None
    now: datetime

    def only(self, places: Sequence[int]) -> "Asked":
        """Give those at some places, in their order."""
        return msgspec.structs.replace(
            self,
            checks=tuple([self.checks[place] for place in places]),
            tokens=tuple([self.tokens[place] for place in places]),
        )


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions with their ids in the order of the checks, by the list of `version`.

    `kept` are those of them that are no plain `allow`.
    """

    decisions: tuple[Decision, ...]
    ids: tuple[str, ...]
    version: ListVersion
    kept: tuple[KeptDecision, ...]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """The question of one caller. `at` None: the position of the list does not matter."""

    asked: Asked
    questions: tuple[StandingQuestion, ...]
    at: Position | None

    def accounts(self) -> list[str | None]:
        """Give who asked each check."""
        return [self.asked.account_id] * len(self.asked.checks)


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """All checks of one transaction, one after the other, each with who asked it."""

    checks: tuple[PreparedCheck, ...]
    questions: tuple[StandingQuestion, ...]
    account_ids: tuple[str | None, ...]
    now: datetime

    @classmethod
    def of(cls, items: Sequence[Item]) -> "Together":
        """Put items together; judged by the latest of their instants, for it is later now."""
        return cls(
            checks=tuple([check for item in items for check in item.asked.checks]),
            questions=tuple([question for item in items for question in item.questions]),
            account_ids=tuple([account for item in items for account in item.accounts()]),
            now=max(item.asked.now for item in items),
        )
