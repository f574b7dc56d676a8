"""Judges checks by what the registry found, and says what is kept of a decision. No I/O."""

from datetime import datetime

from checker.audit.decisions import KeptDecision
from checker.checks.asked import Together
from checker.checks.request import PreparedCheck
from checker.domain.decision import Decision
from checker.domain.rules import decide
from checker.domain.service import type_of
from checker.domain.standing import Standing
from checker.policy.book import PolicyBook
from checker.registry.versions import ListVersion
from checker.spending.spent import SpentInPeriod

_NOTHING_SPENT = SpentInPeriod()


class Judge:
    """Decides by the measures of the place of service."""

    def __init__(self, policies: PolicyBook) -> None:
        self._policies = policies

    def decide(
        self,
        check: PreparedCheck,
        standing: Standing,
        now: datetime,
        *,
        spent: SpentInPeriod = _NOTHING_SPENT,
    ) -> Decision:
        """Return the decision on one check."""
        return decide(
            standing,
            check.service,
            policy=self._policies.effective(check.jurisdiction),
            now=now,
            held_fen=spent.held_fen,
            captured_fen=spent.captured_fen,
        )

    def kept(
        self,
        together: Together,
        place: int,
        standing: Standing,
        decision: Decision,
        *,
        decision_id: str,
        version: ListVersion,
    ) -> KeptDecision:
        """Return what is kept of the decision on the check at `place`."""
        check = together.checks[place]
        return KeptDecision.of(
            decision,
            self.decide(check, standing.with_all_shown(), together.now),
            id=decision_id,
            at=together.now,
            account_id=together.account_ids[place],
            service=type_of(check.service),
            jurisdiction=check.jurisdiction,
            policy=self._policies.effective(check.jurisdiction),
            list_version=version.version,
        )
