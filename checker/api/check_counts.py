"""Counts the decisions that are answered: for metrics, reports, and the watch on accounts."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cache.token import Token
from checker.accounts.keys import Caller
from checker.accounts.watch import FishingWatch
from checker.api.metrics import Metrics
from checker.audit.tallies import Tallies
from checker.domain.decision import Decision, Outcome, ReasonCode
from checker.domain.service import Service, type_of
from checker.registry.prepared_check import PreparedCheck


class CheckCounts:
    """Counts the decisions of one process."""

    def __init__(self, metrics: Metrics, tallies: Tallies, watch: FishingWatch) -> None:
        self._metrics = metrics
        self._tallies = tallies
        self._watch = watch

    def count(self, caller: Caller, pairs: Sequence[tuple[PreparedCheck, Decision]]) -> None:
        """Count decisions for the metrics, the reports, and the watch on searching accounts."""
        self._watch.asked(caller, len(pairs))
        for check, decision in pairs:
            kind = type_of(check.service)
            self._metrics.decided(kind, decision.outcome)
            self._tallies.count(caller.account_id, kind, decision.outcome)
            if decision.outcome is not Outcome.ALLOW:
                mismatched = any(
                    reason.code is ReasonCode.NAME_MISMATCH for reason in decision.reasons
                )
                self._watch.adverse(caller, check.subject.token, mismatched=mismatched)

    def looked_up(self, caller: Caller, tokens: Iterable[Token]) -> None:
        """Note the persons that this node alone could not clear, by one token each."""
        self._watch.looked_up(caller, tokens)

    def count_allow(self, caller: Caller, service: Service) -> None:
        """Count one plain `allow`, as `count` does."""
        kind = type_of(service)
        self._watch.asked(caller, 1)
        self._metrics.decided(kind, Outcome.ALLOW)
        self._tallies.count(caller.account_id, kind, Outcome.ALLOW)

    def count_allowed(self, caller: Caller, services: Sequence[Service]) -> None:
        """Count a plain `allow` for each of these services, as `count` does."""
        self._watch.asked(caller, len(services))
        for variant, items in Counter(map(type, services)).items():
            kind = type_of(variant)
            self._metrics.decided(kind, Outcome.ALLOW, items)
            self._tallies.count(caller.account_id, kind, Outcome.ALLOW, items)
