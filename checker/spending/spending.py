"""Spending under a cap, for merchants: every order under its key, and what became of it."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from checker.domain.clock import Clock
from checker.domain.document import Document
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import Resort
from checker.errors import NotFound
from checker.fault_log import FaultLog
from checker.policy.book import PolicyBook
from checker.registry.sealing import Sealer
from checker.registry.standings import StandingQuestion
from checker.spending.answers import AuthorizationView, Uncapped, view_of
from checker.spending.book import UNKNOWN
from checker.spending.orders import (
    HOLD_SECONDS,
    Authorize,
    Capture,
    Command,
    Increment,
    Order,
    Refund,
    Void,
)
from checker.spending.store import SpendingStore
from checker.spending.writer import SpendingWriter

ANSWERS_KEPT: Final = timedelta(hours=48)
"""Twice as long as the contract promises."""

KEY_PLACE: Final = "spending"
"""All orders of spending are one place for idempotency keys: a key of a hold is no capture's."""

FORGET_INTERVAL_S: Final = 600.0

_log = logging.getLogger(__name__)


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant wants to sell, and to whom; the document is normalised."""

    document: Document
    name: str | None
    service: Resort
    jurisdiction: Jurisdiction
    reference: str | None = None
    hold_seconds: int = HOLD_SECONDS


class Spending:
    """Holds, captures, voids and refunds of one deployment.

    Each order has an idempotency key of its account: said again, the first answer is given again.
    Raises besides what each method says: `IdempotencyKeyReused`, and `Unavailable`, after which it
    is not known whether the order was carried out until it is said again.
    """

    def __init__(
        self, store: SpendingStore, *, sealer: Sealer, policies: PolicyBook, clock: Clock
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._writer = SpendingWriter(store, policies)

    async def authorize(
        self, account_id: str, key: str, sale: Sale
    ) -> AuthorizationView | Uncapped:
        """Hold the amount of a sale, if a cap binds the subject.

        Raises:
            CapExceeded: there is no room for it.
            Conflict: it is forbidden at any price, or no cap is set there.
        """
        name = sale.name
        question = StandingQuestion(
            document=sale.document,
            tokens=self._sealer.tokens_of(sale.document, name),
            name_token=None if name is None else self._sealer.name_token(name),
            claim=self._claim(account_id, key, sale),
        )
        command = Authorize(
            question=question,
            service=sale.service,
            jurisdiction=sale.jurisdiction,
            reference=sale.reference,
            hold_seconds=sale.hold_seconds,
        )
        return await self._order(account_id, key, command, ["authorize", sale])

    async def increment(
        self,
        account_id: str,
        key: str,
        authorization_id: str,
        amount_fen: int,
        hold_seconds: int | None = None,
    ) -> AuthorizationView | Uncapped:
        """Hold so much more. Raises as `authorize`, Conflict if nothing is held, and NotFound."""
        command = Increment(
            id=_canonical(authorization_id),
            amount_fen=amount_fen,
            claim=self._sealer.request_digest(["increment", account_id, key]),
            hold_seconds=hold_seconds,
        )
        said = ["increment", command.id, amount_fen, hold_seconds]
        return await self._order(account_id, key, command, said)

    async def capture(
        self, account_id: str, key: str, authorization_id: str, amount_fen: int
    ) -> AuthorizationView | Uncapped:
        """Use a hold, once, and release the rest. Raises Conflict and NotFound."""
        command = Capture(id=_canonical(authorization_id), amount_fen=amount_fen)
        return await self._order(account_id, key, command, ["capture", command.id, amount_fen])

    async def void(
        self, account_id: str, key: str, authorization_id: str
    ) -> AuthorizationView | Uncapped:
        """Drop a hold. Raises Conflict and NotFound."""
        command = Void(id=_canonical(authorization_id))
        return await self._order(account_id, key, command, ["void", command.id])

    async def refund(
        self, account_id: str, key: str, authorization_id: str, amount_fen: int
    ) -> AuthorizationView | Uncapped:
        """Give back of what was captured. Raises Conflict and NotFound."""
        command = Refund(id=_canonical(authorization_id), amount_fen=amount_fen)
        return await self._order(account_id, key, command, ["refund", command.id, amount_fen])

    async def find(self, account_id: str, authorization_id: str) -> AuthorizationView:
        """Tell how an authorization stands now. Raises NotFound: none of this account."""
        found = await self._store.find(_canonical(authorization_id))
        if found is None or found.opening.account_id != account_id:
            raise NotFound(UNKNOWN)
        return view_of(found, self._clock.now())

    async def run(self) -> None:
        """Forget old answers until cancelled."""
        faults = FaultLog(_log, "forgetting old answers")
        while True:
            try:
                await self._store.forget_answers(self._clock.now() - ANSWERS_KEPT)
            except Exception as error:
                faults.met(error)
            else:
                faults.passed()
            await asyncio.sleep(FORGET_INTERVAL_S)

    async def aclose(self) -> None:
        """Stop; orders that are not carried out yet never are."""
        await self._writer.aclose()

    async def _order(
        self, account_id: str, key: str, command: Command, said: Sequence[object]
    ) -> AuthorizationView | Uncapped:
        digest = self._sealer.request_digest(said)
        key_digest = self._sealer.key_digest(KEY_PLACE, account_id, key)
        order = Order(account_id=account_id, key=key_digest, digest=digest, command=command)
        return await self._writer.write(order)

    def _claim(self, account_id: str, key: str, sale: Sale) -> bytes:
        """Tell the sale from others: by its reference, as a check does, or by the key."""
        if sale.reference is None:
            return self._sealer.request_digest(["authorize", account_id, key])
        return self._sealer.sale_token(account_id, sale.reference, sale.service)


def _canonical(authorization_id: str) -> str:
    """Give an id as the record writes it. Raises NotFound: it is no UUID."""
    try:
        return str(UUID(authorization_id))
    except ValueError:
        raise NotFound(UNKNOWN) from None
