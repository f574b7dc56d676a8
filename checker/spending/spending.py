"""Spending under a cap, as merchants use it: every order has a key, and its answer stays."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from checker.domain.clock import Clock
from checker.domain.document import Document
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import Service
from checker.errors import NotFound
from checker.policy.book import PolicyBook
from checker.registry.prepared_check import PreparedCheck
from checker.registry.sealing import Sealer
from checker.spending.answers import AuthorizationView, Uncapped, view_of
from checker.spending.book import UNKNOWN
from checker.spending.orders import (
    HOLD_SECONDS,
    AuthorizeCommand,
    CaptureCommand,
    IncrementCommand,
    RefundCommand,
    SpendingCommand,
    SpendingOrder,
    VoidCommand,
)
from checker.spending.store import SpendingStore
from checker.spending.writer import SpendingWriter
from checker.work import Work

ANSWERS_KEPT: Final = timedelta(hours=48)
"""Twice as long as the contract promises."""

KEY_PLACE: Final = "spending"
"""All orders share one space of idempotency keys: the key of a hold cannot be used for a
capture.
"""

FORGET_INTERVAL_S: Final = 600.0


class _SaidSale(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization in the form that its digest is made of.

    The database keeps digests over upgrades, so names and order of these fields never change. A
    later field is left out where the order does not have it.
    """

    document: Document | None
    name: str | None
    service: Service
    jurisdiction: Jurisdiction
    reference: str | None
    hold_seconds: int
    also: tuple[Document, ...] | UnsetType = UNSET


def said_of(check: PreparedCheck, hold_seconds: int) -> Sequence[object]:
    """Return an authorization in the form that its digest is made of."""
    also = tuple([each.document for each in check.subject.also if each.document is not None])
    sale = _SaidSale(
        document=check.subject.document,
        name=check.subject.name,
        service=check.service,
        jurisdiction=check.jurisdiction,
        reference=check.reference,
        hold_seconds=hold_seconds,
        also=also or UNSET,
    )
    return ["authorize", sale]


class Authorizations:
    """Holds, captures, voids and refunds of one deployment.

    Each order has an idempotency key of its account. The same order again gets the first answer.

    Every method may also raise `IdempotencyKeyReused`, and `Unavailable`: the caller then does not
    know whether the order was carried out, and sends it again with the same key.
    """

    def __init__(
        self, store: SpendingStore, *, sealer: Sealer, policies: PolicyBook, clock: Clock
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._writer = SpendingWriter(store, policies, sealer.vault)

    async def authorize(
        self, account_id: str, key: str, check: PreparedCheck, hold_seconds: int = HOLD_SECONDS
    ) -> AuthorizationView | Uncapped:
        """Hold the amount of a check of a resort, if a cap binds the subject.

        Raises:
            CapExceeded: there is no room for the amount.
            Conflict: the sale is forbidden at any price, or no cap is set there.
        """
        claim = self._claim(account_id, key, check)
        command = AuthorizeCommand(check=check, claim=claim, hold_seconds=hold_seconds)
        return await self._order(account_id, key, command, said_of(check, hold_seconds))

    async def increment(
        self,
        account_id: str,
        key: str,
        authorization_id: str,
        amount_fen: int,
        hold_seconds: int | None = None,
    ) -> AuthorizationView | Uncapped:
        """Hold more. Raises as `authorize`, Conflict if nothing is held, and NotFound."""
        command = IncrementCommand(
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
        """Use a hold, which is possible once, and release the rest. Raises Conflict and
        NotFound.
        """
        command = CaptureCommand(id=_canonical(authorization_id), amount_fen=amount_fen)
        return await self._order(account_id, key, command, ["capture", command.id, amount_fen])

    async def void(
        self, account_id: str, key: str, authorization_id: str
    ) -> AuthorizationView | Uncapped:
        """Drop a hold. Raises Conflict and NotFound."""
        command = VoidCommand(id=_canonical(authorization_id))
        return await self._order(account_id, key, command, ["void", command.id])

    async def refund(
        self, account_id: str, key: str, authorization_id: str, amount_fen: int
    ) -> AuthorizationView | Uncapped:
        """Give back a part of the captured amount, or all. Raises Conflict and NotFound."""
        command = RefundCommand(id=_canonical(authorization_id), amount_fen=amount_fen)
        return await self._order(account_id, key, command, ["refund", command.id, amount_fen])

    async def find(self, account_id: str, authorization_id: str) -> AuthorizationView:
        """Return an authorization as it stands now. Raises NotFound: the account has none of this
        id.
        """
        found = await self._store.find(_canonical(authorization_id))
        if found is None or found.opening.account_id != account_id:
            raise NotFound(UNKNOWN)
        return view_of(found, self._clock.now())

    @property
    def work(self) -> Work:
        """Forget the answers to old orders, again and again."""

        async def forget() -> None:
            await self._store.forget_answers(self._clock.now() - ANSWERS_KEPT)

        return Work(name="forgetting old answers", every_s=FORGET_INTERVAL_S, do=forget)

    async def aclose(self) -> None:
        """Stop; orders that are not carried out yet never are."""
        await self._writer.aclose()

    async def _order(
        self, account_id: str, key: str, command: SpendingCommand, said: Sequence[object]
    ) -> AuthorizationView | Uncapped:
        digest = self._sealer.request_digest(said)
        key_digest = self._sealer.key_digest(KEY_PLACE, account_id, key)
        order = SpendingOrder(account_id=account_id, key=key_digest, digest=digest, command=command)
        return await self._writer.write(order)

    def _claim(self, account_id: str, key: str, check: PreparedCheck) -> bytes:
        """Return the claim of a sale: by its reference, as for a check, or else by the key."""
        if check.reference is None:
            return self._sealer.request_digest(["authorize", account_id, key])
        return self._sealer.sale_token(account_id, check.reference, check.service)


def _canonical(authorization_id: str) -> str:
    """Return an id as the record writes it. Raises NotFound: it is no UUID."""
    try:
        return str(UUID(authorization_id))
    except ValueError:
        raise NotFound(UNKNOWN) from None
