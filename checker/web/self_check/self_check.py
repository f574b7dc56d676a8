"""The page of the self-check: anybody may see what the list says of them.

Every answer after a look-up has the same words for everybody of whom the page shows nothing, and
repeats nothing that was typed. The form of a visit has one token, so two such answers to one
browser are the same bytes.
"""

from functools import partial
from typing import Any, Final

from checker.api.exchange import Reply
from checker.api.metrics import Metrics
from checker.audit.wording import KINDS as KINDS_OF_LISTINGS
from checker.audit.wording import ROLES
from checker.corrections.correction import GroundCode
from checker.domain.clock import shanghai_day
from checker.domain.decision import APPLY_DAYS, REVIEW_DAYS
from checker.domain.document import DocumentType
from checker.domain.permit import Permit
from checker.domain.service import ServiceType
from checker.domain.standing import REMOVAL_DAYS
from checker.errors import QuotaExceeded, Unavailable
from checker.web.home import list_age
from checker.web.language import PageWords
from checker.web.self_check.asked_person import (
    KINDS,
    FaultyForm,
    FormFault,
    chosen_kind,
    read_person,
)
from checker.web.self_check.citations import CITED_IN_FULL
from checker.web.self_check.measure_words import MeasureText, cited, measure_text
from checker.web.self_check.own_entries import OwnEntries
from checker.web.self_check.own_result import OwnMeasure, OwnResult
from checker.web.shown import day_in_words, shanghai_minute
from checker.web.visit import Visit, page

SELF_CHECK: Final = "/self-check"
RESOURCE: Final = "self_check"
"""The name of these pages in the counts of problems."""


@page("GET", SELF_CHECK)
async def show_self_check(visit: Visit) -> Reply:
    """Show the empty form."""
    return _form(visit, DocumentType.RESIDENT_ID)


@page("POST", SELF_CHECK)
async def look_up(visit: Visit) -> Reply:
    """Answer with what the list says of the person of the form."""
    form = await visit.form()
    kind = chosen_kind(form) or DocumentType.RESIDENT_ID
    today = shanghai_day(visit.runtime.clock.now())
    try:
        person = read_person(form, today, visit.runtime.sealer.document_token)
    except FaultyForm as error:
        _metrics(visit).failed(RESOURCE, 422)
        return _form(visit, kind, status=422, fault=error.fault)
    own_entries: OwnEntries = visit.request.app.state.own_entries
    try:
        result = await own_entries.find(person, visit.address, today)
    except (QuotaExceeded, Unavailable) as error:
        return refused(visit, error)
    return _result(visit, kind, result)


def refused(visit: Visit, error: QuotaExceeded | Unavailable) -> Reply:
    """Return the page for a request that cannot be answered now, with the time to wait."""
    is_crowd = isinstance(error, QuotaExceeded)
    status = 429 if is_crowd else 503
    _metrics(visit).failed(RESOURCE, status)
    return visit.show(
        "self_check/not_now.html",
        status=status,
        headers={"retry-after": str(error.retry_after_s)},
        list=list_age(visit),
        state="too_many" if is_crowd else "unavailable",
        minutes=-(-error.retry_after_s // 60),
    )


def _result(visit: Visit, kind: DocumentType, result: OwnResult) -> Reply:
    return _form(
        visit,
        kind,
        result=result,
        consumption=_texts(visit, result.consumption),
        matters=_texts(visit, result.matters),
        local=_texts(visit, result.local),
        grounds=tuple(GroundCode),
        permits=tuple(_permit_text(visit.words, each) for each in result.permits),
        services=_services(result),
        day=partial(day_in_words, visit.language),
        cited=CITED_IN_FULL,
        role_words=ROLES,
        kind_words=KINDS_OF_LISTINGS,
        apply_days=APPLY_DAYS,
        review_days=REVIEW_DAYS,
        removal_days=REMOVAL_DAYS,
        filled={},
        faults=(),
    )


def _form(
    visit: Visit,
    kind: DocumentType,
    *,
    status: int = 200,
    fault: FormFault | None = None,
    result: OwnResult | None = None,
    **values: Any,
) -> Reply:
    return visit.show(
        "self_check/self_check.html",
        status=status,
        list=list_age(visit),
        kinds=KINDS,
        kind=kind,
        fault=fault,
        result=result,
        **values,
    )


def _texts(
    visit: Visit, measures: tuple[OwnMeasure, ...]
) -> tuple[tuple[str, tuple[MeasureText, ...]], ...]:
    """Return measures in words, under the document in which each stands."""
    by_document: dict[str, list[MeasureText]] = {}
    for each in measures:
        settings = visit.runtime.policies.effective(each.measure.jurisdiction).settings
        text = measure_text(visit.words, each.measure, each.clauses, settings)
        by_document.setdefault(cited(visit.words, each.measure), []).append(text)
    return tuple((document, tuple(texts)) for document, texts in by_document.items())


def _services(result: OwnResult) -> tuple[ServiceType, ...]:
    """Return the kinds of purchases of which some are refused, or capped."""
    met = {
        clause.service
        for each in (*result.consumption, *result.local)
        for clause in each.clauses
        if clause.service is not ServiceType.MATTER
    }
    return tuple(each for each in ServiceType if each in met)


def _permit_text(words: PageWords, permit: Permit) -> str:
    services = words("law.comma").join(
        words(f"service.{each}") for each in ServiceType if each in permit.services
    )
    return words(
        "self_check.measure.permit",
        services=services,
        since=shanghai_minute(permit.valid_from),
        until=shanghai_minute(permit.valid_until),
    )


def _metrics(visit: Visit) -> Metrics:
    metrics: Metrics = visit.request.app.state.metrics
    return metrics
