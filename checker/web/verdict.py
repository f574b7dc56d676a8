"""The verdict on a guest: the first step of the clerk, the words to say, and then the reasons."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from checker.audit.wording import CODES, ROLES
from checker.checks.answer import Answer
from checker.domain.decision import CapSpending, Outcome, Reason
from checker.domain.errors import EXPLANATIONS
from checker.domain.service import ServiceType
from checker.errors import CheckerError
from checker.web.shown import masked_name, masked_number
from checker.web.visit import Form, Visit

INVALID: Final = "invalid"
UNAVAILABLE: Final = "unavailable"

_REASONS_OF_TEXT: Final = {text: reason for reason, text in EXPLANATIONS.items()}


class ShownReason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason in the words of the page: the section of law, the case, and the way out."""

    basis: str
    code: str
    role: str | None
    case: str | None
    remedy: str | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as the page shows it. `decision` is the word of `data-decision`.

    `headline` says what to do, `say` what to say to the guest. The number and the name are masked.
    `alternatives` are services that may be sold in place of this one.
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


def verdict_of(visit: Visit, service: ServiceType, form: Form, answer: Answer) -> Verdict:
    """Return the verdict of an answer."""
    words = visit.words
    outcome = answer.decision
    return Verdict(
        decision=outcome.value,
        headline=words.first_of(f"headline.{outcome}.{service}", f"headline.{outcome}"),
        say=words.first_of(f"say.{outcome}.{service}", f"say.{outcome}"),
        **_guest(form),
        # A plain `allow` is kept nowhere, so there is nothing that its id could lead to.
        id=None if outcome is Outcome.ALLOW and not answer.reasons else answer.id,
        reasons=tuple(_shown(visit, reason) for reason in answer.reasons),
        spending=answer.spending,
        permit=None if answer.permit is None else answer.permit.id,
    )


def invalid_verdict(
    visit: Visit, form: Form, pointers: Sequence[str], error: CheckerError | None = None
) -> Verdict:
    """Return the verdict on a check that could not be asked, with the fields to look at again."""
    words = visit.words
    reason = None if error is None else _REASONS_OF_TEXT.get(str(error))
    faults = [words.first_of(f"fault.{reason}", "fault.number")] if reason is not None else []
    for pointer in pointers:
        field = pointer.rpartition("/")[2]
        if reason is None:
            faults.append(words("fault.field", field=words.first_of(f"field.{field}", "field.any")))
    return Verdict(
        decision=INVALID,
        headline=words("headline.invalid"),
        say=words("say.invalid"),
        faults=tuple(faults),
        **_guest(form),
    )


def unavailable_verdict(visit: Visit, form: Form) -> Verdict:
    """Return the verdict while nothing can vouch for the list: nobody is allowed anything."""
    words = visit.words
    return Verdict(
        decision=UNAVAILABLE,
        headline=words("headline.unavailable"),
        say=words("say.unavailable"),
        **_guest(form),
    )


def _guest(form: Form) -> dict[str, Any]:
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
