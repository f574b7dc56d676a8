"""The act of the clerk after a verdict: refused, changed, sold, or overridden with a reason."""

from typing import Final

import msgspec

from checker.api.decisions import ReportOutcome, reported
from checker.api.exchange import Reply
from checker.audit.outcomes import ReportedOutcome
from checker.errors import Fault, InvalidRequest
from checker.web.desk.check_form import CLERKS, DESK
from checker.web.visit import Form, Visit, page

OUTCOMES: Final = f"{DESK}/outcomes"
_DECISION: Final = "decision_id"


@page("POST", OUTCOMES, roles=CLERKS)
async def report(visit: Visit) -> Reply:
    """Keep the outcome of a decision, as `POST /v1/checks/{id}/outcomes` does."""
    form = await visit.form()
    asked = _asked(form)
    kept = await reported(
        visit.runtime, visit.signed_in.caller.account_id, form.get(_DECISION, ""), asked
    )
    template = "desk/outcome.html" if visit.is_partial else "desk/outcome_page.html"
    return visit.show(template, outcome=kept.outcome)


def _asked(form: Form) -> ReportOutcome:
    """Return the outcome of a form. Raises InvalidRequest."""
    sent = {name: form[name] for name in ("outcome", "note") if name in form}
    try:
        asked = msgspec.convert(sent, ReportOutcome)
    except msgspec.ValidationError:
        raise InvalidRequest("an outcome is refused, sold, cancelled or overridden") from None
    if asked.outcome is ReportedOutcome.OVERRIDDEN and asked.note is None:
        fault = Fault("/note", "is missing: say why the decision was overridden")
        raise InvalidRequest("the reason is missing", [fault])
    return asked
