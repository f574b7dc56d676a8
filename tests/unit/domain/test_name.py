"""Names agree where people would say that they are the same, and nowhere else."""

import pytest

from checker.domain.name import NAME_KEYS_MAX, name_keys, names_agree, normalize_name


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
def test_the_first_key_is_the_same_for_width_case_spaces_and_dots(one: str, other: str) -> None:
    assert normalize_name(one) == normalize_name(other) == name_keys(one)[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("陈示例", "陈示列"),
        ("陈示例", "陳示例"),
        ("李·明", "李明"),
        ("王\ue863", "王䶮"),
        ("René", "Rene"),
        ("A-B", "AB"),
    ],
)
def test_the_first_key_keeps_the_differences_that_it_always_kept(one: str, other: str) -> None:
    """Tokens and ids of listings in the registry stand on it."""
    assert normalize_name(one) != normalize_name(other)


@pytest.mark.parametrize("dot", "·•‧・･．․∙⋅ᐧㆍꞏ⸱●⚫.*-﹒｡")
def test_a_middle_dot_of_any_shape_or_none_makes_no_difference(dot: str) -> None:
    assert names_agree(f"阿卜杜拉{dot}买买提", "阿卜杜拉·买买提")
    assert names_agree(f"阿卜杜拉 {dot} 买买提", "阿卜杜拉买买提")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("王\ue863", "王䶮"),
        ("张\ue826", "张\u9fb5"),
        ("张\ue816", "张\U00020087"),
        ("张\ue815", "张厂"),
        ("⻩示例", "黄示例"),
        ("⻢示例", "马示例"),
        ("⾺示例", "馬示例"),
        ("⾺示例", "马示例"),
        ("\uf9e1示例", "李示例"),
        ("李\ufe00示例", "李示例"),
        ("葛\U000e0101示例", "葛示例"),
        ("李\u200d示\u2060例\ufeff", "李示例"),
        ("李\u034f示例\u3164", "李示例"),
        ("陳示例", "陈示例"),
        ("鍾欣潔", "钟欣洁"),
        ("於示例", "于示例"),
        ("乾示例", "干示例"),
        ("王\ue863", "王龑"),
        ("李○○", "李〇〇"),
        ("示例（雷州）有限公司", "示例雷州有限公司"),
        ("O'Brien Sean", "O’BRIEN, SEAN"),
        ("示例２号厂", "示例2号厂"),
    ],
)
def test_spellings_of_one_name_agree(one: str, other: str) -> None:
    assert names_agree(one, other)
    assert names_agree(other, one)


@pytest.mark.parametrize(
    "listed",
    [
        "张三（曾用名李四）",
        "张三(曾用名：李四)",
        "张三【曾用名 李四】",
        "张三（原名李四、李五）",
        "张三，曾用名李四",
        "张三曾用名：李四",
        "張三（又名：李四",
        "张三（別名李四）（男）",
    ],
)
def test_a_name_with_a_former_name_agrees_with_both(listed: str) -> None:
    assert names_agree(listed, "张三")
    assert names_agree(listed, "李四")
    assert names_agree(listed, "张三（曾用名李四）")
    assert not names_agree(listed, "李三")


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("张三（男）", "张三"),
        ("示例合伙企业（有限合伙）", "示例合伙企业"),
        ("示例有限公司（原雷州示例厂）", "雷州示例厂"),
    ],
)
def test_a_bracket_at_the_end_may_be_missing(listed: str, asked: str) -> None:
    assert names_agree(listed, asked)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("陈示例", "陈示列"),
        ("王䶮", "王龙天"),
        ("王䶮", "王YAN"),
        ("René", "Rene"),
        ("锺示例", "鍾示例"),
        ("甲合伙企业（有限合伙）", "乙合伙企业（有限合伙）"),
        ("示例（雷州）有限公司", "示例（广州）有限公司"),
        ("曾用名", "名"),
        ("", ""),
        (" ", "\u3000"),
    ],
)
def test_other_differences_remain(one: str, other: str) -> None:
    assert not names_agree(one, other)


def test_digits_tell_companies_apart() -> None:
    assert not names_agree("示例1厂", "示例2厂")
    assert names_agree("示例（1）厂", "示例１厂")


@pytest.mark.parametrize("name", ["陈示例", "欧阳示例", "雷州示例有限公司"])
def test_a_common_name_has_one_key(name: str) -> None:
    assert name_keys(name) == (name,)


def test_a_name_of_spaces_is_no_name() -> None:
    assert normalize_name(" \u3000\u200b\n") == ""
    assert name_keys(" \u3000\u200b\n") == ()


def test_a_name_without_letters_keeps_its_first_key() -> None:
    assert name_keys("-·-") == ("-·-",)


def test_the_keys_of_a_name_are_bounded() -> None:
    assert len(name_keys("陳(曾用名" + "、".join(map(str, "甲乙丙丁戊己庚辛壬癸")) + ")")) == (
        NAME_KEYS_MAX
    )


def test_a_space_between_letter_and_accent_leaves_nothing_to_fold_again() -> None:
    once = normalize_name("e \u0301")
    assert normalize_name(once) == once


def test_no_step_changes_a_character_that_is_taken_for_a_common_chinese_one() -> None:
    for code in range(ord("一"), ord("龥") + 1):
        # Behind a space, the character goes through all steps.
        assert normalize_name(f" {chr(code)}") == chr(code)
        assert normalize_name(chr(code)) == chr(code)
