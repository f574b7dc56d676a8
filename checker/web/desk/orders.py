"""Spending under a cap at the desk: a resort clerk holds, increases, captures, releases, refunds.

Each order is an order of the API, with an idempotency key from the page. A page whose order got no
answer keeps its key. So the clerk sends the order again, and nothing is held twice.
"""

from collections.abc import Awaitable
from enum import StrEnum
from typing import Final

import msgspec

from checker.api.exchange import Reply
from checker.api.metrics import OrderKind
from checker.api.spending import AuthorizeRequest, counted, prepared_sale
from checker.decoding import decode
from checker.domain.decision import Outcome
from checker.domain.service import ServiceType
from checker.errors import (
    Conflict,
    IdempotencyKeyReused,
    InvalidRequest,
    InvalidSubject,
)
from checker.spending.answers import AuthorizationView, Uncapped
from checker.spending.errors import CapExceeded
from checker.spending.orders import Amount
from checker.web.desk.check_form import (
    CLERKS,
    DESK,
    ORDER_KEY,
    as_read,
    check_body,
    checked,
    new_order_key,
    shown,
)
from checker.web.desk.reader_line import UnreadableLine
from checker.web.desk.verdict import (
    DeskVerdict,
    held_verdict,
    invalid_verdict,
    misread_verdict,
    words_verdict,
)
from checker.web.sums import fen_of
from checker.web.visit import Form, Visit, page

HOLDS: Final = f"{DESK}/holds"
ORDERS: Final = f"{DESK}/orders"
AMOUNT: Final = "amount_fen"
_SERVICE: Final = ServiceType.RESORT
_holds = msgspec.json.Decoder(AuthorizeRequest)


class DeskOrder(StrEnum):
    """An order about a hold that is shown on the page."""

    INCREMENT = "increment"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


@page("POST", HOLDS, roles=CLERKS)
async def hold(visit: Visit) -> Reply:
    """Hold the amount of the form for its guest."""
    form = await visit.form()
    verdict = await _held(visit, form)
    return shown(visit, _SERVICE, form, verdict, next_key=new_order_key())


@page("POST", ORDERS, roles=CLERKS)
async def order(visit: Visit) -> Reply:
    """Carry out an order about a hold, and show the hold as it then is."""
    form = await visit.form()
    held_id, account_id = form.get("authorization_id", ""), visit.signed_in.caller.account_id
    view: AuthorizationView | None = None
    refusal, room = None, None
    try:
        answer = await _ordered(visit, form, account_id, held_id)
        if isinstance(answer, AuthorizationView):
            view = answer
        else:
            refusal = "order.uncapped"
    except CapExceeded as error:
        refusal, room = "order.no_room", error.spending
    except (Conflict, IdempotencyKeyReused):
        refusal = "order.not_now"
    except InvalidRequest:
        refusal = "order.amount"
    if view is None:
        view = await visit.runtime.spending.find(account_id, held_id)
    if room is not None:
        view = msgspec.structs.replace(view, spending=room)
    verdict = held_verdict(visit, form, view, refusal=refusal)
    return shown(visit, _SERVICE, {}, verdict, next_key=new_order_key())


async def _held(visit: Visit, form: Form) -> DeskVerdict:
    """Return the verdict on an order to hold.

    Raises:
        Unavailable: nobody knows whether the amount is held; the page keeps its key.
    """
    caller, runtime = visit.signed_in.caller, visit.runtime
    try:
        form = as_read(form)
        asked = decode(_holds, check_body(_SERVICE, form))
        check = prepared_sale(asked, caller, runtime)
        await runtime.quotas.take(caller, 1)
        answer = await counted(
            visit.request.app.state.metrics,
            OrderKind.AUTHORIZE,
            runtime.spending.authorize(caller.account_id, _key(form), check),
        )
    except UnreadableLine as error:
        return misread_verdict(visit, error.fault)
    except InvalidSubject as error:
        return invalid_verdict(visit, form, [each.pointer for each in error.faults], error)
    except InvalidRequest as error:
        return invalid_verdict(visit, form, [each.pointer for each in error.faults])
    except CapExceeded as error:
        return words_verdict(visit, form, Outcome.DENY, "order.exceeded", spending=error.spending)
    except Conflict:
        # No sum can be held, and a check has the reasons.
        return await checked(visit, _SERVICE, form)
    except IdempotencyKeyReused:
        return words_verdict(visit, form, Outcome.REVIEW, "order.other_guest")
    if isinstance(answer, AuthorizationView):
        return held_verdict(visit, form, answer)
    if answer.decision is not msgspec.UNSET:
        return await checked(visit, _SERVICE, form)
    return words_verdict(visit, form, Outcome.ALLOW, "order.no_cap")


async def _ordered(
    visit: Visit, form: Form, account_id: str, held_id: str
) -> AuthorizationView | Uncapped:
    """Return the answer to an order about a hold. Raises as the orders of spending."""
    spending, key = visit.runtime.spending, _key(form)
    ordered: Awaitable[AuthorizationView | Uncapped]
    match form.get("order"):
        case DeskOrder.INCREMENT:
            kind = OrderKind.INCREMENT
            ordered = spending.increment(account_id, key, held_id, _amount(form))
        case DeskOrder.CAPTURE:
            kind = OrderKind.CAPTURE
            ordered = spending.capture(account_id, key, held_id, _amount(form))
        case DeskOrder.REFUND:
            kind = OrderKind.REFUND
            ordered = spending.refund(account_id, key, held_id, _amount(form))
        case DeskOrder.VOID:
            kind, ordered = OrderKind.VOID, spending.void(account_id, key, held_id)
        case _:
            raise InvalidRequest("no such order")
    return await counted(visit.request.app.state.metrics, kind, ordered)


def _key(form: Form) -> str:
    key = form.get(ORDER_KEY, "")
    if not (key.isascii() and key.isprintable() and 16 <= len(key) <= 64):
        raise InvalidRequest("the form has no key for its order; load the page again")
    return key


def _amount(form: Form) -> int:
    """Return the amount of an order. Raises InvalidRequest."""
    try:
        return msgspec.convert(fen_of(form.get(AMOUNT, "")), Amount)
    except msgspec.ValidationError:
        raise InvalidRequest("an amount is a whole number of fen") from None
