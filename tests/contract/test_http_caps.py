"""Spending at resorts under the cap, where the settings give one."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.support.asking import ask, codes
from tests.support.town import DEBTOR, LEGAL_REPRESENTATIVE, MASKED, MASKED_NAME

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

CAP_FEN = 200_000
CAPPED = [("capped", "cn-2016-64/2.7.3")]


def resort(amount_fen: int) -> dict[str, object]:
    return {"type": "resort", "venue": "rated_resort", "amount_fen": amount_fen}


def test_spending_within_the_cap_tells_what_is_left(institution: httpx.Client) -> None:
    answer = ask(institution, DEBTOR, resort(50_000))
    assert (answer["decision"], codes(answer)) == ("cap", CAPPED)
    spending = answer["spending"]
    assert spending.pop("resets_at")
    assert spending == {
        "limit_fen": CAP_FEN,
        "held_fen": 0,
        "captured_fen": 0,
        "remaining_fen": CAP_FEN,
        "period": "month",
    }


def test_the_cap_begins_anew_with_the_next_month_in_shanghai(institution: httpx.Client) -> None:
    told = ask(institution, DEBTOR, resort(1))["spending"]["resets_at"]
    resets_at = datetime.fromisoformat(told).astimezone(ZoneInfo("Asia/Shanghai"))
    assert (resets_at.day, resets_at.hour, resets_at.minute) == (1, 0, 0)
    assert 0 < (resets_at - datetime.now(UTC)).days + 1 <= 31


@pytest.mark.parametrize(
    ("amount_fen", "decision"),
    [(0, "cap"), (CAP_FEN, "cap"), (CAP_FEN + 1, "deny"), (10**12, "deny")],
)
def test_the_cap_is_the_last_amount_that_is_not_refused(
    institution: httpx.Client, amount_fen: int, decision: str
) -> None:
    answer = ask(institution, DEBTOR, resort(amount_fen))
    assert (answer["decision"], codes(answer)) == (decision, CAPPED)
    assert answer["spending"]["remaining_fen"] == CAP_FEN


def test_officers_are_not_capped(institution: httpx.Client) -> None:
    answer = ask(institution, LEGAL_REPRESENTATIVE, resort(10**12))
    assert (answer["decision"], answer["reasons"], answer["spending"]) == ("allow", [], None)


def test_nobody_is_capped_on_a_masked_number(institution: httpx.Client) -> None:
    answer = ask(institution, MASKED, resort(10**12), name=MASKED_NAME)
    assert (answer["decision"], answer["spending"]) == ("review", None)
