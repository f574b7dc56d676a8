"""Decides again on what is counted: the uses of permits, and the spending under a cap.

The first decision shows that a count matters. The second decision rests on the count. The uses of
permits are counted behind a lock, in the transaction that keeps the decision.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from checker.checks.in_slices import SoughtCheck, claim_of, each_of
from checker.checks.judge import Judge
from checker.checks.turns import Pace
from checker.domain.decision import Decision
from checker.domain.standing import Standing
from checker.policy.book import PolicyBook
from checker.registry.found_document import Trace
from checker.registry.permit_uses import PermitUses
from checker.registry.sealing import Sealer
from checker.spending.persons import counted_documents
from checker.spending.spent import read_spent

CLAIM_BYTES = 16


def uses_one(decision: Decision) -> bool:
    """Whether the decision rests on a permit whose uses are counted."""
    return decision.permit is not None and decision.permit.is_counted


class CountedDecisions:
    """Decides again, and puts the new decisions in the place of the first ones."""

    def __init__(self, judge: Judge, sealer: Sealer, policies: PolicyBook) -> None:
        self._judge = judge
        self._sealer = sealer
        self._policies = policies

    async def use_permits(
        self,
        connection: AsyncConnection,
        checks: Sequence[SoughtCheck],
        standings: list[Standing],
        decisions: list[Decision],
        now: datetime,
        *,
        ids: Sequence[str],
    ) -> None:
        """Decide again behind the lock of the counted permits, in order, and use their permits.

        A check without a reference is a sale of its own, so its claim is drawn. `ids` are the ids
        of the decisions.
        """
        places = [place for place, each in enumerate(decisions) if uses_one(each)]
        permit_ids = {
            permit.id
            for place in places
            for permit in standings[place].permits
            if permit.is_counted
        }
        claims: dict[int, bytes] = {
            place: claim_of(self._sealer, checks[place]) or secrets.token_bytes(CLAIM_BYTES)
            for place in places
        }
        uses = await PermitUses.lock(connection, permit_ids, set(claims.values()))
        for place, claim in claims.items():
            standing = uses.left_in(standings[place], claim)
            decision = self._judge.decide(checks[place][0], standing, now)
            standings[place], decisions[place] = standing, decision
            if decision.permit is not None and decision.permit.is_counted:
                uses.claim(decision.permit, claim, ids[place])
        await uses.write(connection, self._sealer.vault, now)

    async def fill_spending(
        self,
        connection: AsyncConnection,
        checks: Sequence[SoughtCheck],
        standings: Sequence[Standing],
        decisions: list[Decision],
        now: datetime,
        pace: Pace,
        *,
        traces: Sequence[Sequence[Trace]],
    ) -> None:
        """Decide again on every capped person, by what that person has spent.

        `traces` are the ways of the listings to each subject.
        """
        places = [place for place, each in enumerate(decisions) if each.spending is not None]
        if not places:
            return
        capped = []
        for place in places:
            check, _ = checks[place]
            cap = self._policies.effective(check.jurisdiction).settings.resort_cap
            assert cap is not None, "only where a cap is set is anybody capped"
            capped.append((counted_documents(check.subject, traces[place]).values(), cap))
        found = await read_spent(connection, self._sealer.vault, capped, now)
        spent = dict(zip(places, found, strict=True))

        def judged(place: int) -> Decision:
            return self._judge.decide(checks[place][0], standings[place], now, spent=spent[place])

        for place, decision in zip(places, await each_of(places, judged, pace), strict=True):
            decisions[place] = decision
