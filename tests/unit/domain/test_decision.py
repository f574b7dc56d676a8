"""Decisions: the order of outcomes, and the shape that the contract gives them."""

from datetime import date
from itertools import permutations

import msgspec

from checker.domain.clock import CapPeriod
from checker.domain.decision import (
    ALLOWED,
    OUTCOMES,
    CapSpending,
    Decision,
    Outcome,
    Reason,
    ReasonCode,
    Remedy,
    ShownListing,
    strongest,
)
from checker.domain.role import Role


def test_deny_is_stronger_than_review_than_cap_than_allow() -> None:
    ordered = [Outcome.ALLOW, Outcome.CAP, Outcome.REVIEW, Outcome.DENY]
    assert sorted(Outcome, key=lambda outcome: outcome.strength) == ordered
    for some in permutations(Outcome, 3):
        assert strongest(some) is max(some, key=ordered.index)


def test_without_outcomes_nothing_speaks_against_it() -> None:
    assert strongest(()) is Outcome.ALLOW


def test_every_code_leads_to_something_stronger_than_allow() -> None:
    assert set(OUTCOMES) == set(ReasonCode)
    assert Outcome.ALLOW not in OUTCOMES.values()


def test_roles_and_codes_are_the_words_of_the_contract() -> None:
    assert " ".join(Role) == (
        "debtor legal_representative principal actual_controller directly_responsible"
    )
    assert " ".join(ReasonCode) == (
        "restricted capped reference seat_unclear name_mismatch masked_match threshold_unset "
        "cap_unset removal_overdue issuer_unknown documents_disagree identity_not_resolvable"
    )


def test_a_decision_is_encoded_under_the_names_of_the_contract() -> None:
    decision = Decision(
        outcome=Outcome.CAP,
        reasons=(
            Reason(
                code=ReasonCode.CAPPED,
                measure="cn-2016-64/2.7.3",
                role=Role.DEBTOR,
                listing=ShownListing(
                    id="1",
                    case_number="（2016）粤0882执123号",
                    court="雷州市人民法院",
                    published_on=date(2016, 7, 7),
                ),
                remedy=Remedy(court="雷州市人民法院"),
            ),
        ),
        spending=CapSpending(
            limit_fen=5,
            held_fen=1,
            captured_fen=2,
            remaining_fen=2,
            period=CapPeriod.MONTH,
            resets_at="2026-11-30T16:00:00.000Z",
        ),
    )
    assert msgspec.json.decode(msgspec.json.encode(decision)) == {
        "decision": "cap",
        "reasons": [
            {
                "code": "capped",
                "measure": "cn-2016-64/2.7.3",
                "role": "debtor",
                "listing": {
                    "id": "1",
                    "case_number": "（2016）粤0882执123号",
                    "court": "雷州市人民法院",
                    "published_on": "2016-07-07",
                    "kind": "dishonest",
                },
                "remedy": {
                    "court": "雷州市人民法院",
                    "apply_within_days": 10,
                    "review_within_days": 3,
                },
            }
        ],
        "permit": None,
        "spending": {
            "limit_fen": 5,
            "held_fen": 1,
            "captured_fen": 2,
            "remaining_fen": 2,
            "period": "month",
            "resets_at": "2026-11-30T16:00:00.000Z",
        },
    }


def test_allowed_has_no_reasons() -> None:
    assert msgspec.to_builtins(ALLOWED) == {
        "decision": "allow",
        "reasons": (),
        "permit": None,
        "spending": None,
    }
