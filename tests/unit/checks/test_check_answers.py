"""Answers as the contract shows them: whose id they have, and the permit that lifted reasons."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from checker.checks.answer import BatchItem, ListState, answer_of, shown_permit
from checker.domain.decision import ALLOWED, Decision, Outcome, Reason, ReasonCode
from checker.domain.permit import Permit
from checker.domain.role import Role
from checker.domain.service import ServiceType

STATE = ListState(version=42, history="a" * 32, as_of="2026-11-23T01:02:03.456Z", stale=False)
REASON = Reason(
    code=ReasonCode.RESTRICTED,
    measure="cn-2016-64/2.7.1",
    role=Role.DEBTOR,
    listing=None,
    remedy=None,
)


def permit(uses_left: int | None) -> Permit:
    return Permit(
        id="P1",
        services=frozenset({ServiceType.RAIL, ServiceType.AIR, ServiceType.LODGING}),
        valid_from=datetime(2026, 11, 23, 8, tzinfo=timezone(timedelta(hours=8))),
        valid_until=datetime(2026, 11, 30, 16, tzinfo=UTC),
        uses_left=uses_left,
        court="雷州市人民法院",
        ground="因病就医",
    )


def shown(answer: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(answer))


def test_an_answer_has_the_id_that_is_kept() -> None:
    assert answer_of(ALLOWED, STATE, None, answer_id="kept").id == "kept"


def test_an_answer_without_a_permit_says_so() -> None:
    assert shown(answer_of(ALLOWED, STATE, "ORDER-1", answer_id="1")) == {
        "id": "1",
        "decision": "allow",
        "reasons": [],
        "permit": None,
        "spending": None,
        "list": {
            "version": 42,
            "history": "a" * 32,
            "as_of": "2026-11-23T01:02:03.456Z",
            "stale": False,
        },
        "reference": "ORDER-1",
        "receipt": None,
    }


@pytest.mark.parametrize(("before", "after"), [(None, None), (1, 0), (2, 1)])
def test_a_permit_is_shown_with_the_uses_left_after_the_answer(
    before: int | None, after: int | None
) -> None:
    decision = Decision(outcome=Outcome.ALLOW, reasons=(REASON,), permit=permit(before))
    answer = shown(answer_of(decision, STATE, None, answer_id="1"))
    assert answer["decision"] == "allow"
    assert [reason["code"] for reason in answer["reasons"]] == ["restricted"]
    assert answer["permit"] == {
        "id": "P1",
        "services": ["air", "lodging", "rail"],
        "valid_from": "2026-11-23T00:00:00.000Z",
        "valid_until": "2026-11-30T16:00:00.000Z",
        "uses_left": after,
        "court": "雷州市人民法院",
        "ground": "因病就医",
        "kind": None,
    }


def test_an_answer_of_a_batch_shows_the_whole_permit_or_none() -> None:
    item = BatchItem(id="1", decision=Outcome.ALLOW, permit=shown_permit(permit(None)))
    assert shown(item)["permit"]["uses_left"] is None
    assert "permit" not in shown(BatchItem(id="1", decision=Outcome.ALLOW))
