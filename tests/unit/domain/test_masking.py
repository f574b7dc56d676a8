"""Masked numbers: what is read, what they match, and under which keys both sides meet."""

import pytest

from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.masking import (
    MaskedNumber,
    is_masked,
    masked_lookup_key,
    masked_lookup_keys,
)

NUMBER = "440882189001011230"
NAME = "陈示例"


def masked(number: str, first: int, last: int) -> str:
    return number[: first - 1] + "*" * (last - first + 1) + number[last:]


@pytest.mark.parametrize(
    ("first", "last", "shape"),
    [
        (11, 14, "11-14"),
        (12, 13, "11-14"),
        (7, 14, "7-14"),
        (7, 10, "7-14"),
        (9, 12, "7-14"),
        (11, 18, "11-18"),
        (15, 18, "11-18"),
        (12, 17, "11-18"),
        (1, 4, "1-18"),
        (10, 15, "1-18"),
    ],
)
def test_the_asker_meets_the_list_at_the_first_shape_that_covers(
    first: int, last: int, shape: str
) -> None:
    listed = MaskedNumber.parse(masked(NUMBER, first, last))
    key = masked_lookup_key(listed, NAME)
    assert key[0] == "masked"
    assert key[1].startswith(f"{shape}:")
    assert key in masked_lookup_keys(NUMBER, f" {NAME} ")
    assert listed.matches(NUMBER)


def test_a_key_never_tells_what_the_list_hides() -> None:
    listed = MaskedNumber.parse(masked(NUMBER, 11, 14))
    assert masked_lookup_key(listed, NAME) == ("masked", "11-14:44088218901230:陈示例")


def test_another_name_shares_no_key() -> None:
    mine = set(masked_lookup_keys(NUMBER, NAME))
    assert len(mine) == 4
    assert mine.isdisjoint(masked_lookup_keys(NUMBER, "陈示列"))


@pytest.mark.parametrize("name", ["", " ", "\u3000"])
def test_without_a_name_nothing_masked_is_asked_for(name: str) -> None:
    assert masked_lookup_keys(NUMBER, name) == ()


@pytest.mark.parametrize("number", ["E12345678", "600037341", "12345678"])
def test_a_number_that_lists_do_not_mask_has_no_keys(number: str) -> None:
    assert masked_lookup_keys(number, NAME) == ()


@pytest.mark.parametrize("place", [place for place in range(18) if not 10 <= place < 14])
def test_a_number_that_differs_where_the_list_shows_does_not_match(place: int) -> None:
    other = NUMBER[:place] + ("5" if NUMBER[place] != "5" else "6") + NUMBER[place + 1 :]
    assert not MaskedNumber.parse(masked(NUMBER, 11, 14)).matches(other)


@pytest.mark.parametrize("number", [NUMBER[:17], NUMBER + "0", ""])
def test_a_number_of_another_length_does_not_match(number: str) -> None:
    assert not MaskedNumber.parse(masked(NUMBER, 11, 14)).matches(number)


def test_a_shape_that_hides_more_than_the_list_leaves_the_pattern_to_decide() -> None:
    listed = MaskedNumber.parse(masked(NUMBER, 12, 13))
    other = NUMBER[:10] + "9" + NUMBER[11:]
    assert masked_lookup_key(listed, NAME) in masked_lookup_keys(other, NAME)
    assert not listed.matches(other)


def test_fifteen_characters_become_eighteen_with_a_hidden_check_digit() -> None:
    listed = MaskedNumber.parse("4408820102****3")
    assert listed.matches("440882190102031233")
    assert not listed.matches("440882180102031233")
    assert masked_lookup_key(listed, NAME) in masked_lookup_keys("440882190102031233", NAME)


@pytest.mark.parametrize(
    "text", ["4408821890＊＊＊＊1230", " 4408821890****1230", "440882-1890﹡﹡﹡﹡-1230"]
)
def test_width_and_spaces_make_no_difference(text: str) -> None:
    assert MaskedNumber.parse(text) == MaskedNumber.parse("4408821890****1230")
    assert is_masked(text)


@pytest.mark.parametrize(
    "text", ["4408821890****101x", "91440882MA****01XX", "N2440882MF****0012", "9***0882MA4UX001XX"]
)
def test_a_masked_resident_id_or_uscc_is_read(text: str) -> None:
    assert MaskedNumber.parse(text).pattern == text.upper()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4408821890****123", InvalidReason.LENGTH),
        ("", InvalidReason.LENGTH),
        ("440882****", InvalidReason.LENGTH),
        ("4408821890****1I30", InvalidReason.CHARACTER),
        ("44A8821890****1230", InvalidReason.CHARACTER),
        ("440882M102****3", InvalidReason.CHARACTER),
        ("4408821890xxxx?230", InvalidReason.CHARACTER),
        ("440882*********230", InvalidReason.MASK),
        ("440882******123", InvalidReason.MASK),
        ("******************", InvalidReason.MASK),
        (NUMBER, InvalidReason.MASK),
    ],
)
def test_what_is_no_masked_number_is_refused(text: str, reason: InvalidReason) -> None:
    with pytest.raises(InvalidDocument) as caught:
        MaskedNumber.parse(text)
    assert caught.value.reason is reason


def test_ten_known_characters_are_enough() -> None:
    assert MaskedNumber.parse("440882********1230").matches(NUMBER)


def test_a_run_of_x_hides_nothing() -> None:
    assert not is_masked("4408821890xxxx1230")


def test_a_representation_shows_nothing_of_the_number() -> None:
    assert repr(MaskedNumber.parse("4408821890****1230")) == "MaskedNumber()"
