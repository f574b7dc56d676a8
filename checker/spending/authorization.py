"""An authorization: the steps that it was led by, and the moves that are left to it.

    held ──capture──→ captured ──refund, as often as something is left──→ refunded
      ├──void───────→ voided
      └──its time───→ expired

Pure. Every step is kept as it was made and says by how much it changed what is held and what is
captured, so the sums over all steps of a person are what the person has spent. An authorization
counts in the period of the instant at which it was held, whatever becomes of it and when.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from cache.token import Token
from checker.domain.clock import instant_text
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service_terms import AMOUNT_MAX_FEN, ResortVenue
from checker.errors import Conflict, Resolution


class AuthorizationStatus(StrEnum):
    """Where an authorization stands. `refunded`: nothing is left of what was captured."""

    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class StepKind(StrEnum):
    """What a step does."""

    HELD = "held"
    INCREMENTED = "incremented"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"
    REFUNDED = "refunded"


MOVES: Final[Mapping[AuthorizationStatus, frozenset[StepKind]]] = {
    AuthorizationStatus.HELD: frozenset(
        {StepKind.INCREMENTED, StepKind.CAPTURED, StepKind.VOIDED, StepKind.EXPIRED}
    ),
    AuthorizationStatus.CAPTURED: frozenset({StepKind.REFUNDED}),
    AuthorizationStatus.VOIDED: frozenset(),
    AuthorizationStatus.EXPIRED: frozenset(),
    AuthorizationStatus.REFUNDED: frozenset(),
}
"""The legal moves, besides the first one: which steps may follow where."""

STEPS_MAX: Final = 1_000
"""So many, and it may only end: a stay that grows every hour for a month has fewer."""

_RESOLUTIONS: Final = {
    StepKind.CAPTURED: AuthorizationStatus.CAPTURED,
    StepKind.VOIDED: AuthorizationStatus.VOIDED,
    StepKind.EXPIRED: AuthorizationStatus.EXPIRED,
}


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What an authorization is from its first step on.

    `token` is that of the document it was asked with, `counter` the place whose counter it is on.
    """

    id: str
    account_id: str
    token: Token
    counter: Jurisdiction
    counted_at: datetime
    jurisdiction: Jurisdiction
    venue: ResortVenue
    reference: str | None
    decision_id: str


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What room was reckoned from when something was held: kept so that it can be proved.

    The sums are those of all `tokens` on the counter in `[since, until)`, this step included.
    """

    limit_fen: int
    since: datetime
    until: datetime
    tokens: tuple[Token, ...]
    held_fen: int
    captured_fen: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step, numbered from 1; `held_delta` and `captured_delta` are what it changes, in fen."""

    number: int
    kind: StepKind
    amount_fen: int
    at: datetime
    held_delta: int
    captured_delta: int
    expires_at: datetime | None = None
    counted: Counted | None = None


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization by its steps, at least one. Methods that move it give it with one more."""

    opening: Opening
    steps: tuple[Step, ...]

    @classmethod
    def hold(
        cls, opening: Opening, amount_fen: int, expires_at: datetime, counted: Counted
    ) -> "Authorization":
        """Begin one."""
        step = Step(
            number=1,
            kind=StepKind.HELD,
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
        """What was authorized, increments included, whatever became of it."""
        return self._sum(StepKind.HELD) + self._sum(StepKind.INCREMENTED)

    @property
    def held_fen(self) -> int:
        """What is held by the record, also past its time."""
        return sum(step.held_delta for step in self.steps)

    @property
    def captured_fen(self) -> int:
        """What was captured, refunds not taken off."""
        return self._sum(StepKind.CAPTURED)

    @property
    def refunded_fen(self) -> int:
        """What was given back."""
        return self._sum(StepKind.REFUNDED)

    @property
    def expires_at(self) -> datetime:
        """When the hold ends by itself, if nothing ends it before."""
        return max(step.expires_at for step in self.steps if step.expires_at is not None)

    def status(self, now: datetime) -> AuthorizationStatus:
        """Tell where it stands at an aware instant; a hold whose time is over has expired."""
        resolution = self._resolution()
        if resolution is None:
            return (
                AuthorizationStatus.EXPIRED if self.expires_at <= now else AuthorizationStatus.HELD
            )
        if resolution.kind is StepKind.CAPTURED and self.refunded_fen == self.captured_fen:
            return AuthorizationStatus.REFUNDED
        return _RESOLUTIONS[resolution.kind]

    @property
    def is_open(self) -> bool:
        """Whether no step has ended the hold, be its time over or not."""
        return self._resolution() is None

    def has_lapsed(self, now: datetime) -> bool:
        """Whether its time is over and no step says so yet."""
        return self._resolution() is None and self.expires_at <= now

    def increment(
        self, amount_fen: int, now: datetime, expires_at: datetime, counted: Counted
    ) -> "Authorization":
        """Hold more; the time only ever grows. Raises Conflict."""
        self.refuse_unless(StepKind.INCREMENTED, now)
        if self.held_fen + amount_fen > AMOUNT_MAX_FEN:
            raise Conflict("an authorization holds no such sum")
        if len(self.steps) >= STEPS_MAX:
            raise Conflict(f"it has {STEPS_MAX} steps: capture it or void it")
        return self._moved(
            StepKind.INCREMENTED,
            amount_fen,
            now,
            held=amount_fen,
            expires_at=expires_at,
            counted=counted,
        )

    def capture(self, amount_fen: int, now: datetime) -> "Authorization":
        """Use it, once; what is left of the hold is released. Raises Conflict."""
        self.refuse_unless(StepKind.CAPTURED, now)
        held = self.held_fen
        if amount_fen > held:
            raise Conflict(f"{amount_fen} fen is more than the {held} fen that are held")
        return self._moved(StepKind.CAPTURED, amount_fen, now, held=-held, captured=amount_fen)

    def void(self, now: datetime) -> "Authorization":
        """Drop it. Raises Conflict."""
        self.refuse_unless(StepKind.VOIDED, now)
        return self._moved(StepKind.VOIDED, self.held_fen, now, held=-self.held_fen)

    def expire(self, now: datetime) -> "Authorization":
        """Put down that its time is over: from here on no clock can open it again."""
        assert self.has_lapsed(now), "only a hold whose time is over expires"
        return self._moved(StepKind.EXPIRED, self.held_fen, now, held=-self.held_fen)

    def refund(self, amount_fen: int, now: datetime) -> "Authorization":
        """Give back a part of what was captured, or all of it. Raises Conflict."""
        self.refuse_unless(StepKind.REFUNDED, now)
        left = self.captured_fen - self.refunded_fen
        if amount_fen > left:
            raise Conflict(f"{amount_fen} fen is more than the {left} fen that can be given back")
        if amount_fen < left and len(self.steps) >= STEPS_MAX:
            raise Conflict(f"it has {STEPS_MAX} steps: give back all that is left, {left} fen")
        return self._moved(StepKind.REFUNDED, amount_fen, now, captured=-amount_fen)

    def refuse_unless(self, kind: StepKind, now: datetime) -> None:
        """Raise Conflict, which names what came first, unless a step of this kind may follow."""
        status = self.status(now)
        if kind in MOVES[status]:
            return
        if status is AuthorizationStatus.HELD:
            raise Conflict("nothing was captured yet, so nothing can be given back")
        raise Conflict(f"the authorization is {status} already", resolution=self._told(status))

    def _told(self, status: AuthorizationStatus) -> Resolution:
        resolution = self._resolution()
        amount_fen = self.held_fen if resolution is None else resolution.amount_fen
        at = self.expires_at
        # It expired when its time was over, whenever that was put down.
        if resolution is not None and resolution.kind is not StepKind.EXPIRED:
            at = resolution.at
        return Resolution(status=status, amount_fen=amount_fen, at=instant_text(at))

    def _resolution(self) -> Step | None:
        return next((step for step in self.steps if step.kind in _RESOLUTIONS), None)

    def _sum(self, kind: StepKind) -> int:
        return sum(step.amount_fen for step in self.steps if step.kind is kind)

    def _moved(
        self,
        kind: StepKind,
        amount_fen: int,
        now: datetime,
        *,
        held: int = 0,
        captured: int = 0,
        expires_at: datetime | None = None,
        counted: Counted | None = None,
    ) -> "Authorization":
        step = Step(
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
