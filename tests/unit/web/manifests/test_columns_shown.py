"""The columns of a sheet as the page shows them, before anything is checked."""

from checker.sheets.columns import FoundColumns, find_columns
from checker.sheets.plan import SheetLayout, plan_sheet
from checker.web.language import Language, PageWords
from checker.web.manifests.columns_shown import columns_shown

WORDS = PageWords(Language.ZH)
HEADER = ["序号", "旅客姓名", "护照号", "紧急联系人姓名", "返程车次", "席别"]


def found() -> FoundColumns:
    columns = find_columns([HEADER])
    assert columns is not None
    return columns


def test_a_column_has_its_letter_and_the_meaning_in_words() -> None:
    plan = plan_sheet(found(), SheetLayout.AUTO, None)
    shown = columns_shown(WORDS, found(), plan)
    assert [(each.letters, each.header, each.meaning) for each in shown] == [
        ("B", "旅客姓名", "姓名"),
        ("C", "护照号", "证件号码 · 护照"),
        ("D", "紧急联系人姓名", "不读取"),
        ("E", "返程车次", "铁路 · 车次"),
        ("F", "席别", "铁路 · 席别"),
    ]


def test_without_a_plan_another_person_is_not_read_either() -> None:
    shown = columns_shown(WORDS, found(), None)
    assert [each.letters for each in shown if not each.is_read] == ["D"]


def test_the_letters_of_a_column_are_those_of_a_program_of_sheets() -> None:
    wide = find_columns([[""] * 25 + ["姓名", "身份证号"] + [""] * 675 + ["车次"]])
    assert wide is not None
    assert [each.letters for each in columns_shown(WORDS, wide, None)] == ["Z", "AA", "AAA"]
