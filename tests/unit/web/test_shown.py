"""Personal texts are masked before they reach a page."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from checker.web.shown import masked_name, masked_number, shanghai_minute, yuan


def test_a_number_shows_its_ends_and_a_name_its_first_character() -> None:
    assert masked_number("440882189001011230") == "4408**********1230"
    assert masked_name("陈示例") == "陈**"
    assert masked_name(None) == ""


@given(st.text(max_size=40))
def test_no_text_is_shown_whole(text: str) -> None:
    shown = masked_number(text)
    stripped = text.strip()
    assert len(shown) == max(1, len(stripped))
    if len(stripped) > 2:
        assert "*" in shown


def test_a_sum_is_shown_in_yuan() -> None:
    assert yuan(123_456_789) == "¥1,234,567.89"
    assert yuan(5) == "¥0.05"


def test_an_instant_is_shown_as_a_clock_in_china_shows_it() -> None:
    assert shanghai_minute(datetime(2026, 11, 30, 17, 5, tzinfo=UTC)) == "2026-12-01 01:05"
