"""Compares PostgreSQL with everything that was acknowledged in a run."""

from itertools import groupby
from time import monotonic

from tests.faults.mixed_load import Load
from tests.faults.registers import Register
from tests.faults.two_node_stand import Stand
from tests.support.running_service import wait_until

NOTICE_S_MAX = 15.0
"""The writer of notices takes turns of a second."""

_DECISIONS = "SELECT id::text FROM decision WHERE id = ANY($1::uuid[])"
_OUTCOMES = "SELECT decision_id::text FROM reported_outcome WHERE decision_id = ANY($1::uuid[])"
_STEPS = (
    "SELECT authorization_id::text, kind, amount_fen FROM authorization_step"
    " WHERE authorization_id = ANY($1::uuid[]) ORDER BY authorization_id, number"
)
_NOTICES = "SELECT listing_id, unnest(decision_ids)::text AS id FROM notice"


def losses(stand: Stand, load: Load, registers: list[Register]) -> list[str]:
    """Return every acknowledged write that is not there, in words."""
    seen = load.seen
    rows = stand.postgres.rows
    kept = {row["id"] for row in rows(_DECISIONS, list(seen.decisions))}
    lost = [f"decision {each}" for each in seen.decisions.keys() - kept]
    reported = {row["decision_id"] for row in rows(_OUTCOMES, list(seen.outcomes))}
    lost += [f"outcome of {each}" for each in seen.outcomes.keys() - reported]
    lost += _lost_steps(stand, load)
    lost += _lost_notices(stand, load, registers)
    return lost


def _lost_steps(stand: Stand, load: Load) -> list[str]:
    model = load.crowd.model
    found = stand.postgres.rows(_STEPS, list(model.steps))
    steps = {
        each: [(row["kind"], row["amount_fen"]) for row in group]
        for each, group in groupby(found, key=lambda row: row["authorization_id"])
    }
    return [
        f"authorization {each}: {steps.get(each, [])}, not {known}"
        for each, known in model.steps.items()
        if not model.agrees(each, steps.get(each, []))
    ]


def _lost_notices(stand: Stand, load: Load, registers: list[Register]) -> list[str]:
    """Wait for the notices of all listings that have ended; return those that do not come."""
    standing = {register.last.listing_id for register in registers}
    ended = {
        (listing_id, decision)
        for decision, (_, listings) in load.seen.decisions.items()
        for listing_id in listings - standing
    }
    missing: set[tuple[str, str]] = set(ended)

    def have_come() -> bool:
        found = stand.postgres.rows(_NOTICES)
        missing.difference_update((row["listing_id"], row["id"]) for row in found)
        return not missing

    until = monotonic() + NOTICE_S_MAX
    wait_until(lambda: have_come() or monotonic() > until)
    return [f"notice of {listing_id} for {decision}" for listing_id, decision in missing]
