"""Names differ only where people would say that they differ."""

import pytest

from checker.domain.name import normalize_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("陈示例", " 陈 示　例\n"),
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉．买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉・ 买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉‧买买提"),
        ("示例（雷州）有限公司", "示例(雷州)有限公司"),
        ("ZHANG San", "ｚｈａｎｇ　ｓａｎ"),
        ("Straße", "STRASSE"),
        ("René", "Rene\u0301"),
    ],
)
def test_width_case_spaces_and_dots_make_no_difference(one: str, other: str) -> None:
    assert normalize_name(one) == normalize_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("陈示例", "陈示列"),
        ("陈示例", "陳示例"),
        ("李·明", "李明"),
        ("René", "Rene"),
        ("A-B", "AB"),
    ],
)
def test_names_that_differ_stay_different(one: str, other: str) -> None:
    assert normalize_name(one) != normalize_name(other)


def test_a_name_of_spaces_is_no_name() -> None:
    assert normalize_name(" \u3000\u200b\n") == ""


def test_a_space_between_letter_and_accent_leaves_nothing_to_fold_again() -> None:
    once = normalize_name("e \u0301")
    assert normalize_name(once) == once


def test_no_step_changes_a_character_that_is_taken_for_a_common_chinese_one() -> None:
    for code in range(ord("一"), ord("龥") + 1):
        # Behind a space, the character goes through all steps.
        assert normalize_name(f" {chr(code)}") == chr(code)
        assert normalize_name(chr(code)) == chr(code)
