"""The services that a refused debtor is offered, the nearest first."""

from typing import Any

import msgspec
import pytest

from checker.domain.alternatives import alternatives_to
from checker.domain.decision import Outcome
from checker.domain.listing_kind import ListingKind
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import Service
from checker.domain.standing import Link, Standing
from checker.policy.loader import builtin_policies, load_policies
from tests.support.every_service import FEE, LEIZHOU, LISTING, NOW, PREMIUM, SET
from tests.support.measure_table import rows

POLICY = load_policies(builtin_policies(), SET).effective(LEIZHOU)
BOUND = Standing(
    links=tuple(Link(role=Role.DEBTOR, listing=LISTING, kind=kind) for kind in ListingKind)
)


def offered(service: dict[str, Any], standing: Standing = BOUND) -> list[dict[str, Any]]:
    found = alternatives_to(
        msgspec.convert(service, Service),
        POLICY.settings,
        lambda other: decide(standing, other, policy=POLICY, now=NOW),
    )
    return [msgspec.to_builtins(each) for each in found]


def rail(train: str, seat: str) -> dict[str, Any]:
    return {"type": "rail", "train": train, "seat": seat}


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        (("G79", "business"), [("D79", "second"), ("D79", "no_seat"), ("K79", "hard_sleeper")]),
        (("G79/G80次", "second"), [("D79", "second"), ("D79", "no_seat"), ("K79", "hard_sleeper")]),
        (
            ("D7451", "first"),
            [("D7451", "second"), ("D7451", "no_seat"), ("K7451", "hard_sleeper")],
        ),
        (
            ("K511", "soft_sleeper"),
            [("K511", one) for one in ("hard_sleeper", "soft_seat", "hard_seat")],
        ),
        (
            ("1461", "first_sleeper"),
            [("1461", one) for one in ("hard_sleeper", "soft_seat", "hard_seat")],
        ),
    ],
)
def test_a_train_is_offered_other_seats_before_other_trains(
    asked: tuple[str, str], instead: list[tuple[str, str]]
) -> None:
    assert offered(rail(*asked)) == [rail(*one) for one in instead]


def test_a_seat_that_was_asked_by_its_code_is_offered_by_its_code() -> None:
    [nearest, *_] = offered({"type": "rail", "train": "D1", "seat_code": "M"})
    assert nearest == {"type": "rail", "train": "D1", "seat_code": "O"}


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        ({"type": "lodging", "star_rating": 4, "high_consumption": False}, [{"star_rating": 0}]),
        (
            {
                "type": "lodging",
                "star_rating": 5,
                "national_grade": "special",
                "high_consumption": True,
            },
            [{"star_rating": 0, "national_grade": "second", "high_consumption": False}],
        ),
        ({"type": "venue", "kind": "golf", "high_consumption": False}, [{"kind": "other"}]),
        ({"type": "resort", "venue": "rated_resort", "amount_fen": 5}, [{"venue": "unrated"}]),
        ({"type": "private_school", "annual_fee_fen": FEE}, [{"annual_fee_fen": FEE - 1}]),
        (
            {
                "type": "insurance",
                "cash_value": True,
                "annual_premium_fen": PREMIUM,
                "wealth_product": False,
            },
            [
                {"annual_premium_fen": PREMIUM - 1},
                {"cash_value": False},
                {"annual_premium_fen": PREMIUM - 1, "cash_value": False},
            ],
        ),
        ({"type": "construction", "work": "new_build"}, [{"work": "ordinary_renovation"}]),
        (
            {"type": "ship", "class": "first"},
            [{"class": one} for one in ("third", "fourth", "fifth")],
        ),
        (
            {"type": "office_lease", "premises": "hotel", "high_grade": True},
            [{"high_grade": False}],
        ),
        ({"type": "air", "flight": "CZ3101"}, []),
        ({"type": "outbound_tour", "product": "group_tour"}, []),
        ({"type": "domestic_tour", "product": "group_tour"}, []),
        ({"type": "vehicle", "operating_necessity": False}, []),
        ({"type": "real_estate", "transaction": "purchase"}, []),
        ({"type": "matter", "matter": "government_procurement"}, []),
    ],
)
def test_each_other_service_is_offered_with_the_fewest_changes(
    asked: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    assert offered(asked) == [{**asked, **changed} for changed in changes]


def test_every_alternative_of_every_row_is_allowed() -> None:
    for row in rows():
        for service in offered(row.service):
            asked = msgspec.convert(service, Service)
            assert decide(BOUND, asked, policy=POLICY, now=NOW).outcome is Outcome.ALLOW
