"""The desk: a clerk asks about one guest after the other, and sees what to do first.

A check at the desk is a check of the API: the same reading, quota, counts and kept decision
(`ChecksResource.answered`). The page works without its script. With the script an answer takes the
place of the last one, and a queue of guests needs no mouse.
"""

from time import perf_counter
from typing import Any, Final

import msgspec

from cache.errors import CacheUnavailable
from checker.accounts.keys import AccountRole
from checker.api.answering import ChecksResource
from checker.api.exchange import Reply
from checker.api.metrics import Metrics
from checker.domain.document import DocumentType
from checker.domain.service import ServiceType
from checker.errors import InvalidRequest, InvalidSubject, Unavailable
from checker.web.home import list_age
from checker.web.service_forms import fields_of, service_of
from checker.web.verdict import invalid_verdict, unavailable_verdict, verdict_of
from checker.web.visit import Form, Visit, page

DESK: Final = "/desk"
SERVICE_TYPE: Final = "service_type"
DOCUMENT_TYPE: Final = "document_type"
DOCUMENT_NUMBER: Final = "document_number"
NAME: Final = "name"

_CLERKS: Final = (AccountRole.INSTITUTION,)
_encode = msgspec.json.Encoder().encode


@page("GET", DESK, roles=_CLERKS)
async def show_desk(visit: Visit) -> Reply:
    """Show the empty form, for the service that the clerk chose last."""
    asked = visit.request.query_params.get(SERVICE_TYPE)
    chosen = _service_type(visit, asked) or _service_type(
        visit, visit.signed_in.content.last_service
    )
    return _desk(visit, chosen or services_of(visit)[0], {}, None)


@page("POST", DESK, roles=_CLERKS)
async def check(visit: Visit) -> Reply:
    """Answer one check, in place of the form's last answer."""
    form = await visit.form()
    chosen = _service_type(visit, form.get(SERVICE_TYPE))
    if chosen is None:
        chosen = services_of(visit)[0]
        verdict = invalid_verdict(visit, form, [f"/service/{SERVICE_TYPE}"])
    else:
        verdict = await _verdict(visit, chosen, form)
        await _remember(visit, chosen)
    if visit.is_partial:
        return visit.show("verdict.html", verdict=verdict)
    return _desk(visit, chosen, form, verdict)


def services_of(visit: Visit) -> tuple[ServiceType, ...]:
    """Return the types of service that the account may ask about, in the order of the contract."""
    caller = visit.signed_in.caller
    return tuple(each for each in ServiceType if caller.may_ask(each))


async def _verdict(visit: Visit, chosen: ServiceType, form: Form) -> Any:
    checks: ChecksResource = visit.request.app.state.checks
    metrics: Metrics = visit.request.app.state.metrics
    started = perf_counter()
    try:
        answered = await checks.answered(visit.signed_in.caller, _body(chosen, form))
    except InvalidSubject as error:
        metrics.failed("desk", 422)
        return invalid_verdict(visit, form, [fault.pointer for fault in error.faults], error)
    except InvalidRequest as error:
        metrics.failed("desk", 400)
        return invalid_verdict(visit, form, [fault.pointer for fault in error.faults])
    except Unavailable:
        metrics.failed("desk", 503)
        return unavailable_verdict(visit, form)
    metrics.answered(perf_counter() - started, from_registry=answered.from_registry)
    return verdict_of(visit, chosen, form, answered.answer)


def _body(chosen: ServiceType, form: Form) -> bytes:
    """Return the check of a filled form, as an integrator would send it."""
    subject: dict[str, Any] = {
        "document": {
            "type": form.get(DOCUMENT_TYPE, DocumentType.RESIDENT_ID.value),
            "number": form.get(DOCUMENT_NUMBER, ""),
        }
    }
    if NAME in form:
        subject["name"] = form[NAME]
    return _encode({"subject": subject, "service": service_of(chosen, form)})


async def _remember(visit: Visit, chosen: ServiceType) -> None:
    try:
        await visit.sessions.remember(visit.signed_in, chosen.value)
    except CacheUnavailable:
        return  # the next form begins with another service, and nothing else is lost


def _service_type(visit: Visit, text: str | None) -> ServiceType | None:
    return next((each for each in services_of(visit) if each.value == text), None)


def _desk(visit: Visit, chosen: ServiceType, form: Form, verdict: Any) -> Reply:
    return visit.show(
        "desk.html",
        list=list_age(visit),
        services=services_of(visit),
        chosen=chosen,
        fields={each: fields_of(each) for each in services_of(visit)},
        document_types=tuple(DocumentType),
        filled=_kept(chosen, form),
        verdict=verdict,
        # Shown by the script where no answer comes.
        offline=unavailable_verdict(visit, {}),
    )


def _kept(chosen: ServiceType, form: Form) -> dict[str, str]:
    """Return the fields that stay for the next guest: the service, and nothing of the person."""
    names = {SERVICE_TYPE, DOCUMENT_TYPE, *(field.name for field in fields_of(chosen))}
    return {name: value for name, value in form.items() if name in names}
