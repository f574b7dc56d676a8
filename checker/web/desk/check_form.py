"""The desk: a clerk asks about one guest after the other, and sees what to do first.

A check at the desk is a check of the API: the same reading, quota, counts and kept decision
(`ChecksResource.answered`). The page works without its script. With the script an answer takes the
place of the last one, and a queue of guests needs no mouse.

The field for the number also takes the whole text of a reader (`reader_line.py`).
"""

from secrets import token_urlsafe
from time import perf_counter
from typing import Any, Final

import msgspec

from cache.errors import CacheUnavailable
from checker.accounts.keys import AccountRole
from checker.api.answering import ChecksResource
from checker.api.exchange import Reply
from checker.api.metrics import Metrics
from checker.domain.document import DocumentType
from checker.domain.issuer import STATES
from checker.domain.service import ServiceType
from checker.errors import InvalidRequest, InvalidSubject, Unavailable
from checker.web.desk.group import IN_GROUP, Group, group_with
from checker.web.desk.reader_line import UnreadableLine, likely_fault, read_line
from checker.web.desk.service_forms import fields_of, service_of
from checker.web.desk.verdict import (
    RECEIPT,
    DeskVerdict,
    invalid_verdict,
    misread_verdict,
    unavailable_verdict,
    verdict_of,
)
from checker.web.home import list_age
from checker.web.visit import Form, Visit, page

DESK: Final = "/desk"
SERVICE_TYPE: Final = "service_type"
DOCUMENT_TYPE: Final = "document_type"
DOCUMENT_NUMBER: Final = "document_number"
NAME: Final = "name"
ISSUER: Final = "issuer"
ORDER_KEY: Final = "order_key"

CLERKS: Final = (AccountRole.INSTITUTION,)
_encode = msgspec.json.Encoder().encode


@page("GET", DESK, roles=CLERKS)
async def show_desk(visit: Visit) -> Reply:
    """Show the empty form, for the service that the clerk chose last."""
    asked = visit.request.query_params.get(SERVICE_TYPE)
    chosen = service_type_of(visit, asked) or service_type_of(
        visit, visit.signed_in.content.last_service
    )
    return _desk(visit, chosen or services_of(visit)[0], {}, None)


@page("POST", DESK, roles=CLERKS)
async def check(visit: Visit) -> Reply:
    """Answer one check, in place of the form's last answer."""
    form = await visit.form()
    chosen = service_type_of(visit, form.get(SERVICE_TYPE))
    if chosen is None:
        chosen = services_of(visit)[0]
        verdict = invalid_verdict(visit, form, [f"/service/{SERVICE_TYPE}"])
    else:
        verdict = await checked(visit, chosen, form)
        await _remember(visit, chosen)
    return shown(visit, chosen, form, verdict)


def shown(
    visit: Visit, chosen: ServiceType, form: Form, verdict: DeskVerdict, **values: Any
) -> Reply:
    """Return a verdict: alone for the script of the page, else with the form."""
    group = group_with(form, verdict)
    if visit.is_partial:
        return visit.show("desk/verdict.html", verdict=verdict, group=group, **values)
    return _desk(visit, chosen, form, verdict, group=group, **values)


def services_of(visit: Visit) -> tuple[ServiceType, ...]:
    """Return the types of service that the account may ask about, in the order of the contract."""
    caller = visit.signed_in.caller
    return tuple(each for each in ServiceType if caller.may_ask(each))


async def checked(visit: Visit, chosen: ServiceType, form: Form) -> DeskVerdict:
    """Return the verdict on the guest of a filled form. Raises nothing that the API answers."""
    checks: ChecksResource = visit.request.app.state.checks
    metrics: Metrics = visit.request.app.state.metrics
    started = perf_counter()
    try:
        form = as_read(form)
        body = check_body(chosen, form, is_receipt_wanted=RECEIPT in form)
        answered = await checks.answered(visit.signed_in.caller, body)
    except UnreadableLine as error:
        metrics.failed("desk", 422)
        return misread_verdict(visit, error.fault)
    except InvalidSubject as error:
        metrics.failed("desk", 422)
        fault = likely_fault(form.get(DOCUMENT_NUMBER, ""), _kind_of(form))
        if fault is not None:
            return misread_verdict(visit, fault)
        return invalid_verdict(visit, form, [each.pointer for each in error.faults], error)
    except InvalidRequest as error:
        metrics.failed("desk", 400)
        return invalid_verdict(visit, form, [each.pointer for each in error.faults])
    except Unavailable:
        metrics.failed("desk", 503)
        return unavailable_verdict(visit, form)
    metrics.answered(perf_counter() - started, from_registry=answered.from_registry)
    return verdict_of(visit, chosen, form, answered.answer)


def as_read(form: Form) -> Form:
    """Return a form in which a reader's text is replaced by the parts that are kept.

    Raises:
        UnreadableLine: the text is no number of one document.
    """
    read = read_line(form.get(DOCUMENT_NUMBER, ""))
    kept = {**form, DOCUMENT_NUMBER: read.number}
    found = {NAME: read.name, DOCUMENT_TYPE: read.type, ISSUER: read.issuer}
    return kept | {name: str(value) for name, value in found.items() if value is not None}


def check_body(chosen: ServiceType, form: Form, *, is_receipt_wanted: bool = False) -> bytes:
    """Return the check of a filled form, as an integrator would send it."""
    document = {
        "type": form.get(DOCUMENT_TYPE, DocumentType.RESIDENT_ID.value),
        "number": form.get(DOCUMENT_NUMBER, ""),
    }
    # A zone may name an issuer that is no state. Then the list is asked as if it were unknown.
    if document["type"] == DocumentType.PASSPORT and form.get(ISSUER) in STATES:
        document[ISSUER] = form[ISSUER]
    subject: dict[str, Any] = {"document": document}
    if NAME in form:
        subject["name"] = form[NAME]
    asked = {"subject": subject, "service": service_of(chosen, form)}
    return _encode(asked | ({"receipt": True} if is_receipt_wanted else {}))


def _kind_of(form: Form) -> DocumentType | None:
    text = form.get(DOCUMENT_TYPE, DocumentType.RESIDENT_ID.value)
    return DocumentType(text) if text in set(DocumentType) else None


async def _remember(visit: Visit, chosen: ServiceType) -> None:
    try:
        await visit.sessions.remember(visit.signed_in, chosen.value)
    except CacheUnavailable:
        return  # the next form begins with another service, and nothing else is lost


def service_type_of(visit: Visit, text: str | None) -> ServiceType | None:
    """Return the type of service with this name, if the account may ask about it."""
    return next((each for each in services_of(visit) if each.value == text), None)


def _desk(
    visit: Visit,
    chosen: ServiceType,
    form: Form,
    verdict: DeskVerdict | None,
    *,
    group: Group | None = None,
    **values: Any,
) -> Reply:
    return visit.show(
        "desk/desk.html",
        list=list_age(visit),
        services=services_of(visit),
        chosen=chosen,
        fields={each: fields_of(each) for each in services_of(visit)},
        document_types=tuple(DocumentType),
        filled=_kept(chosen, form),
        verdict=verdict,
        group=group,
        order_key=new_order_key(),
        **values,
        # Shown by the script where no answer comes.
        offline=unavailable_verdict(visit, {}),
    )


def new_order_key() -> str:
    """Return an idempotency key for the next order of a form."""
    return token_urlsafe(16)


def _kept(chosen: ServiceType, form: Form) -> dict[str, str]:
    """Return the fields that stay for the next guest: the service, and nothing of the person."""
    names = {
        SERVICE_TYPE,
        DOCUMENT_TYPE,
        RECEIPT,
        IN_GROUP,
        *(field.name for field in fields_of(chosen)),
    }
    return {name: value for name, value in form.items() if name in names}
