"""The rules: a person's standing, a service, a place and an instant give a decision.

Pure and total. Every measure that applies to the service and every link that it reaches give one
reason; the strongest reason decides. So one more listing or measure can only harden a decision.

A link that may be about somebody else (a masked number, another name) is never more than `review`,
whatever the measure: nobody is refused or capped on it.
"""

from datetime import datetime

from checker.domain.clock import instant_text, period_end, shanghai_day
from checker.domain.decision import (
    ALLOWED,
    OUTCOMES,
    Decision,
    Outcome,
    Reason,
    ReasonCode,
    Remedy,
    ShownListing,
    Spending,
    strongest,
)
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.service import Resort, Service
from checker.domain.settings import Cap
from checker.domain.standing import Link, Match, Standing

# A link that is sure is absent here: the measure alone says what follows.
_DOUBTS = {
    Match.MASKED: ReasonCode.MASKED_MATCH,
    Match.NAME_DIFFERS: ReasonCode.NAME_MISMATCH,
}


def decide(
    standing: Standing,
    service: Service,
    *,
    policy: EffectivePolicy,
    now: datetime,
    held_fen: int = 0,
    captured_fen: int = 0,
) -> Decision:
    """Decide whether the subject of `standing` may buy `service` at the aware instant `now`.

    Reasons come in order of measure (the widest place first, then as printed), then of link (day
    of publication, listing, role). The code of a reason is, in order of precedence: the doubt
    about the link; `threshold_unset` or `cap_unset` where the place has set no figure; what the
    measure does. `held_fen` and `captured_fen` are what the person has spent in the present
    period of the cap.
    """
    links = standing.in_force(shanghai_day(now))
    if not links:
        return ALLOWED
    reasons = tuple(
        _reason(application.measure, application.codes[link.role], link)
        for application in policy.applications(service)
        for link in links
        if link.role in application.codes
    )
    if not reasons:
        return ALLOWED
    outcome = strongest(OUTCOMES[reason.code] for reason in reasons)
    cap = policy.settings.resort_cap
    if cap is None or all(reason.code is not ReasonCode.CAPPED for reason in reasons):
        return Decision(outcome=outcome, reasons=reasons)
    spending = spending_under(cap, now=now, held_fen=held_fen, captured_fen=captured_fen)
    if isinstance(service, Resort) and service.amount_fen > spending.remaining_fen:
        outcome = Outcome.DENY
    return Decision(outcome=outcome, reasons=reasons, spending=spending)


def spending_under(cap: Cap, *, now: datetime, held_fen: int, captured_fen: int) -> Spending:
    """Give the room left under `cap` in the period around `now`.

    None is left, rather than less than none, where the cap was lowered below what is spent.
    """
    return Spending(
        limit_fen=cap.limit_fen,
        held_fen=held_fen,
        captured_fen=captured_fen,
        remaining_fen=max(0, cap.limit_fen - held_fen - captured_fen),
        period=cap.period,
        resets_at=instant_text(period_end(cap.period, now)),
    )


def _reason(measure: str, code: ReasonCode, link: Link) -> Reason:
    listing = link.listing
    shown = None
    if listing is not None and listing.public:
        shown = ShownListing(
            id=listing.id,
            case_number=listing.case_number,
            court=listing.court,
            published_on=listing.published_on,
        )
    return Reason(
        code=_DOUBTS.get(link.match, code),
        measure=measure,
        role=link.role,
        listing=shown,
        remedy=None if listing is None else Remedy(court=listing.court),
    )
