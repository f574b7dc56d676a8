"""Resident IDs by GB 11643; every person here was born between 1850 and 1905."""

from datetime import date

import pytest

from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.resident_id import canonical_resident_id, check_digit

TODAY = date(2026, 11, 23)


def numbered(birth: str, county: str = "440882", sequence: str = "123") -> str:
    """Check digit by the definition of ISO 7064 MOD 11-2: value * 2**place sums to 1 mod 11."""
    body = county + birth + sequence
    total = sum(int(digit) * pow(2, 17 - place) for place, digit in enumerate(body))
    return body + "0123456789X"[(1 - total) % 11]


def refusal(number: str, today: date = TODAY) -> InvalidReason:
    with pytest.raises(InvalidDocument) as caught:
        canonical_resident_id(number, today)
    return caught.value.reason


@pytest.mark.parametrize("number", ["440882189001011230", "440882188501010221"])
def test_a_golden_number_is_valid(number: str) -> None:
    assert canonical_resident_id(number, TODAY) == number


def test_the_check_digit_is_that_of_the_standard() -> None:
    for sequence in range(1000):
        number = numbered("18900101", sequence=f"{sequence:03}")
        assert check_digit(number) == number[17]


def test_every_wrong_check_digit_is_refused() -> None:
    number = "440882189001011230"
    for digit in "123456789X":
        assert refusal(number[:17] + digit) is InvalidReason.CHECK_DIGIT


def test_every_single_wrong_digit_is_refused() -> None:
    number = "440882189001011230"
    for place in range(17):
        for digit in set("0123456789") - {number[place]}:
            wrong = number[:place] + digit + number[place + 1 :]
            assert refusal(wrong) is InvalidReason.CHECK_DIGIT


@pytest.mark.parametrize("length", [n for n in range(40) if n not in {15, 18}])
def test_another_length_is_refused(length: int) -> None:
    assert refusal("1" * length) is InvalidReason.LENGTH


@pytest.mark.parametrize(
    "number",
    ["44088218900101123x", "4408821890010112X0", "44088218900101123*", "٤40882189001011230"],
)
def test_a_character_that_is_no_digit_is_refused(number: str) -> None:
    assert refusal(number) is InvalidReason.CHARACTER


@pytest.mark.parametrize("birth", ["19000229", "18900431", "18901301", "18900100", "00000101"])
def test_a_birth_date_that_never_was_is_refused(birth: str) -> None:
    assert refusal(numbered(birth)) is InvalidReason.BIRTH_DATE


def test_the_leap_day_of_a_leap_year_is_a_birth_date() -> None:
    number = numbered("19040229")
    assert canonical_resident_id(number, TODAY) == number


def test_a_birth_date_counts_from_1800_on() -> None:
    assert canonical_resident_id(numbered("18000101"), TODAY) == numbered("18000101")
    assert refusal(numbered("17991231")) is InvalidReason.BIRTH_DATE


def test_a_birth_today_is_valid_and_one_tomorrow_is_still_to_come() -> None:
    number = numbered("19000101")
    assert canonical_resident_id(number, date(1900, 1, 1)) == number
    assert refusal(number, date(1899, 12, 31)) is InvalidReason.BIRTH_DATE


@pytest.mark.parametrize("county", ["441402", "000000", "999999"])
def test_the_county_code_is_held_against_nobody(county: str) -> None:
    number = numbered("18850101", county=county)
    assert canonical_resident_id(number, TODAY) == number


def test_fifteen_digits_are_upgraded_with_century_19_and_a_check_digit() -> None:
    assert canonical_resident_id("440882010203123", TODAY) == numbered("19010203")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("44088201020312X", InvalidReason.CHARACTER),
        ("440882010230123", InvalidReason.BIRTH_DATE),
    ],
)
def test_fifteen_wrong_characters_are_refused(number: str, reason: InvalidReason) -> None:
    assert refusal(number) is reason
