"""The page for sheets: upload, confirm the columns, check, and get the same sheet back.

Each POST leads back to the page, which shows the state of the session's job. The page works without
its script: then a link shows the progress.
"""

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any, Final

import msgspec

from cache.errors import CacheUnavailable
from checker.api.answering_batches import BatchesResource
from checker.api.exchange import Reply
from checker.errors import InvalidRequest, QuotaExceeded, TooLarge, Unavailable
from checker.sheets.endings import SheetLanguage
from checker.sheets.plan import SheetLayout, SheetPlan, plan_sheet
from checker.sheets.refusals import SERVICE_HELPS, SheetFault
from checker.sheets.sheet_process import SheetRefusal, refusal_of
from checker.sheets.sheet_reader import UnreadSheet
from checker.web.desk.check_form import CLERKS, DESK, SERVICE_TYPE, service_type_of, services_of
from checker.web.desk.service_forms import fields_of, service_of
from checker.web.home import list_age
from checker.web.manifests.columns_shown import columns_shown
from checker.web.manifests.file_names import checked_name, disposition_of, media_type_of
from checker.web.manifests.jobs import (
    BUSY,
    INTERRUPTED,
    NO_FILE,
    FoundJob,
    ManifestJob,
)
from checker.web.manifests.opening import Manifests
from checker.web.manifests.runs import DECISIONS, RunOrder
from checker.web.manifests.upload import uploaded_file
from checker.web.rendering import page_headers
from checker.web.shown import shanghai_minute
from checker.web.visit import Form, Visit, page

MANIFESTS: Final = f"{DESK}/manifests"
JOB: Final = "job"
SAID: Final = "said"
FETCHED: Final = "fetched"
DISCARDED: Final = "discarded"
GONE: Final = "gone"
SAYINGS: Final = frozenset({FETCHED, DISCARDED, GONE})
"""The words about a job that is no more."""


@page("GET", MANIFESTS, roles=CLERKS)
async def show_manifests(visit: Visit) -> Reply:
    """Show the job of the session, or the form for a sheet."""
    found = await _found(visit)
    if found is None:
        said = visit.request.query_params.get(SAID)
        return _upload_page(visit, said=said if said in SAYINGS else None)
    job = found.job
    if job.result is not None:
        return _show(visit, "done", job=job, until=_until(job), decisions=DECISIONS)
    if found.progress is not None:
        return _show(visit, "running", job=job, until=_until(job), progress=found.progress)
    fault = INTERRUPTED if job.is_begun else job.fault
    asked = visit.request.query_params.get(SERVICE_TYPE)
    return _columns_page(visit, job, {} if asked is None else {SERVICE_TYPE: asked}, fault)


@page("POST", MANIFESTS, roles=CLERKS)
async def upload(visit: Visit) -> Reply:
    """Read the columns of a sheet, and keep the sheet for the next step."""
    try:
        file = await uploaded_file(visit)
    except TooLarge:
        return _upload_page(visit, SheetRefusal(fault=SheetFault.TOO_LARGE), status=413)
    if not file.name:
        return _upload_page(visit, NO_FILE, status=422)
    signed_in = visit.signed_in
    try:
        look = await _parts(visit).reader.look(signed_in.caller.account_id, file.content)
    except UnreadSheet as error:
        return _upload_page(visit, error.refusal, status=422)
    except QuotaExceeded:
        return _upload_page(visit, BUSY, status=429)
    jobs = _parts(visit).jobs
    job = ManifestJob(
        id=token_urlsafe(16),
        account_id=signed_in.caller.account_id,
        file_name=checked_name(file.name, file.content),
        look=look,
        ends_at=jobs.ends_at(),
    )
    planned = _planned(job, None)
    if isinstance(planned, SheetRefusal) and planned.fault not in SERVICE_HELPS:
        return _upload_page(visit, planned, status=422)
    try:
        is_kept = await jobs.begin(signed_in.cookie, job, file.content)
    except CacheUnavailable:
        raise Unavailable("no sheet can be kept now") from None
    return visit.redirect(MANIFESTS) if is_kept else _upload_page(visit, BUSY, status=503)


@page("POST", f"{MANIFESTS}/run", roles=CLERKS)
async def run(visit: Visit) -> Reply:
    """Begin to check the sheet that the person has confirmed."""
    form = await visit.form()
    found = await _found(visit, form)
    if found is None:
        return _gone(visit)
    if found.job.result is not None or found.progress is not None:
        return visit.redirect(MANIFESTS)
    service = None
    if SERVICE_TYPE in form:
        chosen = service_type_of(visit, form[SERVICE_TYPE])
        if chosen is None:
            return _columns_page(visit, found.job, form, SheetFault.SERVICE, status=422)
        service = service_of(chosen, form)
    planned = _planned(found.job, service)
    if isinstance(planned, SheetRefusal):
        return _columns_page(visit, found.job, form, planned.fault, status=422)
    signed_in = visit.signed_in
    order = RunOrder(
        cookie=signed_in.cookie,
        address=visit.address,
        caller=signed_in.caller,
        job=msgspec.structs.replace(found.job, service=service),
        language=SheetLanguage(visit.language),
    )
    batches: BatchesResource = visit.request.app.state.batches
    try:
        await _parts(visit).runs.begin(order, batches)
    except CacheUnavailable:
        raise Unavailable("no sheet can be checked now") from None
    return visit.redirect(MANIFESTS)


@page("POST", f"{MANIFESTS}/file", roles=CLERKS)
async def download(visit: Visit) -> Reply:
    """Return the checked sheet, and forget the job."""
    found = await _found(visit, await visit.form())
    if found is None or found.job.result is None:
        return _gone(visit)
    jobs, cookie = _parts(visit).jobs, visit.signed_in.cookie
    try:
        content = await jobs.content(cookie, found.job)
        if content is None:
            return _gone(visit)
        await jobs.forget(cookie)
    except CacheUnavailable:
        raise Unavailable("the sheet cannot be fetched now") from None
    return Reply(
        status=200,
        body=content,
        media_type=media_type_of(content),
        headers={**page_headers(), "content-disposition": disposition_of(found.job.file_name)},
    )


@page("POST", f"{MANIFESTS}/discard", roles=CLERKS)
async def discard(visit: Visit) -> Reply:
    """Forget the job, whatever its state."""
    await visit.form()
    try:
        await _parts(visit).jobs.forget(visit.signed_in.cookie)
    except CacheUnavailable:
        raise Unavailable("the sheet cannot be deleted now") from None
    return visit.redirect(f"{MANIFESTS}?{SAID}={DISCARDED}")


def _parts(visit: Visit) -> Manifests:
    parts: Manifests = visit.request.app.state.manifests
    return parts


async def _found(visit: Visit, form: Form | None = None) -> FoundJob | None:
    """Return the job of the session; with a form, only the job that the form is about.

    Raises:
        Unavailable: Redis is away.
    """
    try:
        found = await _parts(visit).jobs.find(visit.signed_in.cookie)
    except CacheUnavailable:
        raise Unavailable("the sheet cannot be looked up now") from None
    is_other = found is not None and form is not None and form.get(JOB) != found.job.id
    return None if is_other else found


def _planned(job: ManifestJob, service: Mapping[str, Any] | None) -> SheetPlan | SheetRefusal:
    try:
        return plan_sheet(job.look.found, SheetLayout.AUTO, service)
    except InvalidRequest as error:
        return refusal_of(error)


def _gone(visit: Visit) -> Reply:
    return visit.redirect(f"{MANIFESTS}?{SAID}={GONE}")


def _upload_page(
    visit: Visit,
    refusal: SheetRefusal | str | None = None,
    *,
    said: str | None = None,
    status: int = 200,
) -> Reply:
    fault = refusal.fault if isinstance(refusal, SheetRefusal) else refusal
    headers = refusal.headers if isinstance(refusal, SheetRefusal) else ()
    return _show(visit, "upload", status=status, fault=fault, at_fault=headers, said=said)


def _columns_page(
    visit: Visit, job: ManifestJob, form: Form, fault: str | None, *, status: int = 200
) -> Reply:
    """Return the page that shows the columns; `form` is the form as it was filled."""
    planned = _planned(job, None)
    plan = planned if isinstance(planned, SheetPlan) else None
    services = services_of(visit)
    return _show(
        visit,
        "columns",
        status=status,
        job=job,
        plan=plan,
        columns=columns_shown(visit.words, job.look.found, plan),
        until=_until(job),
        fault=fault,
        services=services,
        chosen=service_type_of(visit, form.get(SERVICE_TYPE)),
        fields={each: fields_of(each) for each in services},
        filled=form,
    )


def _until(job: ManifestJob) -> str:
    """Return the time of the day at which a job ends by itself."""
    return shanghai_minute(job.ends_at).rpartition(" ")[2]


def _show(visit: Visit, state: str, *, status: int = 200, **values: Any) -> Reply:
    template = "manifests/part.html" if visit.is_partial else "manifests/manifests.html"
    return visit.show(template, status=status, state=state, list=list_age(visit), **values)
