"""A small town whose people spend: the same over the record in PostgreSQL and over its twin."""

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec import UNSET

from cache.token import Tokenizer
from checker.domain.clock import CapPeriod
from checker.domain.document import Document, DocumentType
from checker.domain.jurisdiction import NATION, parse_jurisdiction
from checker.domain.service import Resort
from checker.domain.service_terms import ResortVenue
from checker.domain.settings import Settings
from checker.policy.loader import builtin_policies, load_policies
from checker.registry.prepared_check import PreparedCheck, PreparedSubject
from checker.registry.sealing import Sealer
from checker.spending.errors import CapExceeded
from checker.spending.spending import Authorizations
from checker.vault import Vault
from loadtest.document_numbers import NumberSpace

AT = datetime(2026, 11, 23, 4, tzinfo=UTC)
CAP = 1_000
TOWN = parse_jurisdiction("4408")
"""A place with a cap of its own, by the day, on a counter of its own."""
TOWN_CAP = 300
VILLAGE = parse_jurisdiction("440882")
"""A place with a cap of its own that is counted with the whole country's."""
VILLAGE_CAP = 400
SETTINGS = {
    NATION: Settings(resort_cap_fen=CAP, resort_cap_period=CapPeriod.MONTH),
    TOWN: Settings(
        resort_cap_fen=TOWN_CAP, resort_cap_period=CapPeriod.DAY, resort_cap_counter=TOWN
    ),
    VILLAGE: Settings(
        resort_cap_fen=VILLAGE_CAP, resort_cap_period=CapPeriod.MONTH, resort_cap_counter=NATION
    ),
}
DEBTOR, INNOCENT = 1, 2
FOREIGN = 1_000
"""From here on the passports of people do not show their issuer."""
MERCHANT, OTHER_MERCHANT = "merchant", "other merchant"
NAME = "示例人"
COURT = "雷州市人民法院"

NUMBERS = NumberSpace(18)


class Merchants:
    """Two merchants at one counter, who order under keys of their own unless they say which."""

    def __init__(self, store, sealer, clock, *, keys, settings=SETTINGS):
        policies = load_policies(builtin_policies(), settings)
        self.spending = Authorizations(store, sealer=sealer, policies=policies, clock=clock)
        self._keys = keys
        self._sealer = sealer

    async def authorize(
        self,
        person,
        amount_fen,
        *,
        by=MERCHANT,
        key=None,
        kind="resident_id",
        issuer=None,
        name=None,
        **more,
    ):
        asked = {"jurisdiction": NATION, "venue": ResortVenue.RATED_RESORT} | more
        hold = {"hold_seconds": asked.pop("hold_seconds")} if "hold_seconds" in asked else {}
        service = Resort(venue=asked.pop("venue"), amount_fen=amount_fen)
        also = [subject_of(self._sealer, document(each)) for each in asked.pop("also", ())]
        asked_for = document(person, kind, issuer)
        check = check_of(self._sealer, asked_for, service, name=name, **asked)
        check = msgspec.structs.replace(
            check, subject=msgspec.structs.replace(check.subject, also=tuple(also))
        )
        return await self.spending.authorize(by, key or self._key(), check, **hold)

    async def increment(self, held, amount_fen, *, by=MERCHANT, key=None, **more):
        key = key or self._key()
        return await self.spending.increment(by, key, held.id, amount_fen, **more)

    async def capture(self, held, amount_fen, *, by=MERCHANT, key=None):
        return await self.spending.capture(by, key or self._key(), held.id, amount_fen)

    async def void(self, held, *, by=MERCHANT, key=None):
        return await self.spending.void(by, key or self._key(), held.id)

    async def refund(self, held, amount_fen, *, by=MERCHANT, key=None):
        return await self.spending.refund(by, key or self._key(), held.id, amount_fen)

    async def find(self, held, *, by=MERCHANT):
        return await self.spending.find(by, held.id)

    def _key(self):
        return f"key {next(self._keys)}"


def sealer():
    return Sealer(Tokenizer(bytes(range(32))), Vault(bytes(range(32, 64))))


def check_of(sealer, document, service, *, name=None, **more):
    return PreparedCheck(subject=subject_of(sealer, document, name), service=service, **more)


def subject_of(sealer, document, name=None):
    token = sealer.document_token(document)
    return PreparedSubject(token=token, document=document, name=name)


def document(person, kind="resident_id", issuer=None):
    number = number_of(person, kind)
    return Document(type=DocumentType(kind), number=number, issuer=issuer or UNSET)


def person_of(person):
    """A person by the resident ID, or (person, kind) or (person, kind, issuer)."""
    return person if isinstance(person, tuple) else (person, "resident_id")


def number_of(person, kind):
    match kind:
        case "passport" if person < FOREIGN:
            return f"P{10_000_000 + person}"
        case "passport":
            return f"X{1_000_000 + person}"
        case "uscc":
            return NUMBERS.uscc(person)
        case _:
            return NUMBERS.resident_id(person, "0704")


def document_line(person, kind="resident_id", issuer=None):
    shown = {} if issuer is None else {"issuer": issuer}
    return {"type": kind, "number": number_of(person, kind)} | shown


async def room(merchants, *, person=DEBTOR, **where):
    """Return a person's spending, as a refusal states it."""
    with pytest.raises(CapExceeded) as refusal:
        await merchants.authorize(person, 10**12, **where)
    return refusal.value.spending


async def left(merchants, **where):
    return (await room(merchants, **where)).remaining_fen
