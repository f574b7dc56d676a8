"""The rules: a person's standing, a service, a place and an instant give a decision.

Pure and total. Every measure that applies to the service and every link that the measure binds give
one reason; the strongest reason decides. So one more listing or measure can only harden a decision.
A measure binds one kind of listing or both, and an order may restrict some types of services alone.

A link that may be about another person (a masked number, another name) gives `review` at most,
whatever the measure: nobody is refused or capped because of it. So does a listing that the court
should have removed by now. A permit lifts all reasons.
"""

from datetime import date, datetime

from checker.domain.clock import instant_text, period_end, shanghai_day
from checker.domain.decision import (
    ALLOWED,
    OUTCOMES,
    CapSpending,
    Decision,
    Outcome,
    Reason,
    ReasonCode,
    Remedy,
    ShownListing,
    strongest,
)
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.permit import Permit
from checker.domain.service import Resort, Service, type_of
from checker.domain.settings import Cap
from checker.domain.standing import Link, Match, Standing

# A sure link is absent here: its reason code is that of the measure.
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
    to_organization: bool = False,
) -> Decision:
    """Decide whether the subject of `standing` may buy `service` at the aware instant `now`.

    Reasons come in order of measure (the widest place first, then as printed), then of link (day
    of publication, listing, role). The code of a reason is, in order of precedence: the doubt
    about the link; `removal_overdue`; `threshold_unset` or `cap_unset` if the place has set no
    figure; the effect of the measure. `held_fen` and `captured_fen` are the person's spending in
    the present period of the cap. `to_organization`: the subject is an organization.
    """
    day = shanghai_day(now)
    links = standing.in_force(day)
    if not links:
        return ALLOWED
    kind = type_of(service)
    reasons = tuple(
        _reason(
            application.measure,
            _code(application.codes[link.role], link, day, policy),
            link,
        )
        for application in policy.applications(service, to_organization=to_organization)
        for link in links
        if link.role in application.codes
        and link.kind in application.listing_kinds
        and link.restricts(application.measure)
        and link.reaches(kind)
    )
    if not reasons:
        return ALLOWED
    permit = _permit(standing, service, now)
    if permit is not None:
        return Decision(outcome=Outcome.ALLOW, reasons=reasons, permit=permit)
    outcome = strongest(OUTCOMES[reason.code] for reason in reasons)
    cap = policy.settings.resort_cap
    if cap is None or all(reason.code is not ReasonCode.CAPPED for reason in reasons):
        return Decision(outcome=outcome, reasons=reasons)
    spending = spending_under(cap, now=now, held_fen=held_fen, captured_fen=captured_fen)
    if isinstance(service, Resort) and service.amount_fen > spending.remaining_fen:
        outcome = Outcome.DENY
    return Decision(outcome=outcome, reasons=reasons, spending=spending)


def spending_under(cap: Cap, *, now: datetime, held_fen: int, captured_fen: int) -> CapSpending:
    """Return the room left under `cap` in the period around `now`.

    The room is 0 if the cap was lowered below the person's spending.
    """
    return CapSpending(
        limit_fen=cap.limit_fen,
        held_fen=held_fen,
        captured_fen=captured_fen,
        remaining_fen=max(0, cap.limit_fen - held_fen - captured_fen),
        period=cap.period,
        resets_at=instant_text(period_end(cap.period, now)),
    )


def _permit(standing: Standing, service: Service, now: datetime) -> Permit | None:
    """Return the permit to use: one without a count first, then the one that ends first.

    Return None if no permit covers the service now.
    """
    kind = type_of(service)
    covering = [permit for permit in standing.permits if permit.covers(kind, now)]
    return min(
        covering,
        key=lambda permit: (permit.uses_left is not None, permit.valid_until, permit.id),
        default=None,
    )


def _code(code: ReasonCode, link: Link, day: date, policy: EffectivePolicy) -> ReasonCode:
    """Return the code of a reason; `code` is that of the measure."""
    if link.is_overdue(day, policy.deadlines):
        code = ReasonCode.REMOVAL_OVERDUE
    return _DOUBTS.get(link.match, code)


def _reason(measure: str, code: ReasonCode, link: Link) -> Reason:
    listing = link.listing
    shown = None
    if listing is not None and listing.public:
        shown = ShownListing(
            id=listing.id,
            case_number=listing.case_number,
            court=listing.court,
            published_on=listing.published_on,
            kind=link.kind,
        )
    return Reason(
        code=code,
        measure=measure,
        role=link.role,
        listing=shown,
        remedy=None if listing is None else Remedy(court=listing.court),
    )
