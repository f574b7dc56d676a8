"""Measures and settings along the path of a place."""

import pytest

from checker.domain.clock import CapPeriod
from checker.domain.jurisdiction import NATION, parse_jurisdiction
from checker.domain.settings import Cap, Settings, Threshold
from checker.policy.loader import builtin_policies, load_policies

CITY = parse_jurisdiction("4408")
COUNTY = parse_jurisdiction("440882")
NATIONAL = {"cn-2016-64", "cn-spc-2015-17"}


@pytest.mark.parametrize(
    ("place", "policies"),
    [
        ("CN", NATIONAL),
        ("44", NATIONAL),
        ("440800", NATIONAL),
        ("440881", NATIONAL),
        ("440882", NATIONAL | {"leizhou"}),
        ("110101", NATIONAL),
    ],
)
def test_a_place_is_judged_by_the_policies_on_its_path(place: str, policies: set[str]) -> None:
    effective = load_policies(builtin_policies(), {}).effective(parse_jurisdiction(place))
    assert {measure.id.split("/")[0] for measure in effective.measures} == policies


def test_the_order_of_the_files_makes_no_difference_to_precedence() -> None:
    book = load_policies(reversed(builtin_policies()), {})
    ids = [measure.id for measure in book.effective(COUNTY).measures]
    assert ids == [measure.id for measure in book.measures]
    assert ids[0] == "cn-2016-64/2.1.1"
    assert ids[-1] == "leizhou/2.9"


def test_each_setting_is_inherited_for_itself() -> None:
    book = load_policies(
        builtin_policies(),
        {
            NATION: Settings(
                high_school_fee_fen=1, resort_cap_fen=100, resort_cap_period=CapPeriod.MONTH
            ),
            CITY: Settings(resort_cap_fen=50),
            COUNTY: Settings(high_premium_fen=7, high_school_fee_fen=0),
        },
    )
    nation, city, county = (book.effective(place).settings for place in (NATION, CITY, COUNTY))
    assert nation.resort_cap == Cap(limit_fen=100, period=CapPeriod.MONTH)
    assert city.resort_cap == Cap(limit_fen=50, period=CapPeriod.MONTH)
    assert county.resort_cap == city.resort_cap
    assert county.threshold(Threshold.HIGH_SCHOOL_FEE) == 0
    assert city.threshold(Threshold.HIGH_SCHOOL_FEE) == 1
    assert county.threshold(Threshold.HIGH_PREMIUM) == 7
    assert city.threshold(Threshold.HIGH_PREMIUM) is None


def test_a_place_without_a_word_of_its_own_shares_what_is_around_it() -> None:
    book = load_policies(builtin_policies(), {CITY: Settings(high_premium_fen=1)})
    neighbour = parse_jurisdiction("440881")
    assert book.effective(neighbour) is book.effective(CITY)
    assert book.effective(parse_jurisdiction("44")) is book.effective(NATION)
    assert book.effective(COUNTY).settings.high_premium_fen == 1


@pytest.mark.parametrize(
    "settings", [Settings(resort_cap_fen=1), Settings(resort_cap_period=CapPeriod.DAY)]
)
def test_half_a_cap_is_none(settings: Settings) -> None:
    assert settings.resort_cap is None


def test_every_threshold_is_a_setting() -> None:
    assert set(Threshold) <= set(Settings.__struct_fields__)


def test_the_ids_of_all_measures_are_known_wherever_they_hold() -> None:
    ids = load_policies(builtin_policies(), {}).measure_ids
    assert {"cn-2016-64/2.7.1", "leizhou/2.7.7"} <= ids
    assert {one.split("/")[0] for one in ids} == NATIONAL | {"leizhou"}
