"""An authorization: its steps so far, and the moves that are still legal.

    held ──capture──→ captured ──refund, as often as something is left──→ refunded
      ├──void───────→ voided
      └──its time───→ expired

Pure. Every step is kept as it was made. Each step has the amounts by which it changes the held sum
and the captured sum, so the sums over all steps of a person are the person's spending. An
authorization always counts in the period in which it was held.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.clock import instant_text
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service_terms import AMOUNT_MAX_FEN, ResortVenue
from checker.errors import Conflict, Resolution
from checker.registry.document_key import DocumentKey


class AuthorizationStatus(StrEnum):
    """Where an authorization stands. `refunded`: the whole captured amount was given back."""

    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class SpendingStepKind(StrEnum):
    """The kinds of steps."""

    HELD = "held"
    INCREMENTED = "incremented"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"
    REFUNDED = "refunded"


MOVES: Final[Mapping[AuthorizationStatus, frozenset[SpendingStepKind]]] = {
    AuthorizationStatus.HELD: frozenset(
        {
            SpendingStepKind.INCREMENTED,
            SpendingStepKind.CAPTURED,
            SpendingStepKind.VOIDED,
            SpendingStepKind.EXPIRED,
        }
    ),
    AuthorizationStatus.CAPTURED: frozenset({SpendingStepKind.REFUNDED}),
    AuthorizationStatus.VOIDED: frozenset(),
    AuthorizationStatus.EXPIRED: frozenset(),
    AuthorizationStatus.REFUNDED: frozenset(),
}
"""The legal moves after the first step: which steps may follow in which status."""

STEPS_MAX: Final = 1_000
"""An authorization with so many steps may only end. A stay that grows every hour for a month has
fewer."""

_RESOLUTIONS: Final = {
    SpendingStepKind.CAPTURED: AuthorizationStatus.CAPTURED,
    SpendingStepKind.VOIDED: AuthorizationStatus.VOIDED,
    SpendingStepKind.EXPIRED: AuthorizationStatus.EXPIRED,
}


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an authorization that its first step sets and no later step changes.

    `document` is the document under which the amount counts (`checker.spending.persons`). `counter`
    is the place on whose counter the amount counts.
    """

    id: str
    account_id: str
    document: DocumentKey
    counter: Jurisdiction
    counted_at: datetime
    jurisdiction: Jurisdiction
    venue: ResortVenue
    reference: str | None
    decision_id: str


class CountedRoom(msgspec.Struct, frozen=True, kw_only=True):
    """The sums by which something was held, kept as a proof that the limit was respected.

    The sums are those of all `documents` on the counter in `[since, until)`, this step included.
    """

    limit_fen: int
    since: datetime
    until: datetime
    documents: tuple[DocumentKey, ...]
    held_fen: int
    captured_fen: int


class SpendingStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step, numbered from 1. `held_delta` and `captured_delta` are its changes of the sums, in
    fen.
    """

    number: int
    kind: SpendingStepKind
    amount_fen: int
    at: datetime
    held_delta: int
    captured_delta: int
    expires_at: datetime | None = None
    counted: CountedRoom | None = None


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization by its steps, at least one. A move returns the authorization with one more
    step.
    """

    opening: Opening
    steps: tuple[SpendingStep, ...]

    @classmethod
    def hold(
        cls, opening: Opening, amount_fen: int, expires_at: datetime, counted: CountedRoom
    ) -> "Authorization":
        """Return a new authorization that holds an amount."""
        step = SpendingStep(
            number=1,
            kind=SpendingStepKind.HELD,
            amount_fen=amount_fen,
            at=opening.counted_at,
            held_delta=amount_fen,
            captured_delta=0,
            expires_at=expires_at,
            counted=counted,
        )
        return cls(opening=opening, steps=(step,))

    @property
    def amount_fen(self) -> int:
        """The authorized amount, increments included. Later steps do not change it."""
        return self._sum(SpendingStepKind.HELD) + self._sum(SpendingStepKind.INCREMENTED)

    @property
    def held_fen(self) -> int:
        """The amount that the steps hold, also after the hold's time is over."""
        return sum(step.held_delta for step in self.steps)

    @property
    def captured_fen(self) -> int:
        """The captured amount, before refunds."""
        return self._sum(SpendingStepKind.CAPTURED)

    @property
    def refunded_fen(self) -> int:
        """The amount that was given back."""
        return self._sum(SpendingStepKind.REFUNDED)

    @property
    def expires_at(self) -> datetime:
        """The instant at which the hold ends by itself, if no step ends it before."""
        return max(step.expires_at for step in self.steps if step.expires_at is not None)

    def status(self, now: datetime) -> AuthorizationStatus:
        """Return the status at an aware instant. A hold whose time is over has expired."""
        resolution = self._resolution()
        if resolution is None:
            return (
                AuthorizationStatus.EXPIRED if self.expires_at <= now else AuthorizationStatus.HELD
            )
        if resolution.kind is SpendingStepKind.CAPTURED and self.refunded_fen == self.captured_fen:
            return AuthorizationStatus.REFUNDED
        return _RESOLUTIONS[resolution.kind]

    @property
    def is_open(self) -> bool:
        """Whether no step has ended the hold; its time may be over."""
        return self._resolution() is None

    def has_lapsed(self, now: datetime) -> bool:
        """Whether the hold's time is over and no step has ended the hold yet."""
        return self._resolution() is None and self.expires_at <= now

    def increment(
        self, amount_fen: int, now: datetime, expires_at: datetime, counted: CountedRoom
    ) -> "Authorization":
        """Return the authorization with more held. The hold never ends earlier than before. Raises
        Conflict.
        """
        self.refuse_unless(SpendingStepKind.INCREMENTED, now)
        if self.held_fen + amount_fen > AMOUNT_MAX_FEN:
            raise Conflict("an authorization holds no such sum")
        if len(self.steps) >= STEPS_MAX:
            raise Conflict(f"it has {STEPS_MAX} steps: capture it or void it")
        return self._moved(
            SpendingStepKind.INCREMENTED,
            amount_fen,
            now,
            held=amount_fen,
            expires_at=expires_at,
            counted=counted,
        )

    def capture(self, amount_fen: int, now: datetime) -> "Authorization":
        """Return the authorization as used, which is possible once; the rest is released. Raises
        Conflict.
        """
        self.refuse_unless(SpendingStepKind.CAPTURED, now)
        held = self.held_fen
        if amount_fen > held:
            raise Conflict(f"{amount_fen} fen is more than the {held} fen that are held")
        return self._moved(
            SpendingStepKind.CAPTURED, amount_fen, now, held=-held, captured=amount_fen
        )

    def void(self, now: datetime) -> "Authorization":
        """Return the authorization with its hold dropped. Raises Conflict."""
        self.refuse_unless(SpendingStepKind.VOIDED, now)
        return self._moved(SpendingStepKind.VOIDED, self.held_fen, now, held=-self.held_fen)

    def expire(self, now: datetime) -> "Authorization":
        """Return the authorization with a step that ends the hold. No other clock can open it
        again.
        """
        assert self.has_lapsed(now), "only a hold whose time is over expires"
        return self._moved(SpendingStepKind.EXPIRED, self.held_fen, now, held=-self.held_fen)

    def refund(self, amount_fen: int, now: datetime) -> "Authorization":
        """Return the authorization with some of the captured amount refunded. Raises Conflict."""
        self.refuse_unless(SpendingStepKind.REFUNDED, now)
        left = self.captured_fen - self.refunded_fen
        if amount_fen > left:
            raise Conflict(f"{amount_fen} fen is more than the {left} fen that can be given back")
        if amount_fen < left and len(self.steps) >= STEPS_MAX:
            raise Conflict(f"it has {STEPS_MAX} steps: give back all that is left, {left} fen")
        return self._moved(SpendingStepKind.REFUNDED, amount_fen, now, captured=-amount_fen)

    def refuse_unless(self, kind: SpendingStepKind, now: datetime) -> None:
        """Raise Conflict unless a step of this kind may follow now. The error names the earlier
        step.
        """
        status = self.status(now)
        if kind in MOVES[status]:
            return
        if status is AuthorizationStatus.HELD:
            raise Conflict("nothing was captured yet, so nothing can be given back")
        raise Conflict(
            f"the authorization is {status} already", resolution=self._resolution_of(status)
        )

    def _resolution_of(self, status: AuthorizationStatus) -> Resolution:
        resolution = self._resolution()
        amount_fen = self.held_fen if resolution is None else resolution.amount_fen
        at = self.expires_at
        # A hold expires when its time is over, however late the step is written.
        if resolution is not None and resolution.kind is not SpendingStepKind.EXPIRED:
            at = resolution.at
        return Resolution(status=status, amount_fen=amount_fen, at=instant_text(at))

    def _resolution(self) -> SpendingStep | None:
        return next((step for step in self.steps if step.kind in _RESOLUTIONS), None)

    def _sum(self, kind: SpendingStepKind) -> int:
        return sum(step.amount_fen for step in self.steps if step.kind is kind)

    def _moved(
        self,
        kind: SpendingStepKind,
        amount_fen: int,
        now: datetime,
        *,
        held: int = 0,
        captured: int = 0,
        expires_at: datetime | None = None,
        counted: CountedRoom | None = None,
    ) -> "Authorization":
        step = SpendingStep(
            number=len(self.steps) + 1,
            kind=kind,
            amount_fen=amount_fen,
            # Clocks of two processes differ a little; the steps of one authorization never go back.
            at=max(now, self.steps[-1].at),
            held_delta=held,
            captured_delta=captured,
            expires_at=expires_at,
            counted=counted,
        )
        return Authorization(opening=self.opening, steps=(*self.steps, step))
