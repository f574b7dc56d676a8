"""Corrections (contract, section 6): filed by whoever is on the list, ruled on by the court.

What the person wrote is for those who rule alone. Whoever has a correction's id, which nobody can
guess, may see how it stands.
"""

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from checker.accounts.keys import Action
from checker.api.access import admit, require
from checker.api.caller_address import caller_address
from checker.api.exchange import Reply, encode, read_body
from checker.api.parameters import number, refuse_unknown
from checker.api.responses import respond, respond_json
from checker.corrections.correction import Concerned, Correction, CorrectionState, Ruling
from checker.corrections.intake import Filing
from checker.decoding import decode
from checker.domain.clock import instant_text
from checker.errors import Fault, InvalidRequest
from checker.node.runtime import Runtime

GROUND_LENGTH_MAX = 2_000
"""A page; documents are for the court, by its own ways."""
CONTACT_LENGTH_MAX = 200
NOTE_LENGTH_MAX = 2_000
ID_LENGTH_MAX = 100
LISTINGS_MAX = 1_000
BODY_BYTES_MAX = 32 * 1024
"""All of a filing's characters at 12 bytes each, as JSON may write them."""
PAGE_CORRECTIONS = 100
PAGE_CORRECTIONS_MAX = 1_000
_NUMBER_MAX = 10**18 - 1

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH_MAX)]
# Something must be there that can be read.
_Ground = Annotated[str, msgspec.Meta(max_length=GROUND_LENGTH_MAX, pattern=r"\S")]
_Contact = Annotated[str, msgspec.Meta(max_length=CONTACT_LENGTH_MAX, pattern=r"\S")]
_Note = Annotated[str, msgspec.Meta(max_length=NOTE_LENGTH_MAX)]
_ListingIds = Annotated[tuple[_Id, ...], msgspec.Meta(min_length=1, max_length=LISTINGS_MAX)]


class FileCorrection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong, by the listing or by the answer that somebody was refused with: one of both.

    `contact` is where the court's ruling goes.
    """

    listing_id: _Id | None = None
    decision_id: _Id | None = None
    ground: _Ground
    contact: _Contact


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the court rules. `listing_ids`: which listings end, of those that it is about; all of
    them unless it is said, which it must be where they are of several courts.
    """

    ruling: Ruling
    note: _Note | None = None
    listing_ids: _ListingIds | None = None


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A correction was taken in; `due_on` is the last day on which a ruling is in time."""

    id: str
    received_on: date
    due_on: date


class CorrectionStatus(Received, frozen=True, kw_only=True):
    """How a correction stands; `ruling` and `ruled_at` are null while the court has said nothing.

    `overdue`: the court's days are over without one.
    """

    status: CorrectionState
    ruling: Ruling | None
    ruled_at: str | None


class CorrectionSummary(CorrectionStatus, frozen=True, kw_only=True):
    """The same for those who rule. `late`: received after the days for applying were over.

    `account_id` is null where it was filed without a key, `decision_id` where it was filed about a
    listing; `version` is the list's in which the listings that are `delisted` have ended.
    """

    late: bool
    account_id: str | None
    decision_id: str | None
    listings: tuple[Concerned, ...]
    version: int | None


class CorrectionView(CorrectionSummary, frozen=True, kw_only=True):
    """A correction with what was written."""

    ground: str
    contact: str
    note: str | None


class CorrectionsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of corrections, oldest first; `next` goes into `after`, null: there are no more."""

    corrections: tuple[CorrectionSummary, ...]
    next: int | None


_file = msgspec.json.Decoder(FileCorrection)
_rule = msgspec.json.Decoder(Rule)


@post("/v1/corrections", status_code=201)
async def file_correction(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Take a correction in, with a key or without."""
    caller = await admit(request, Action.FILE_CORRECTION)
    refuse_unknown(request, ())
    asked = decode(_file, await read_body(request.receive, BODY_BYTES_MAX))
    if (asked.listing_id is None) == (asked.decision_id is None):
        fault = Fault("/listing_id", "name a listing or a decision: one of both")
        raise InvalidRequest("it is not said what is to be corrected", [fault])
    runtime: Runtime = request.app.state.runtime
    sender = caller_address(request.scope)
    if caller is not None:
        request.state.allowance = await runtime.quotas.take(caller, 1)
    else:
        await runtime.senders.attempt(sender)
    filed = await runtime.corrections.file(
        Filing(
            listing_id=asked.listing_id,
            decision_id=asked.decision_id,
            ground=asked.ground,
            contact=asked.contact,
            account_id=None if caller is None else caller.account_id,
            sees_all=caller is not None and caller.may(Action.SEE_CORRECTIONS),
            sender=sender,
        )
    )
    answer = Received(id=filed.id, received_on=filed.received_on, due_on=filed.due_on)
    return respond(Reply(status=201, body=encode(answer)))


@post("/v1/corrections/{correction_id:str}/ruling", status_code=200)
async def rule_on_correction(
    request: Request[Any, Any, Any], correction_id: FromPath[str]
) -> Response[bytes]:
    """Rule, once; what is upheld is delisted when the answer comes, on every node."""
    caller = await require(request, Action.RULE)
    refuse_unknown(request, ())
    asked = decode(_rule, await read_body(request.receive, BODY_BYTES_MAX))
    if asked.listing_ids is not None and asked.ruling is not Ruling.UPHELD:
        fault = Fault("/listing_ids", "says what ends, and by this ruling nothing does")
        raise InvalidRequest("a field does not go with the ruling", [fault])
    runtime: Runtime = request.app.state.runtime
    ruled = await runtime.corrections.rule(
        correction_id,
        asked.ruling,
        ruled_by=caller.account_id,
        note=asked.note,
        listing_ids=asked.listing_ids,
    )
    return respond_json(CorrectionSummary(**_summary(ruled, runtime.corrections.today)))


@get("/v1/corrections")
async def list_corrections(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Tell which corrections there are, without what was written."""
    await require(request, Action.SEE_CORRECTIONS)
    refuse_unknown(request, ("status", "after", "limit"))
    status = _status_of(request.query_params.get("status"))
    after = number(request, "after", default=0, low=0, high=_NUMBER_MAX)
    limit = number(request, "limit", default=PAGE_CORRECTIONS, low=1, high=PAGE_CORRECTIONS_MAX)
    runtime: Runtime = request.app.state.runtime
    # One more than is shown tells whether there are more.
    found = await runtime.corrections.page(status, after, limit + 1)
    today = runtime.corrections.today
    shown = tuple(CorrectionSummary(**_summary(each, today)) for each in found[:limit])
    following = found[limit - 1].number if len(found) > limit else None
    return respond_json(CorrectionsPage(corrections=shown, next=following))


@get("/v1/corrections/{correction_id:str}")
async def show_correction(
    request: Request[Any, Any, Any], correction_id: FromPath[str]
) -> Response[bytes]:
    """Tell how a correction stands; what was written is for those who rule."""
    caller = await admit(request, Action.FILE_CORRECTION)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    if caller is None:
        await runtime.senders.attempt(caller_address(request.scope))
    found = await runtime.corrections.find(correction_id)
    today = runtime.corrections.today
    if caller is None or not caller.may(Action.SEE_CORRECTIONS):
        return respond_json(CorrectionStatus(**_status(found, today)))
    words = await runtime.corrections.words(found)
    return respond_json(CorrectionView(**_summary(found, today), **msgspec.structs.asdict(words)))


def _status(found: Correction, today: date) -> dict[str, Any]:
    return {
        "id": found.id,
        "received_on": found.received_on,
        "due_on": found.due_on,
        "status": found.status(today),
        "ruling": found.ruling,
        "ruled_at": None if found.ruled_at is None else instant_text(found.ruled_at),
    }


def _summary(found: Correction, today: date) -> dict[str, Any]:
    return {
        **_status(found, today),
        "late": found.late,
        "account_id": found.account_id,
        "decision_id": found.decision_id,
        "listings": found.listings,
        "version": found.version,
    }


def _status_of(text: str | None) -> CorrectionState | None:
    if text is None:
        return None
    try:
        return CorrectionState(text)
    except ValueError:
        known = ", ".join(CorrectionState)
        raise InvalidRequest("status is not known", [Fault("/status", f"is {known}")]) from None
