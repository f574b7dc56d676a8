"""Decides about a hold by the rules, and finds the document under which its amount counts: pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from checker.domain.decision import Decision, ReasonCode
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.rules import decide
from checker.domain.service import Resort
from checker.domain.standing import Standing
from checker.registry.document_key import DocumentKey
from checker.registry.found_document import Trace
from checker.spending.balance import Room


def capped_document(
    whole: Decision, traces: Sequence[Trace], counted: Mapping[DocumentKey, DocumentKey]
) -> DocumentKey | None:
    """Return the first document that a listing reaches which caps the subject, as it counts.

    `counted` are the subject's documents (`checker.spending.persons`).
    """
    capping = {
        reason.listing.id
        for reason in whole.reasons
        if reason.code is ReasonCode.CAPPED and reason.listing is not None
    }
    found = (counted[each.document] for each in traces if each.listing_id in capping)
    return next(found, None)


def decide_hold(
    standing: Standing, service: Resort, policy: EffectivePolicy, room: Room | None, now: datetime
) -> Decision:
    """Return the decision about holding the amount of a service, with the room before it."""
    decision = decide(
        standing,
        service,
        policy=policy,
        now=now,
        held_fen=0 if room is None else room.held_fen,
        captured_fen=0 if room is None else room.captured_fen,
    )
    if decision.spending is None or room is None:
        return decision
    return msgspec.structs.replace(decision, spending=room.spending())
