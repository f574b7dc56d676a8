"""The rules: a person's standing, a service, a place and an instant give a decision.

Pure and total. Every measure that applies to the service and every link that the measure binds give
one reason; the strongest reason decides. So one more listing or measure can only harden a decision.
A measure binds one kind of listing or both, and an order may restrict some types of services alone.

A link that may be about another person (a masked number, another name) gives `review` at most,
whatever the measure: nobody is refused or capped because of it. So does a listing that the court
should have removed by now. A permit lifts all reasons, but for those of further documents of the
subject that it does not cover. Then these alone are left, and no permit is used.
"""

from collections.abc import Sequence
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
    Match.ISSUER_UNKNOWN: ReasonCode.ISSUER_UNKNOWN,
    Match.DOCUMENTS_DISAGREE: ReasonCode.DOCUMENTS_DISAGREE,
    Match.UNRESOLVABLE: ReasonCode.IDENTITY_NOT_RESOLVABLE,
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
    met = [
        (
            link,
            _reason(
                application.measure,
                _code(application.codes[link.role], link, day, policy),
                link,
            ),
        )
        for application in policy.applications(service, to_organization=to_organization)
        for link in links
        if link.role in application.codes
        and link.kind in application.listing_kinds
        and link.restricts(application.measure)
        and link.reaches(kind)
    ]
    if not met:
        return ALLOWED
    permits = _permits(standing, service, now, [link for link, _ in met])
    left = [reason for link, reason in met if not any(_lifts(each, link) for each in permits)]
    if not left:
        reasons = tuple([reason for _, reason in met])
        return Decision(outcome=Outcome.ALLOW, reasons=reasons, permit=permits[0])
    reasons = tuple(left)
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


def _permits(
    standing: Standing, service: Service, now: datetime, links: Sequence[Link]
) -> list[Permit]:
    """Return the permits that lift one of the links now, the permit to use first.

    A permit without a count comes first, then the permit that ends first.
    """
    kind = type_of(service)
    covering = [
        permit
        for permit in standing.permits
        if permit.covers(kind, now) and any(_lifts(permit, link) for link in links)
    ]
    covering.sort(key=lambda permit: (permit.uses_left is not None, permit.valid_until, permit.id))
    return covering


def _lifts(permit: Permit, link: Link) -> bool:
    return permit.id not in link.not_covered_by


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
        role=None if link.match is Match.UNRESOLVABLE else link.role,
        listing=shown,
        remedy=None if listing is None else Remedy(court=listing.court),
    )
