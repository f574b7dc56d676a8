"""The verdict on a booking: the strongest decision, and who stands in the way."""

import pytest

from checker.checks.booking import verdict_on
from checker.domain.decision import ALLOWED, Decision, Outcome

CAP, REVIEW, DENY = (Decision(outcome=one) for one in (Outcome.CAP, Outcome.REVIEW, Outcome.DENY))


@pytest.mark.parametrize(
    ("decisions", "errors", "outcome", "blocking"),
    [
        ([], [], "allow", ()),
        ([ALLOWED, ALLOWED], [], "allow", ()),
        ([ALLOWED, CAP], [], "cap", ()),
        ([REVIEW, CAP, ALLOWED], [], "review", (0,)),
        ([ALLOWED, DENY, REVIEW], [], "deny", (1, 2)),
        ([Decision(outcome=Outcome.ALLOW)], [], "allow", ()),
        ([ALLOWED, ALLOWED], [1], "review", (1,)),
        ([ALLOWED, DENY], [0, 2], "deny", (0, 2, 3)),
        ([], [0, 1], "review", (0, 1)),
    ],
)
def test_a_booking_has_the_strongest_decision_and_all_who_block_it(
    decisions: list[Decision], errors: list[int], outcome: str, blocking: tuple[int, ...]
) -> None:
    verdict = verdict_on(decisions, errors)
    assert (verdict.decision, verdict.blocking) == (outcome, blocking)
