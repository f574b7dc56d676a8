"""Assembles the audit of one node."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.audit.explanation import Explanations
from checker.audit.keeper import AuditKeeper
from checker.audit.outcomes import Outcomes
from checker.audit.tallies import Tallies
from checker.domain.clock import Clock
from checker.vault import Vault


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a node that read and keep decisions; none of them decides."""

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
    """Return the audit of a node. `work_engine` is one without a bound on statements."""
    return Audit(
        outcomes=Outcomes(engine, vault),
        explanations=Explanations(engine, vault),
        tallies=Tallies(engine, clock),
        keeper=AuditKeeper(work_engine, vault, clock, keep_months=keep_months),
    )
