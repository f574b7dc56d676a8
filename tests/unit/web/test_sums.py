"""Digits alone are fen, a sum with its unit is in yuan, and nothing is guessed."""

import pytest

from checker.web.shown import yuan
from checker.web.sums import fen_of


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("80000", 80_000),
        (" 80,000 ", 80_000),
        ("８００００", 80_000),
        ("800元", 80_000),
        ("800.5 元", 80_050),
        ("¥800.00", 80_000),
        ("￥1，200.50", 120_050),
        ("6万元", 6_000_000),
        ("¥1.5万", 1_500_000),
        ("800 yuan", 80_000),
        ("RMB", None),
        ("", None),
        ("元", None),
        ("-5元", None),
        ("6万", None),
        ("800.5", None),
        ("0.001元", None),
        ("1.2.3元", None),
        ("8e3", None),
        ("9" * 16, None),
    ],
)
def test_a_sum_is_read_with_its_unit(text: str, fen: int | None) -> None:
    assert fen_of(text) == fen


@pytest.mark.parametrize("fen", [1, 99, 100, 80_000, 123_456_789])
def test_a_shown_sum_is_read_back(fen: int) -> None:
    assert fen_of(yuan(fen)) == fen
