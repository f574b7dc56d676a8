"""Masked numbers: what they match, and under which keys both sides meet."""

import pytest

from checker.domain.document import Document, DocumentType
from checker.domain.masking import (
    EVERY_SHAPE,
    ORGANIZATION_SHAPE,
    SHAPES,
    MaskedNumber,
    further_keys,
    masked_lookup_key,
    masked_lookup_keys,
)

NUMBER = "440882189001011230"
NAME = "陈示例"
USCC = "91440882MA4UX001XX"
CODE = USCC[8:17]


def person(number: str = NUMBER) -> Document:
    return Document(type=DocumentType.RESIDENT_ID, number=number)


def masked(number: str, first: int, last: int) -> MaskedNumber:
    stars = "*" * (last - first + 1)
    return MaskedNumber(pattern=number[: first - 1] + stars + number[last:])


def test_the_shapes_are_a_format() -> None:
    assert [(each.name, each.first, each.past) for each in SHAPES] == [
        ("11-14", 10, 14),
        ("7-14", 6, 14),
        ("11-18", 10, 18),
        ("1-18", 0, 18),
        ("organization", 0, 18),
    ]


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
    listed = masked(NUMBER, first, last)
    key = masked_lookup_key(listed, NAME)
    assert key[0] == "masked"
    assert key[1].startswith(f"{shape}:")
    assert key in masked_lookup_keys(person(), f" {NAME} ")
    assert listed.matches(NUMBER)


def test_a_key_never_tells_what_the_list_hides() -> None:
    listed = masked(NUMBER, 11, 14)
    assert masked_lookup_key(listed, NAME) == ("masked", "11-14:44088218901230:陈示例")


def test_a_person_with_a_common_name_has_one_key_of_each_shape() -> None:
    mine = set(masked_lookup_keys(person(), NAME))
    assert len(mine) == 4
    assert mine.isdisjoint(masked_lookup_keys(person(), "陈示列"))
    assert further_keys(DocumentType.RESIDENT_ID, masked(NUMBER, 11, 14), NAME) == ()


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("王\ue863", "王䶮"),
        ("陳示例", "陈示例"),
        ("阿卜杜拉•买买提", "阿卜杜拉买买提"),
        ("张三（曾用名李四）", "李四"),
    ],
)
def test_both_sides_meet_at_a_key_of_the_name(listed: str, asked: str) -> None:
    for one, other in ((listed, asked), (asked, listed)):
        number = masked(NUMBER, 11, 14)
        keys = {masked_lookup_key(number, one)}
        keys |= {key for _, _, key in further_keys(DocumentType.RESIDENT_ID, number, one)}
        assert not keys.isdisjoint(masked_lookup_keys(person(), other))


def test_a_uscc_and_the_code_in_it_find_each_other_under_the_mask() -> None:
    whole = Document(type=DocumentType.USCC, number=USCC)
    code = Document(type=DocumentType.ORG_CODE, number=CODE)
    [(shape, named, key)] = further_keys(DocumentType.USCC, masked(USCC, 11, 14), NAME)
    assert (shape, named) == (ORGANIZATION_SHAPE, NAME)
    for listed in (key, masked_lookup_key(masked(CODE, 5, 8), NAME)):
        assert listed in masked_lookup_keys(whole, NAME)
        assert masked_lookup_keys(code, NAME) == (listed,)
        assert listed not in masked_lookup_keys(person(), NAME)
    for number in (masked(USCC, 11, 14), masked(CODE, 5, 8)):
        assert number.matches(USCC)
        assert number.matches(CODE)
        assert not number.matches(USCC[:8] + "0" + USCC[9:])
        assert not number.matches("0" + CODE[1:])


@pytest.mark.parametrize("name", ["", " ", "\u3000"])
def test_without_a_name_nothing_masked_is_asked_for(name: str) -> None:
    assert masked_lookup_keys(person(), name) == ()


@pytest.mark.parametrize(
    ("kind", "number"), [("passport", "E12345678"), ("taiwan_permit", "12345678")]
)
def test_a_number_that_lists_do_not_mask_has_no_keys(kind: str, number: str) -> None:
    assert masked_lookup_keys(Document(type=DocumentType(kind), number=number), NAME) == ()


def test_only_the_keys_of_the_shapes_asked_for_are_made() -> None:
    keys = masked_lookup_keys(person(), NAME)
    for place in EVERY_SHAPE[:4]:
        assert masked_lookup_keys(person(), NAME, (place,)) == (keys[place],)
    assert masked_lookup_keys(person(), NAME, EVERY_SHAPE[4:]) == ()
    assert masked_lookup_keys(person(), NAME, ()) == ()


@pytest.mark.parametrize("place", [place for place in range(18) if not 10 <= place < 14])
def test_a_number_that_differs_where_the_list_shows_does_not_match(place: int) -> None:
    other = NUMBER[:place] + ("5" if NUMBER[place] != "5" else "6") + NUMBER[place + 1 :]
    assert not masked(NUMBER, 11, 14).matches(other)


@pytest.mark.parametrize("number", [NUMBER[:17], NUMBER + "0", ""])
def test_a_number_of_another_length_does_not_match(number: str) -> None:
    assert not masked(NUMBER, 11, 14).matches(number)


def test_a_shape_that_hides_more_than_the_list_leaves_the_pattern_to_decide() -> None:
    listed = masked(NUMBER, 12, 13)
    other = NUMBER[:10] + "9" + NUMBER[11:]
    assert masked_lookup_key(listed, NAME) in masked_lookup_keys(person(other), NAME)
    assert not listed.matches(other)


def test_a_representation_shows_nothing_of_the_number() -> None:
    assert repr(masked(NUMBER, 11, 14)) == "MaskedNumber()"


@pytest.mark.parametrize("listed", ["陈示例1", "陈示例①", "陈示例（2）", "陈示例²", "1.陈示例"])
def test_a_person_is_found_without_the_digit_that_a_table_adds(listed: str) -> None:
    assert {*masked_lookup_keys(person(), NAME)} & _keys_of(
        "resident_id", masked(NUMBER, 11, 14), listed
    )


def test_a_name_of_digits_alone_is_no_blank_name() -> None:
    keys = masked_lookup_keys(person(), "12")
    assert keys
    assert not any(text.endswith(":") for _, text in keys)


@pytest.mark.parametrize("kind", ["uscc", "org_code"])
@pytest.mark.parametrize("asked", ["示例2厂", "示例厂"])
def test_a_sister_company_with_another_digit_is_not_found(kind: str, asked: str) -> None:
    number = USCC if kind == "uscc" else CODE
    sister = Document(type=DocumentType(kind), number=number)
    listed = masked(number, len(number) - 3, len(number))
    assert listed.matches(number)
    assert _keys_of(kind, listed, "示例1厂").isdisjoint(masked_lookup_keys(sister, asked))


@pytest.mark.parametrize("kind", ["uscc", "org_code"])
@pytest.mark.parametrize("asked", ["示例１厂", "示例①厂", "示例(1)厂", "示例 1 厂", "示例¹厂"])
def test_a_company_is_found_however_its_digit_is_written(kind: str, asked: str) -> None:
    number = USCC if kind == "uscc" else CODE
    company = Document(type=DocumentType(kind), number=number)
    listed = masked(number, len(number) - 3, len(number))
    assert _keys_of(kind, listed, "示例1厂") & {*masked_lookup_keys(company, asked)}


def _keys_of(kind: str, listed: MaskedNumber, name: str) -> set[tuple[str, str]]:
    """Return all keys under which the list keeps a masked number."""
    further = [key for _, _, key in further_keys(kind, listed, name)]
    return {masked_lookup_key(listed, name), *further}
