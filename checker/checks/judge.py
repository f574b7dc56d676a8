"""Decides checks by what the registry found, and makes what is kept of a decision. No I/O."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from checker.audit.decisions import KeptDecision
from checker.domain.alternatives import alternatives_to
from checker.domain.decision import ALLOWED, Decision, Outcome
from checker.domain.rules import decide
from checker.domain.service import Service, type_of
from checker.domain.standing import Standing
from checker.policy.book import PolicyBook
from checker.registry.found_document import Trace
from checker.registry.prepared_check import PreparedCheck
from checker.registry.versions import ListVersion
from checker.spending.spent import SpentInPeriod
from checker.vault import Vault

_NOTHING_SPENT = SpentInPeriod()


class Judge:
    """Decides by the measures of the place of service."""

    def __init__(self, policies: PolicyBook, vault: Vault) -> None:
        self._policies = policies
        self._vault = vault

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
            to_organization=check.subject.is_organization,
        )

    def with_alternatives(
        self, check: PreparedCheck, standing: Standing, decision: Decision, now: datetime
    ) -> Decision:
        """Return a `deny` with its alternatives, and any other decision as it is.

        A service that no measure can restrict is allowed to everybody, so nothing is decided then.
        """
        if decision.outcome is not Outcome.DENY:
            return decision

        def decide_instead(service: Service) -> Decision:
            if not self._policies.can_restrict(service, check.jurisdiction):
                return ALLOWED
            return self.decide(msgspec.structs.replace(check, service=service), standing, now)

        settings = self._policies.effective(check.jurisdiction).settings
        found = alternatives_to(check.service, settings, decide_instead)
        return msgspec.structs.replace(decision, alternatives=found)

    def kept(
        self,
        check: PreparedCheck,
        standing: Standing,
        decision: Decision,
        *,
        traces: Sequence[Trace],
        decision_id: str,
        account_id: str | None,
        version: ListVersion,
        now: datetime,
    ) -> KeptDecision:
        """Return what is kept of a decision at `now`, with all listings shown."""
        shown = standing.with_all_shown()
        # Nearly every listing is public: then the answer shows all of them.
        whole = decision if shown is standing else self.decide(check, shown, now)
        return KeptDecision.of(
            decision,
            whole,
            id=decision_id,
            at=now,
            account_id=account_id,
            service=type_of(check.service),
            jurisdiction=check.jurisdiction,
            policy=self._policies.effective(check.jurisdiction),
            list_version=version.version,
            traces=traces,
            vault=self._vault,
        )
