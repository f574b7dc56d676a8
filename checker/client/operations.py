"""The operations of the API as values: what is sent, and how the answer is read."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from checker.client.answers import (
    CheckAnswer,
    HeldMoney,
    ItemAnswer,
    ManyAnswers,
    NoticesRead,
)
from checker.client.errors import ProblemAnswer, problem_in
from checker.domain.document import DocumentType
from checker.domain.service import Resort, Service

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_check_decoder = msgspec.json.Decoder(CheckAnswer)
_item_decoder = msgspec.json.Decoder(ItemAnswer)
_authorization_decoder = msgspec.json.Decoder(HeldMoney)
_notices_decoder = msgspec.json.Decoder(NoticesRead)


class ApiOperation(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One request, and the reading of its answer.

    `is_repeatable`: the same request may be sent again after it was sent and got no answer.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    is_repeatable: bool

    def __repr__(self) -> str:
        return f"ApiOperation({self.method} {self.path})"


def subject_of(
    document_type: DocumentType | str, number: str, name: str | None, **more: Any
) -> dict[str, Any]:
    """Return a subject as it is sent; `more` holds the other fields of the document."""
    document = {"type": DocumentType(document_type).value, "number": number, **more}
    return {"document": document} if name is None else {"document": document, "name": name}


def check(
    document_type: DocumentType | str,
    number: str,
    *,
    service: Service,
    name: str | None = None,
    jurisdiction: str | None = None,
    reference: str | None = None,
    receipt: bool = False,
    **document: Any,
) -> ApiOperation[CheckAnswer]:
    """Return a check of one person. `document` holds other fields of it, such as `issuer`.

    Send the name if it is known, and a `reference` for each sale: a check with a reference may be
    repeated after a lost answer, because it uses up a permit once.
    """
    sent = {
        "subject": subject_of(document_type, number, name, **document),
        "service": service,
        "jurisdiction": jurisdiction,
        "reference": reference,
        "receipt": receipt or None,
    }
    return ApiOperation(
        method="POST",
        path="/v1/checks",
        read=_check_decoder.decode,
        body=_body(sent),
        is_repeatable=reference is not None,
    )


def check_many(
    subjects: Iterable[Mapping[str, Any]],
    *,
    service: Service,
    jurisdiction: str | None = None,
    order: bool = False,
) -> ApiOperation[ManyAnswers]:
    """Return a check of several people for one service; `subject_of` makes a subject.

    `order`: the answer has a verdict on the booking as a whole.
    """
    sent = {
        "subjects": list(subjects),
        "service": service,
        "jurisdiction": jurisdiction,
        "order": order or None,
    }
    return ApiOperation(
        method="POST",
        path="/v1/checks/batch",
        read=_read_batch,
        body=_body(sent),
        is_repeatable=False,
    )


def report_outcome(
    decision_id: str, outcome: str, *, note: str | None = None
) -> ApiOperation[None]:
    """Return a report of what was done after a decision: `refused`, `sold`, `cancelled`, …"""
    return ApiOperation(
        method="POST",
        path=f"/v1/checks/{decision_id}/outcomes",
        read=_nothing,
        body=_body({"outcome": outcome, "note": note}),
        is_repeatable=True,  # the same outcome again is not appended
    )


def authorize(
    document_type: DocumentType | str,
    number: str,
    *,
    service: Resort,
    name: str | None = None,
    jurisdiction: str | None = None,
    reference: str | None = None,
    hold_seconds: int | None = None,
) -> ApiOperation[HeldMoney]:
    """Return a hold of `service.amount_fen`. Raises `ApiProblem` `cap-exceeded` when it is sent."""
    sent = {
        "subject": subject_of(document_type, number, name),
        "service": service,
        "jurisdiction": jurisdiction,
        "reference": reference,
        "hold_seconds": hold_seconds,
    }
    return _order("", sent)


def capture(authorization_id: str, amount_fen: int) -> ApiOperation[HeldMoney]:
    """Return a capture: this amount was spent, and the rest of the hold is released."""
    return _order(f"/{authorization_id}/capture", {"amount_fen": amount_fen})


def void(authorization_id: str) -> ApiOperation[HeldMoney]:
    """Return a void: nothing was spent."""
    return _order(f"/{authorization_id}/void", {})


def refund(authorization_id: str, amount_fen: int) -> ApiOperation[HeldMoney]:
    """Return a refund: this amount was given back, so there is room for it again."""
    return _order(f"/{authorization_id}/refund", {"amount_fen": amount_fen})


def authorization(authorization_id: str) -> ApiOperation[HeldMoney]:
    """Return a look at an authorization."""
    return ApiOperation(
        method="GET",
        path=f"/v1/spending/authorizations/{authorization_id}",
        read=_authorization_decoder.decode,
        is_repeatable=True,
    )


def notices(after: str | None = None) -> ApiOperation[NoticesRead]:
    """Return a look at the notices behind a cursor; None: from the beginning."""
    query = "" if after is None else f"?after={after}"
    return ApiOperation(
        method="GET",
        path=f"/v1/notices{query}",
        read=_notices_decoder.decode,
        is_repeatable=True,
    )


def _order(path: str, sent: Mapping[str, Any]) -> ApiOperation[HeldMoney]:
    """Return an order of money under a key of its own, so that a repetition is no second order."""
    return ApiOperation(
        method="POST",
        path=f"/v1/spending/authorizations{path}",
        read=_authorization_decoder.decode,
        body=_body(sent),
        headers={"idempotency-key": secrets.token_hex(16)},
        is_repeatable=True,
    )


def _body(sent: Mapping[str, Any]) -> bytes:
    return _encode({name: value for name, value in sent.items() if value is not None})


def _nothing(_body: bytes) -> None:
    return None


class _RawBatch(msgspec.Struct, frozen=True, kw_only=True):
    list: msgspec.Raw
    results: tuple[msgspec.Raw, ...]
    order: msgspec.Raw | None = None


class _FailedItem(msgspec.Struct, frozen=True, kw_only=True):
    error: ProblemAnswer | None = None


_raw_batch_decoder = msgspec.json.Decoder(_RawBatch)
_failed_decoder = msgspec.json.Decoder(_FailedItem)


def _read_batch(body: bytes) -> ManyAnswers:
    raw = _raw_batch_decoder.decode(body)
    outer: dict[str, Any] = {"list": raw.list, "results": []}
    if raw.order is not None:
        outer["order"] = raw.order
    read = msgspec.json.decode(_encode(outer), type=ManyAnswers)
    return msgspec.structs.replace(read, results=tuple(map(_read_item, raw.results)))


def _read_item(raw: msgspec.Raw) -> Any:
    failed = _failed_decoder.decode(raw)
    if failed.error is None:
        return _item_decoder.decode(raw)
    status = msgspec.json.decode(raw)["error"].get("status", 0)
    return problem_in(status, _encode(failed.error))
