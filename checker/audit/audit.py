"""The audit of one node, put together."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.audit.explanation import Explanations
from checker.audit.keeper import AuditKeeper
from checker.audit.outcomes import Outcomes
from checker.audit.tallies import Tallies
from checker.domain.clock import Clock
from checker.vault import Vault


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What a node does about decisions besides making them."""

    outcomes: Outcomes
    explanations: Explanations
    tallies: Tallies
    keeper: AuditKeeper


def assemble_audit(
    engine: AsyncEngine,
    work_engine: AsyncEngine,
    *,
    vault: Vault,
    clock: Clock,
    keep_months: int,
) -> Audit:
    """Put a node's audit together. `work_engine` is one without a bound on statements."""
    return Audit(
        outcomes=Outcomes(engine, vault),
        explanations=Explanations(engine, vault),
        tallies=Tallies(engine, clock),
        keeper=AuditKeeper(work_engine, vault, clock, keep_months=keep_months),
    )
