"""Nodes of one deployment that sign receipts, on a PostgreSQL and a clock that a test moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
from sqlalchemy import text

from checker.database.engine import open_engine
from checker.domain.decision import ALLOWED
from checker.domain.document import Document, DocumentType
from checker.domain.service import ServiceType
from checker.operators.action import AT_THE_SERVER
from checker.receipts.keys import ReceiptKey, rotate, withdraw
from checker.receipts.receipt import Statement
from checker.receipts.receipt_keys import ReceiptKeys
from checker.receipts.receipts import Receipts
from checker.vault import Vault
from tests.support.fake_clock import FakeClock

AT = datetime(2026, 11, 23, tzinfo=UTC)
VAULT = Vault(bytes(range(32)))
LEAD = timedelta(minutes=10)
PUBLISHED_FOR = timedelta(days=366)
STATEMENT = Statement(
    decision_id="1",
    account_id="account",
    decision=ALLOWED,
    list_version=1,
    service=ServiceType.AIR,
    document=Document(type=DocumentType.PASSPORT, number="P1234567"),
)


class Node:
    """A node's keys and what it signs by them, on a clock that a test moves."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.clock = FakeClock(AT)
        self.keys = ReceiptKeys(engine, VAULT, now=self.clock.now, published_for=PUBLISHED_FOR)
        self.receipts = Receipts(self.keys.signing, issuer="checker", clock=self.clock)

    async def withdraw(self, kid: str) -> ReceiptKey | None:
        return await withdraw(self.engine, VAULT, kid=kid, now=self.clock.instant, by=AT_THE_SERVER)

    async def rotate(self) -> ReceiptKey:
        return await rotate(self.engine, VAULT, now=self.clock.instant, lead=LEAD, by=AT_THE_SERVER)

    def published(self) -> list[str]:
        return [key.kid for key in self.keys.published().keys]

    def sign(self) -> str:
        return self.receipts.issue(STATEMENT).jws

    def verifies(self, jws: str) -> bool:
        """Whether whoever fetches this node's keys can verify it."""
        keys = jwt.PyJWKSet.from_json(msgspec.json.encode(self.keys.published()).decode())
        kid = jwt.get_unverified_header(jws)["kid"]
        if kid not in {key.key_id for key in keys.keys}:
            return False
        options = {"verify_iat": False}
        jwt.decode(jws, keys[kid], algorithms=["EdDSA"], audience="account", options=options)
        return True


def kid_of(jws: str) -> str:
    kid: str = jwt.get_unverified_header(jws)["kid"]
    return kid


@asynccontextmanager
async def open_node(url: str) -> AsyncIterator[Node]:
    async with open_engine(url) as engine:
        yield Node(engine)


async def stored(node: Node) -> list[Any]:
    async with node.engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM receipt_key ORDER BY number"))
        return list(rows)
