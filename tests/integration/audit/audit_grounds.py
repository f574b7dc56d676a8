"""Kept decisions on a real PostgreSQL, made up as the checks make them."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import text

from checker.audit.audit import assemble_audit
from checker.audit.decisions import KeptDecision, KeptReason, keep, new_id
from checker.audit.outcomes import Report, ReportedOutcome
from checker.audit.policies import record_policies
from checker.domain.decision import Outcome, ReasonCode, Remedy, ShownListing
from checker.domain.jurisdiction import NATION
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.policy.loader import builtin_policies, load_policies
from checker.vault import Vault
from tests.support.fake_clock import FakeClock
from tests.support.token_keys import open_registry

AT = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)
COURT = "雷州市人民法院"
POLICIES = load_policies(builtin_policies(), {})
KEEP_MONTHS = 12


def reason(
    listing="listing-1",
    *,
    code=ReasonCode.RESTRICTED,
    measure="cn-2016-64/2.7.1",
    role=Role.DEBTOR,
    is_public=True,
):
    return KeptReason(
        code=code,
        measure=measure,
        role=role,
        listing=ShownListing(
            id=listing, case_number="（2016）粤0882执123号", court=COURT, published_on=None
        ),
        remedy=Remedy(court=COURT),
        is_public=is_public,
    )


def decision(*reasons, at=AT, account_id="hotel", outcome=Outcome.DENY, **changes):
    kept = KeptDecision(
        id=new_id(),
        at=at,
        account_id=account_id,
        service=ServiceType.AIR,
        jurisdiction=NATION,
        outcome=outcome,
        reasons=reasons or (reason(),),
        permit_id=None,
        list_version=1,
        listings=tuple(sorted({each.listing.id for each in reasons or (reason(),)})),
        policy=POLICIES.effective(NATION).digest,
    )
    return msgspec.structs.replace(kept, **changes)


class Ground:
    """A database with two institutions and a list, and the audit over it."""

    def __init__(self, engine):
        self.engine = engine
        self.clock = FakeClock(AT)
        self.vault = Vault(bytes(range(32)))
        self.audit = assemble_audit(
            engine, engine, vault=self.vault, clock=self.clock, keep_months=KEEP_MONTHS
        )

    async def decided(self, *decisions):
        async with self.engine.begin() as connection:
            await keep(connection, decisions)
        return decisions

    async def reported(self, kept, outcome=ReportedOutcome.REFUSED, note=None):
        report = Report(outcome=outcome, note=note, at=self.clock.now())
        return await self.audit.outcomes.report(kept.account_id, kept.id, report)

    async def query(self, statement, **parameters):
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement), parameters)).all()

    async def tamper(self, statement, **parameters):
        """Change rows as somebody may who may do everything: without triggers."""
        async with self.engine.begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = 'replica'"))
            await connection.execute(text(statement), parameters)


@asynccontextmanager
async def audit_ground(database_url):
    async with open_registry(database_url, timeout_s=None) as engine:
        async with engine.begin() as connection:
            for account in ("hotel", "airline"):
                await connection.execute(
                    text("INSERT INTO account (id, name, role) VALUES (:id, :id, 'institution')"),
                    {"id": account},
                )
            await connection.execute(
                text(
                    "INSERT INTO change"
                    " (version, change_id, history, kind, at, accepted, rejected)"
                    " VALUES (1, gen_random_uuid(), gen_random_uuid(), 'snapshot', :at, 1, 0)"
                ),
                {"at": AT - timedelta(days=1)},
            )
        await record_policies(engine, POLICIES.all_effective, AT)
        yield Ground(engine)
