"""Settings in the config file: the contract's example, and what stops the start."""

import pytest

from checker.domain.clock import CapPeriod
from checker.domain.jurisdiction import parse_jurisdiction
from checker.domain.settings import Settings
from checker.policy.errors import PolicyError
from checker.policy.settings import load_settings

EXAMPLE = """\
[server]
port = 8000

[jurisdiction.CN]
high_school_fee_fen = 6_000_000
high_premium_fen = 1_000_000
resort_cap_fen = 200_000
resort_cap_period = "month"

[jurisdiction.440882]
resort_cap_fen = 0
"""

FAULTS = [
    ("high_premium_fen", "high_premum_fen", 6, "unknown key 'high_premum_fen'; allowed: high_"),
    ("1_000_000", '"1_000_000"', 6, "high_premium_fen must be a whole number"),
    ("1_000_000", "1.5", 6, "high_premium_fen must be a whole number"),
    ("1_000_000", "true", 6, "high_premium_fen must be a whole number"),
    ("1_000_000", "-1", 6, "high_premium_fen is below 0"),
    ("1_000_000", "1_000_000_000_001", 6, "high_premium_fen is above"),
    ('"month"', '"week"', 8, "unknown resort_cap_period 'week'; allowed: day, month, year"),
    ('"month"', "1", 8, "resort_cap_period must be a text"),
    ("440882", "990000", 10, "unknown jurisdiction '990000'"),
    ("jurisdiction.440882", "jurisdiction.cn", 10, "unknown jurisdiction 'cn'"),
    ("jurisdiction.440882]", "jurisdiction]\n44 = 1\n[jurisdiction.45]", 11, "must be a table"),
    ("[server]", "[server", 1, "not TOML"),
]


def test_the_example_of_the_contract_is_read() -> None:
    assert load_settings(EXAMPLE, file="checker.toml") == {
        "CN": Settings(
            high_school_fee_fen=6_000_000,
            high_premium_fen=1_000_000,
            resort_cap_fen=200_000,
            resort_cap_period=CapPeriod.MONTH,
        ),
        "440882": Settings(resort_cap_fen=0),
    }


@pytest.mark.parametrize("counter", ["CN", "44", "4408", "440882"])
def test_a_cap_may_be_counted_anywhere_on_the_places_own_path(counter: str) -> None:
    text = f'[jurisdiction.440882]\nresort_cap_counter = "{counter}"'
    read = load_settings(text, file="checker.toml")
    assert read == {"440882": Settings(resort_cap_counter=parse_jurisdiction(counter))}


@pytest.mark.parametrize("counter", ["45", "440883", "xx", ""])
def test_a_cap_is_not_counted_elsewhere(counter: str) -> None:
    text = f'[jurisdiction.440882]\nresort_cap_counter = "{counter}"'
    with pytest.raises(PolicyError, match=r"^checker\.toml:2: "):
        load_settings(text, file="checker.toml")


@pytest.mark.parametrize(("there", "instead", "line", "says"), FAULTS)
def test_a_fault_is_named_with_file_and_line(
    there: str, instead: str, line: int, says: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        load_settings(EXAMPLE.replace(there, instead, 1), file="checker.toml")
    assert str(caught.value).startswith(f"checker.toml:{line}: ")
    assert says in str(caught.value)


def test_one_place_under_two_codes_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"^checker\.toml:3: jurisdiction 44 is set twice"):
        load_settings("[jurisdiction.44]\n\n[jurisdiction.440000]\n", file="checker.toml")


def test_settings_that_are_no_table_are_refused() -> None:
    with pytest.raises(PolicyError, match=r"^checker\.toml:1: jurisdiction must be a table"):
        load_settings('jurisdiction = "CN"', file="checker.toml")


@pytest.mark.parametrize("text", ["", "[server]\nport = 1\n"])
def test_without_settings_everything_is_unset(text: str) -> None:
    assert load_settings(text, file="checker.toml") == {}
