"""A small deployment in which everything has happened, and what a hand in its database may do."""

from datetime import timedelta

import msgspec
from sqlalchemy import text

from cache.token import Tokenizer
from checker.accounts.accounts import AccountChanges
from checker.accounts.keys import AccountRole
from checker.accounts.scope import AccountScope, Scope
from checker.audit.chain import extend_decisions
from checker.audit.journaled import DecisionHeads
from checker.corrections.correction import Ruling
from checker.corrections.intake import Filing
from checker.domain.clock import CapPeriod
from checker.domain.fishing import FishingGround, Suspicion
from checker.domain.jurisdiction import NATION
from checker.domain.service import Resort
from checker.domain.service_terms import ResortVenue
from checker.domain.settings import Settings
from checker.journal.chain import extend_journal
from checker.node.record import NotedHeads, verify_record
from checker.operators.action import AT_THE_SERVER
from checker.policy.loader import builtin_policies, load_policies
from checker.receipts.keys import rotate
from checker.receipts.keys import withdraw as withdraw_receipt_key
from checker.registry.sealing import Sealer
from checker.spending.postgres_store import PostgresSpendingStore
from checker.spending.spending import Authorizations
from checker.vault import Vault
from tests.support.fake_clock import FakeClock
from tests.support.operation_lines import (
    bind,
    delist,
    officers,
    passport,
    permit,
    retain,
    shield,
    withdraw,
)
from tests.support.registry_grounds import (
    AT,
    accepted,
    check_of,
    company_listing,
    decide,
    document,
    name_of,
    outcomes,
    person_listing,
    publish,
    resident_id,
    with_token,
)

SEALER = Sealer(Tokenizer(bytes(range(32))), Vault(bytes(range(32, 64))))
"""That of `registry_grounds.ENVIRON`."""

CAP = {NATION: Settings(resort_cap_fen=10_000, resort_cap_period=CapPeriod.MONTH)}
SPENDERS = (1, 2)


async def fill(node, clock):
    """Use everything that writes a row, and chain it."""
    hotel = await _manage(node, clock)
    await _list(node)
    await _spend(node, clock, hotel.id)
    await _correct(node, hotel.id)
    await chain(node.work_engine, clock)


async def chain(engine, clock=None):
    """Make the links that the keeper of a deployment makes."""
    await extend_decisions(engine)
    await DecisionHeads(engine, SEALER.vault).enter((clock or FakeClock()).now())
    await extend_journal(engine, SEALER.vault)


async def spend(engine, clock, account_id, person, amount_fen, key):
    store = PostgresSpendingStore(engine, SEALER, clock)
    policies = load_policies(builtin_policies(), CAP)
    spending = Authorizations(store, sealer=SEALER, policies=policies, clock=clock)
    service = Resort(venue=ResortVenue.RATED_RESORT, amount_fen=amount_fen)
    check = check_of(resident_id(person), name_of(person), service=service, reference="STAY")
    try:
        held = await spending.authorize(account_id, key, with_token(SEALER, check))
        return await spending.capture(account_id, key + " captured", held.id, amount_fen)
    finally:
        await spending.aclose()


class Record:
    """The database of a deployment, as those see it who may do everything in PostgreSQL."""

    def __init__(self, engine):
        self.engine = engine
        self.clock = FakeClock(AT + timedelta(days=1))

    async def tamper(self, *statements):
        """Change rows without any trigger, also without those that refuse it."""
        async with self.engine.begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = 'replica'"))
            for statement in statements:
                await connection.execute(text(statement))

    async def verified(self, noted=None):
        return await verify_record(self.engine, SEALER, noted or NotedHeads())

    async def faults(self, noted=None):
        told = await self.verified(noted)
        return [*told.decisions.faults, *told.journal.faults, *told.spending.faults]

    async def query(self, statement):
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement))).all()


async def _manage(node, clock):
    hotel = await node.accounts.create(
        name="hotel",
        role=AccountRole.INSTITUTION,
        scope=AccountScope(items_per_minute=9),
        by=AT_THE_SERVER,
    )
    await node.accounts.create(
        name="court", role=AccountRole.COURT, scope=AccountScope(), by=AT_THE_SERVER
    )
    await node.accounts.change(
        hotel.id, AccountChanges(scope={"items_per_day": 99}), by=AT_THE_SERVER
    )
    made = [
        await node.account_keys.create(hotel.id, Scope(), None, by=AT_THE_SERVER) for _ in range(3)
    ]
    await node.account_keys.revoke(hotel.id, made[0].state.id, by=AT_THE_SERVER)
    await node.account_keys.rotate(
        hotel.id, made[1].state.id, overlap=timedelta(hours=1), by=AT_THE_SERVER
    )
    suspicion = Suspicion(ground=FishingGround.ADVERSE_SHARE, items=9, marked=8, kind_share=0.1)
    await node.flags.flag(hotel.id, suspicion, counted_from=clock.now(), slowed=timedelta(hours=1))
    await node.flags.clear(hotel.id, by=AT_THE_SERVER)
    for _ in range(2):
        made = await rotate(
            node.engine, SEALER.vault, now=clock.now(), lead=timedelta(minutes=1), by=AT_THE_SERVER
        )
        clock.move(minutes=2)
    await withdraw_receipt_key(
        node.engine, SEALER.vault, kid=made.kid, now=clock.now(), by=AT_THE_SERVER
    )
    return hotel


async def _list(node):
    people = [person_listing(index) for index in (1, 2, 6, 7, 8)]
    company = company_listing(3, ("legal_representative", 4), ("principal", 5))
    await publish(node, [*people, company, person_listing(9)])
    await publish(node, [*people, company, person_listing(10)])
    await accepted(node, shield(6), delist(7, on="2026-11-20"))
    await accepted(node, retain(8, "cn-2016-64/2.7.1", until="2027-01-01"))
    await accepted(node, bind(document(resident_id(1)), passport(1)))
    await accepted(node, bind(document(resident_id(2)), passport(2)))
    await accepted(node, bind(passport(1), passport(2)))
    await accepted(node, permit(uses=2), permit("permit-2", 2), withdraw("permit-2"))
    officer = {
        "role": "legal_representative",
        "name": name_of(4),
        "documents": [document(resident_id(4))],
    }
    other = officer | {"name": name_of(11), "documents": [document(resident_id(11))]}
    await accepted(node, officers(3, [officer, other]))
    assert await outcomes(node, [check_of(resident_id(1), reference="ORDER-1")]) == ["allow"]


async def _spend(node, clock, account_id):
    for place, person in enumerate((*SPENDERS, *SPENDERS)):
        await spend(node.engine, clock, account_id, person, 100, f"key {place}")
        clock.move(minutes=1)


async def _correct(node, account_id):
    for index, ruling in ((1, Ruling.REJECTED), (8, Ruling.UPHELD)):
        filing = Filing(
            listing_id=f"listing-{index}",
            decision_id=None,
            ground="此案已结清",
            contact="示例人甲",
            account_id=None,
        )
        filed = await node.corrections.file(filing)
        await node.corrections.rule(filed.id, ruling, ruled_by=account_id, note="示例")
    await decide(node, check_of(resident_id(2), name_of(2)))
    assert msgspec.json.encode((await node.corrections.find(filed.id)).ruling) == b'"upheld"'
