"""The whole record of a deployment: begins its journal, and verifies all rows.

Rows are verified against the journal. Derived rows are made again from the rows and compared:
outlines from listings, sums and open holds from steps. All rows are read in one view of the
database, so a service may run meanwhile.
"""

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.accounts.journaled import account_kinds
from checker.audit.chain_verification import ChainVerification, verify_chain
from checker.audit.journaled import audit_kinds, verify_heads
from checker.corrections.journaled import correction_kinds
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.journal.beginning import begin_journal
from checker.journal.chained_table import ChainHead
from checker.journal.faults import Faults
from checker.journal.kinds import Kind
from checker.journal.verification import JournalVerification, verify_journal
from checker.operators.entries import operator_kinds
from checker.publication.outlines_verified import verify_outlines
from checker.receipts.journaled import receipt_kinds
from checker.registry.journaled import list_kinds, permit_kinds
from checker.registry.sealing import Sealer
from checker.spending.journaled import spending_kinds
from checker.spending.verification import SpendingVerification, verify_spending


class NotedHeads(msgspec.Struct, frozen=True, kw_only=True):
    """Heads of both chains that an operator noted; None: this head was not noted."""

    decisions: ChainHead | None = None
    journal: ChainHead | None = None


class RecordVerification(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of verifying each kind of row."""

    decisions: ChainVerification
    journal: JournalVerification
    spending: SpendingVerification

    @property
    def fault_count(self) -> int:
        """Faults of all kinds."""
        return self.decisions.fault_count + self.journal.fault_count + self.spending.fault_count


def all_kinds(sealer: Sealer) -> tuple[Kind, ...]:
    """Describe every kind of row that the journal names."""
    vault = sealer.vault
    return (
        *list_kinds(sealer),
        *permit_kinds(sealer),
        *spending_kinds(vault),
        *account_kinds(vault),
        *receipt_kinds(vault),
        *correction_kinds(vault),
        *audit_kinds(vault),
        *operator_kinds(vault),
    )


async def begin_record(engine: AsyncEngine, sealer: Sealer, clock: Clock) -> None:
    """Begin the journal of this database, unless it is begun.

    Raises:
        ConfigurationError: a row cannot be read with the keys of this deployment.
        Unavailable: PostgreSQL cannot be reached.
    """
    await begin_journal(engine, sealer.vault, all_kinds(sealer), clock.now())


async def verify_record(
    engine: AsyncEngine, sealer: Sealer, noted: NotedHeads
) -> RecordVerification:
    """Verify everything. `engine` is one without a bound on statements.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    return RecordVerification(
        decisions=await verify_chain(engine, sealer.vault, noted=noted.decisions),
        journal=await _verify_journal(engine, sealer, noted.journal),
        spending=await verify_spending(engine, sealer.vault),
    )


async def _verify_journal(
    engine: AsyncEngine, sealer: Sealer, noted: ChainHead | None
) -> JournalVerification:
    faults = Faults()
    with driver_errors():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            verified = await verify_journal(
                connection, sealer.vault, all_kinds(sealer), faults=faults, noted=noted
            )
            await verify_heads(connection, sealer.vault, faults)
            await verify_outlines(connection, faults)
    return msgspec.structs.replace(verified, fault_count=faults.count, faults=tuple(faults.first))
