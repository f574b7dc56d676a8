"""Corrections (contract, section 6): anybody may file one, and the court rules.

The text that the person wrote is shown to courts and operators alone. Anybody who has the id of a
correction may see its status; nobody can guess an id.
"""

from typing import Final

import msgspec

from checker.accounts.keys import Action, Caller
from checker.api.call import Call
from checker.api.correction_bodies import FileCorrection, RuleOnCorrection
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply, json_reply
from checker.api.operation import KeyUse, RequestBody, Success, Tag
from checker.api.paging import AFTER, LIMIT, PAGING, cut_page
from checker.api.parameters import optional_word, words_of
from checker.corrections.correction import Correction, CorrectionState, Ruling
from checker.corrections.intake import Filing
from checker.corrections.views import (
    CorrectionProgress,
    CorrectionReceived,
    CorrectionsPage,
    CorrectionSummary,
    CorrectionView,
    progress_fields,
    received_fields,
    summary_fields,
)
from checker.errors import Conflict, Fault, InvalidRequest, NotFound, QuotaExceeded
from checker.node.runtime import Runtime

BODY_BYTES_MAX = 32 * 1024
"""All characters of a filing at 12 bytes each, the longest form in JSON."""

CORRECTIONS: Final = Tag(
    name="corrections", description="Corrections of the list, and the courts' rulings."
)
_STATUS: Final = optional_word(
    "status", "Only corrections of this status", words_of(CorrectionState)
)
_ID: Final = "8d0f6c1e-6f0b-4c8a-9d56-1c7a2b3d4e5f"
_LOCATION: Final = {"Location": "The address of the correction"}
_RECEIVED: Final = {
    "id": _ID,
    "received_on": "2026-11-23",
    "due_on": "2026-11-26",
    "due_basis": "calendar_roll",
    "provisional": False,
}
_SUMMARY: Final = _RECEIVED | {
    "status": "ruled",
    "ruling": "upheld",
    "ruled_at": "2026-11-24T01:02:03.456Z",
    "late": False,
    "account_id": None,
    "decision_id": None,
    "ground_code": "performed",
    "effect": "delist",
    "listings": [
        {
            "id": "707091354",
            "case_number": "（2016）粤0882执123号",
            "court": "雷州市人民法院",
            "published_on": "2016-07-07",
            "delisted": True,
        }
    ],
    "version": 43,
}


@endpoint(
    "POST",
    "/v1/corrections",
    may=(Action.FILE_CORRECTION,),
    key=KeyUse.OPTIONAL,
    tag=CORRECTIONS,
    body=RequestBody(
        kinds=(FileCorrection,),
        bytes_max=BODY_BYTES_MAX,
        example={
            "listing_id": "707091354",
            "ground": "已于2016年5月履行完毕",
            "contact": "someone@example.com",
        },
    ),
    answers=(
        Success(status=201, kinds=(CorrectionReceived,), example=_RECEIVED, headers=_LOCATION),
    ),
    raises=(NotFound, QuotaExceeded),
)
async def file_correction(call: Call) -> Reply:
    """File a correction: somebody is on the list by mistake.

    A key may be left out. Without a key the number of filings an hour is bounded by the network
    address of the sender.
    """
    asked = await call.body(FileCorrection)
    caller = call.origin.caller
    filing = filing_of(asked, call.origin.address, caller)
    if caller is not None:
        await call.spend(1)
        filed = await call.runtime.corrections.file(filing)
    else:
        filed = await file_without_key(call.runtime, filing)
    return json_reply(
        CorrectionReceived(**received_fields(filed)),
        status=201,
        headers={"location": f"/v1/corrections/{filed.id}"},
    )


def filing_of(asked: FileCorrection, address: str, caller: Caller | None) -> Filing:
    """Return the filing of a body that came from `address`; `caller` None: without a key.

    Raises:
        InvalidRequest: the body names neither a listing nor a decision, or both.
    """
    if (asked.listing_id is None) == (asked.decision_id is None):
        fault = Fault("/listing_id", "name a listing or a decision: one of both")
        raise InvalidRequest("it is not said what is to be corrected", [fault])
    return Filing(
        listing_id=asked.listing_id,
        decision_id=asked.decision_id,
        ground=asked.ground,
        contact=asked.contact,
        ground_code=None if asked.ground_code is msgspec.UNSET else asked.ground_code,
        account_id=None if caller is None else caller.account_id,
        sees_all=caller is not None and caller.may(Action.SEE_CORRECTIONS),
        sender=address,
    )


async def file_without_key(runtime: Runtime, filing: Filing) -> Correction:
    """Count the sender of a filing without a key, file the correction, and return it.

    Raises:
        QuotaExceeded, Unavailable: as `Senders.attempt`.
        NotFound, QuotaExceeded, Unavailable: as `CorrectionIntake.take`.
    """
    assert filing.sender is not None, "a filing without a key has the address of its sender"
    await runtime.senders.attempt(filing.sender)
    return await runtime.corrections.file(filing)


async def find_without_key(runtime: Runtime, correction_id: str, address: str) -> Correction:
    """Count a caller without a key, and return the correction of an id.

    Raises:
        QuotaExceeded, Unavailable: as `Senders.attempt`.
        NotFound: there is no correction of this id.
    """
    await runtime.senders.attempt(address)
    return await runtime.corrections.find(correction_id)


@endpoint(
    "POST",
    "/v1/corrections/{correction_id}/ruling",
    may=(Action.RULE,),
    tag=CORRECTIONS,
    body=RequestBody(
        kinds=(RuleOnCorrection,),
        bytes_max=BODY_BYTES_MAX,
        example={"ruling": "upheld", "note": "判决已撤销"},
    ),
    answers=(Success(kinds=(CorrectionSummary,), example=_SUMMARY),),
    raises=(NotFound, Conflict),
)
async def rule_on_correction(call: Call) -> Reply:
    """Rule on a correction, once.

    An upheld ruling takes effect in the same step, on every node, before the answer comes: the
    listings end, or no longer reach the document of the decision, or go on without the officer. A
    court that is bound to `courts` rules on its own listings alone.
    """
    asked = await call.body(RuleOnCorrection)
    if asked.listing_ids is not None and asked.ruling is not Ruling.UPHELD:
        fault = Fault("/listing_ids", "says what ends, and by this ruling nothing does")
        raise InvalidRequest("a field does not go with the ruling", [fault])
    effect = None if asked.effect is msgspec.UNSET else asked.effect
    if effect is not None and asked.ruling is not Ruling.UPHELD:
        fault = Fault("/effect", "belongs to an upheld ruling alone")
        raise InvalidRequest("a field does not go with the ruling", [fault])
    corrections = call.runtime.corrections
    ruled = await corrections.rule(
        call.path("correction_id"),
        asked.ruling,
        ruled_by=call.caller.account_id,
        note=asked.note,
        listing_ids=asked.listing_ids,
        courts=call.caller.courts,
        effect=effect,
    )
    return json_reply(CorrectionSummary(**summary_fields(ruled, corrections.today)))


@endpoint(
    "GET",
    "/v1/corrections",
    may=(Action.SEE_CORRECTIONS,),
    tag=CORRECTIONS,
    query=(_STATUS, *PAGING),
    answers=(Success(kinds=(CorrectionsPage,), example={"corrections": [_SUMMARY], "next": None}),),
)
async def list_corrections(call: Call) -> Reply:
    """List corrections, oldest first, without the texts.

    `status=open` includes the overdue ones.
    """
    status, limit = call.query(_STATUS), call.query(LIMIT)
    corrections = call.runtime.corrections
    page = await corrections.page(status, call.query(AFTER), limit + 1, call.caller.courts)
    found, last = cut_page(page, limit)
    today = corrections.today
    shown = tuple(CorrectionSummary(**summary_fields(each, today)) for each in found)
    following = None if last is None else last.number
    return json_reply(CorrectionsPage(corrections=shown, next=following))


@endpoint(
    "GET",
    "/v1/corrections/{correction_id}",
    may=(Action.FILE_CORRECTION,),
    key=KeyUse.OPTIONAL,
    tag=CORRECTIONS,
    answers=(
        Success(
            kinds=(CorrectionView, CorrectionProgress),
            example=_RECEIVED | {"status": "open", "ruling": None, "ruled_at": None},
        ),
    ),
    raises=(NotFound, QuotaExceeded),
)
async def show_correction(call: Call) -> Reply:
    """Show the status of a correction.

    A key may be left out. Courts and operators see the whole correction, with its texts.
    """
    runtime, caller = call.runtime, call.origin.caller
    correction_id = call.path("correction_id")
    if caller is None:
        found = await find_without_key(runtime, correction_id, call.origin.address)
    else:
        found = await runtime.corrections.find(correction_id, caller.courts)
    today = runtime.corrections.today
    if caller is None or not caller.may(Action.SEE_CORRECTIONS):
        return json_reply(CorrectionProgress(**progress_fields(found, today)))
    words = await runtime.corrections.words(found)
    return json_reply(
        CorrectionView(**summary_fields(found, today), **msgspec.structs.asdict(words))
    )
