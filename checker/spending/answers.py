"""The answers to orders, field by field as the contract's section 4 shows them."""

from datetime import datetime
from typing import Literal

import msgspec

from checker.domain.clock import InstantText, instant_text
from checker.domain.decision import CapSpending, Outcome
from checker.errors import CheckerError, Conflict, Resolution
from checker.spending.authorization import Authorization, AuthorizationStatus
from checker.spending.errors import CapExceeded


class AuthorizationView(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization as its merchant sees it.

    `amount_fen` is the authorized amount. `spending` is the room that is left to the person; it is
    there only in an answer that has just held something. `decision` is there only if it is stronger
    than `cap`.
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
    spending: CapSpending | msgspec.UnsetType = msgspec.UNSET


class Uncapped(msgspec.Struct, frozen=True, kw_only=True):
    """The answer where no cap is known to bind the person; nothing is held.

    `decision` is there if a person should look first. This decision is kept.
    """

    id: None = None
    status: Literal["uncapped"] = "uncapped"
    decision: Outcome | msgspec.UnsetType = msgspec.UNSET
    decision_id: str | msgspec.UnsetType = msgspec.UNSET


Answer = AuthorizationView | Uncapped | CheckerError
"""The answer to one order. A CheckerError is raised to the caller of the order."""


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The first answer under an idempotency key: exactly one of the three. `digest` is the
    request's.
    """

    digest: bytes
    authorization: AuthorizationView | None = None
    exceeded: CapSpending | None = None
    conflict: str | None = None
    resolution: Resolution | None = None

    @classmethod
    def of(cls, answer: Answer, digest: bytes) -> "KeptAnswer | None":
        """Return the answer as it is kept, or None for an answer that is not kept: the same request
        is then judged anew.
        """
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
        """Return the kept answer."""
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
    spending: CapSpending | msgspec.UnsetType = msgspec.UNSET,
) -> AuthorizationView:
    """Return an authorization as it stands at an aware instant."""
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
