"""The verdict on a guest: the first step of the clerk, the words to say, and then the reasons."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from checker.audit.outcomes import ReportedOutcome
from checker.audit.wording import CODES, ROLES
from checker.checks.answer import Answer
from checker.domain.decision import CapSpending, Outcome, Reason
from checker.domain.errors import EXPLANATIONS
from checker.domain.service import ServiceType
from checker.errors import CheckerError
from checker.spending.answers import AuthorizationView
from checker.web.desk.reader_line import ReaderFault
from checker.web.desk.service_words import words_of_service
from checker.web.desk.slip import Slip, slip_of
from checker.web.shown import masked_name, masked_number, shanghai_minute, yuan
from checker.web.visit import Form, Visit

INVALID: Final = "invalid"
UNAVAILABLE: Final = "unavailable"
RECEIPT: Final = "receipt"

OUTCOMES_OF: Final = {
    Outcome.ALLOW: (ReportedOutcome.REFUSED, ReportedOutcome.CANCELLED, ReportedOutcome.SOLD),
    Outcome.CAP: (ReportedOutcome.REFUSED, ReportedOutcome.CANCELLED, ReportedOutcome.SOLD),
    Outcome.REVIEW: (ReportedOutcome.REFUSED, ReportedOutcome.CANCELLED, ReportedOutcome.SOLD),
    Outcome.DENY: (ReportedOutcome.REFUSED, ReportedOutcome.CANCELLED, ReportedOutcome.OVERRIDDEN),
}
"""The acts that a clerk may report after a kept decision. A refusal is never simply sold."""
KEY_OF: Final = {
    ReportedOutcome.REFUSED: "1",
    ReportedOutcome.CANCELLED: "2",
    ReportedOutcome.OVERRIDDEN: "3",
    ReportedOutcome.SOLD: "4",
}
"""The key of each act is the same after every decision, so that a hand learns it."""

_REASONS_OF_TEXT: Final = {text: reason for reason, text in EXPLANATIONS.items()}


class ShownReason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason in the words of the page: the section of law, the case, and the way out."""

    basis: str
    code: str
    role: str | None
    case: str | None
    remedy: str | None


class DeskVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as the page shows it. `decision` is the word of `data-decision`.

    `headline` says what to do, `say` what to say to the guest. The number and the name are masked.
    `alternatives` are services that may be sold in place of this one. `outcomes` are the acts that
    can be reported for the decision `id`, with their keys. `slip` is there if a receipt was asked,
    `held` if an amount is held under a cap.
    """

    decision: str
    headline: str
    say: str
    guest_number: str
    guest_name: str
    id: str | None = None
    reasons: tuple[ShownReason, ...] = ()
    faults: tuple[str, ...] = ()
    spending: CapSpending | None = None
    permit: str | None = None
    alternatives: tuple[str, ...] = ()
    outcomes: tuple[tuple[ReportedOutcome, str], ...] = ()
    service: str | None = None
    minute: str | None = None
    slip: Slip | None = None
    held: AuthorizationView | None = None


def verdict_of(visit: Visit, service: ServiceType, form: Form, answer: Answer) -> DeskVerdict:
    """Return the verdict of an answer."""
    words = visit.words
    outcome = answer.decision
    # A plain `allow` is kept nowhere, so there is nothing that its id could lead to.
    is_kept = outcome is not Outcome.ALLOW or bool(answer.reasons)
    alternatives = () if answer.alternatives is msgspec.UNSET else answer.alternatives
    return DeskVerdict(
        decision=outcome.value,
        headline=words.first_of(f"headline.{outcome}.{service}", f"headline.{outcome}"),
        say=words.first_of(f"say.{outcome}.{service}", f"say.{outcome}"),
        **guest_of(form),
        id=answer.id if is_kept else None,
        reasons=tuple(_shown(visit, reason) for reason in answer.reasons),
        spending=answer.spending,
        permit=None if answer.permit is None else answer.permit.id,
        alternatives=tuple(words_of_service(words, each) for each in alternatives),
        outcomes=tuple((each, KEY_OF[each]) for each in OUTCOMES_OF[outcome]) if is_kept else (),
        service=words(f"service.{service}"),
        minute=shanghai_minute(visit.runtime.clock.now()),
        slip=None if answer.receipt is None else slip_of(answer.receipt),
    )


def invalid_verdict(
    visit: Visit, form: Form, pointers: Sequence[str], error: CheckerError | None = None
) -> DeskVerdict:
    """Return the verdict on a check that could not be asked, with the fields to look at again."""
    words = visit.words
    reason = None if error is None else _REASONS_OF_TEXT.get(str(error))
    faults = [words.first_of(f"fault.{reason}", "fault.number")] if reason is not None else []
    for pointer in pointers:
        field = pointer.rpartition("/")[2]
        if reason is None:
            faults.append(words("fault.field", field=words.first_of(f"field.{field}", "field.any")))
    return DeskVerdict(
        decision=INVALID,
        headline=words("headline.invalid"),
        say=words("say.invalid"),
        faults=tuple(faults),
        **guest_of(form),
    )


def misread_verdict(visit: Visit, fault: ReaderFault) -> DeskVerdict:
    """Return the verdict on a number that a reader has garbled. The text itself is not shown."""
    words = visit.words
    return DeskVerdict(
        decision=INVALID,
        headline=words("headline.invalid"),
        say=words("say.invalid"),
        faults=(words(f"fault.{fault}"),),
        guest_number="",
        guest_name="",
    )


def words_verdict(
    visit: Visit, form: Form, outcome: Outcome, key: str, spending: CapSpending | None = None
) -> DeskVerdict:
    """Return a verdict that the words of `key` head, without reasons."""
    return DeskVerdict(
        decision=outcome.value,
        headline=visit.words(key),
        say=visit.words(f"say.{outcome}"),
        spending=spending,
        **guest_of(form),
    )


def held_verdict(
    visit: Visit, form: Form, held: AuthorizationView, refusal: str | None = None
) -> DeskVerdict:
    """Return the state of a hold; `refusal` is the word for an order that was not carried out."""
    spending = None if held.spending is msgspec.UNSET else held.spending
    return DeskVerdict(
        decision=Outcome.CAP.value,
        headline=visit.words(f"held.{held.status}", amount=yuan(held.amount_fen)),
        say=visit.words("say.cap"),
        id=held.decision_id,
        faults=() if refusal is None else (visit.words(refusal),),
        spending=spending,
        held=held,
        **guest_of(form),
    )


def unavailable_verdict(visit: Visit, form: Form) -> DeskVerdict:
    """Return the verdict while nothing can vouch for the list: nobody is allowed anything."""
    words = visit.words
    return DeskVerdict(
        decision=UNAVAILABLE,
        headline=words("headline.unavailable"),
        say=words("say.unavailable"),
        **guest_of(form),
    )


def guest_of(form: Form) -> dict[str, Any]:
    """Return the number and the name of a guest as a page may show them."""
    return {
        "guest_number": masked_number(form.get("document_number", "")),
        "guest_name": masked_name(form.get("name")),
    }


def _shown(visit: Visit, reason: Reason) -> ShownReason:
    words = visit.words
    measures = visit.runtime.policies.measures
    measure = next((each for each in measures if each.id == reason.measure), None)
    basis = reason.measure
    if measure is not None:
        source = measure.source
        cited = source.number or words.of(source.title)
        basis = f"{cited} {measure.section} {words.of(measure.title)}"
    listing = reason.listing
    case = None
    if listing is not None:
        case = words(
            "verdict.case",
            number=listing.case_number,
            court=listing.court,
            day=listing.published_on or "",
        ).strip()
    remedy = None
    if reason.remedy is not None:
        remedy = words(
            "verdict.remedy",
            court=reason.remedy.court,
            apply=reason.remedy.apply_within_days,
            review=reason.remedy.review_within_days,
        )
    return ShownReason(
        basis=basis,
        code=words.of(CODES[reason.code]),
        role=None if reason.role is None else words.of(ROLES[reason.role]),
        case=case,
        remedy=remedy,
    )
