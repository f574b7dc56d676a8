"""What an order is answered, field by field as the contract's section 4 shows it."""

from datetime import datetime

import msgspec

from checker.domain.clock import InstantText, instant_text
from checker.domain.decision import Outcome, Spending
from checker.errors import CheckerError, Conflict, Resolution
from checker.spending.authorization import Authorization, AuthorizationStatus
from checker.spending.errors import CapExceeded


class AuthorizationView(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization as its merchant sees it.

    `amount_fen` is what was authorized; `spending`, where something was held now, is the room that
    is left to the person. `decision` stands only where it is stronger than `cap`.
    """

    id: str
    status: AuthorizationStatus
    amount_fen: int
    captured_fen: int
    refunded_fen: int
    expires_at: InstantText
    reference: str | None
    decision_id: str
    decision: Outcome | msgspec.UnsetType = msgspec.UNSET
    spending: Spending | msgspec.UnsetType = msgspec.UNSET


class Uncapped(msgspec.Struct, frozen=True, kw_only=True):
    """No cap is known to bind the person, and nothing is held.

    `decision` stands where a person should look first; what was decided is then kept.
    """

    id: None = None
    status: str = "uncapped"
    decision: Outcome | msgspec.UnsetType = msgspec.UNSET
    decision_id: str | msgspec.UnsetType = msgspec.UNSET


Answer = AuthorizationView | Uncapped | CheckerError
"""What one order is answered; an error is raised where it is asked for."""


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The first answer under an idempotency key, one of the three; `digest` is of the request."""

    digest: bytes
    authorization: AuthorizationView | None = None
    exceeded: Spending | None = None
    conflict: str | None = None
    resolution: Resolution | None = None

    @classmethod
    def of(cls, answer: Answer, digest: bytes) -> "KeptAnswer | None":
        """Keep an answer; None: of this one nothing is kept, and asked again it is judged again."""
        match answer:
            case AuthorizationView():
                return cls(digest=digest, authorization=answer)
            case CapExceeded():
                return cls(digest=digest, exceeded=answer.spending)
            case Conflict():
                return cls(digest=digest, conflict=str(answer), resolution=answer.resolution)
            case _:
                return None

    def answer(self) -> Answer:
        """Give the answer again."""
        if self.authorization is not None:
            return self.authorization
        if self.exceeded is not None:
            return CapExceeded(self.exceeded)
        assert self.conflict is not None, "one of the three is kept"
        return Conflict(self.conflict, resolution=self.resolution)


def view_of(
    authorization: Authorization,
    now: datetime,
    *,
    decision: Outcome | None = None,
    spending: Spending | msgspec.UnsetType = msgspec.UNSET,
) -> AuthorizationView:
    """Show an authorization as it stands at an aware instant."""
    opening = authorization.opening
    shown = decision if decision not in {None, Outcome.CAP} else None
    return AuthorizationView(
        id=opening.id,
        status=authorization.status(now),
        amount_fen=authorization.amount_fen,
        captured_fen=authorization.captured_fen,
        refunded_fen=authorization.refunded_fen,
        expires_at=instant_text(authorization.expires_at),
        reference=opening.reference,
        decision_id=opening.decision_id,
        decision=msgspec.UNSET if shown is None else shown,
        spending=spending,
    )
