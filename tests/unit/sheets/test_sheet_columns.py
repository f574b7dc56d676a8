"""The columns of a sheet are found by their headers, wherever the header stands."""

import pytest

from checker.domain.document import DocumentType
from checker.errors import InvalidRequest
from checker.sheets.columns import find_columns
from checker.sheets.documents import kinds_of
from checker.sheets.header_words import SheetField, SheetPerson
from checker.sheets.headers import read_header
from checker.sheets.plan import SheetLayout, plan_sheet

RESIDENT = "440882189001011230"


@pytest.mark.parametrize(
    ("header", "person", "field", "kinds"),
    [
        ("姓名", None, SheetField.NAME, ()),
        ("旅客姓名", SheetPerson.BUYER, SheetField.NAME, ()),
        (" 姓  名* ", None, SheetField.NAME, ()),
        ("姓名 Name", None, SheetField.NAME, ()),
        ("证件号码/\nID No.", None, SheetField.NUMBER, ()),
        ("Passenger Name", SheetPerson.BUYER, SheetField.NAME, ()),
        ("证件类型", None, SheetField.DOCUMENT_TYPE, ()),
        ("证件种类", None, SheetField.DOCUMENT_TYPE, ()),
        ("document_type", None, SheetField.DOCUMENT_TYPE, ()),
        ("证件号码", None, SheetField.NUMBER, ()),
        ("证件号码（必填）", None, SheetField.NUMBER, ()),
        ("ID No.", None, SheetField.NUMBER, ()),
        ("Document Number", None, SheetField.NUMBER, ()),
        ("document_number", None, SheetField.NUMBER, ()),
        ("身份证号", None, SheetField.NUMBER, (DocumentType.RESIDENT_ID,)),
        ("居民身份证号码", None, SheetField.NUMBER, (DocumentType.RESIDENT_ID,)),
        ("公民身份号码", None, SheetField.NUMBER, (DocumentType.RESIDENT_ID,)),
        ("护照号", None, SheetField.NUMBER, (DocumentType.PASSPORT,)),
        ("Passport No", None, SheetField.NUMBER, (DocumentType.PASSPORT,)),
        (
            "身份证/护照号码",
            None,
            SheetField.NUMBER,
            (DocumentType.RESIDENT_ID, DocumentType.PASSPORT),
        ),
        ("统一社会信用代码", None, SheetField.NUMBER, (DocumentType.USCC,)),
        ("国籍/签发国", None, SheetField.ISSUER, ()),
        ("投保人", SheetPerson.PAYER, SheetField.NAME, ()),
        ("投保人证件号码", SheetPerson.PAYER, SheetField.NUMBER, ()),
        ("监护人身份证号", SheetPerson.PAYER, SheetField.NUMBER, (DocumentType.RESIDENT_ID,)),
        ("被保险人身份证号", SheetPerson.OTHER, SheetField.NUMBER, (DocumentType.RESIDENT_ID,)),
        ("学生姓名", SheetPerson.OTHER, SheetField.NAME, ()),
        ("Guardian's passport number", SheetPerson.PAYER, SheetField.NUMBER, ("passport",)),
    ],
)
def test_a_header_names_a_person_and_a_field(header, person, field, kinds):
    column = read_header(0, header)
    assert (column.person, column.field, column.kinds) == (person, field, kinds)


@pytest.mark.parametrize(
    ("header", "service", "leg", "unit"),
    [
        ("车次", "rail.train", "", 100),
        ("席别", "rail.seat", "", 100),
        ("车次 Train No.", "rail.train", "", 100),
        ("返程航班", "air.flight", "返程", 100),
        ("星级", "lodging.star_rating", "", 100),
        ("年保费（万元）", "insurance.annual_premium_fen", "", 1_000_000),
        ("annual_premium_fen", "insurance.annual_premium_fen", "", 1),
        ("学费(元)", "private_school.annual_fee_fen", "", 100),
    ],
)
def test_a_header_names_a_field_of_a_service(header, service, leg, unit):
    column = read_header(0, header)
    found = f"{column.service.service}.{column.service.field}"
    assert (found, column.leg, column.unit_fen) == (service, leg, unit)


@pytest.mark.parametrize(
    "header", ["", "备注", "电话", "联系人电话", "号码", "保费", "电话 passport no", "x" * 99]
)
def test_a_header_without_a_known_word_has_no_meaning(header):
    assert read_header(0, header) is None


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("身份证", "resident_id"),
        ("居民身份证", "resident_id"),
        ("户口簿", "resident_id"),
        ("护照", "passport"),
        ("港澳居民来往内地通行证", "hk_macao_permit"),
        ("台胞证", "taiwan_permit"),
        ("外国人永久居留身份证", "foreign_permanent_resident_id"),
        ("往来港澳通行证", "exit_entry_permit"),
        ("统一社会信用代码", "uscc"),
        ("组织机构代码", "org_code"),
        ("Passport", "passport"),
        *((each.value, each.value) for each in DocumentType),
    ],
)
def test_a_kind_of_document_is_known_by_its_usual_words(word, kind):
    assert kinds_of(word) == (kind,)


@pytest.mark.parametrize("word", ["军官证", "其他", "出生证明", "号", "4"])
def test_a_kind_that_no_list_has_is_unknown(word):
    assert kinds_of(word) is None


def test_the_header_is_found_below_a_title_and_empty_rows():
    rows = [["某团名单", ""], [], ["姓名", "身份证号"], ["陈示例", RESIDENT]]
    found = find_columns(rows)
    assert (found.header_row, found.first_row) == (2, 3)
    assert [column.index for column in found.columns] == [0, 1]


def test_a_header_in_two_languages_is_one_header():
    rows = [
        ["姓名", "证件号码", "车次"],
        ["Name", "Document number", "Train"],
        ["陈示例", RESIDENT, "G79"],
    ]
    assert find_columns(rows).first_row == 2


@pytest.mark.parametrize(
    "row", [["陈示例", "身份证", RESIDENT, "领队"], ["护照", "身份证", "x"], ["G79", RESIDENT]]
)
def test_a_row_of_people_is_never_taken_for_a_header(row):
    assert find_columns([row, row]) is None
    header = ["姓名", "证件类型", "证件号码", "备注"]
    assert find_columns([header, row]).first_row == 1


@pytest.mark.parametrize(
    "header",
    [["身份证"], ["姓名", "身份证", "电话"], ["旅客", "身份证", "电话", "车次"], ["旅客", "护照"]],
)
def test_a_short_header_is_a_header(header):
    assert find_columns([header]).header_row == 0


def test_groups_above_the_header_name_the_person():
    rows = [
        ["序号", "投保人", "", "被保险人", "", "年保费"],
        ["", "姓名", "证件号码", "姓名", "证件号码", ""],
        [1, "陈示例", RESIDENT, "陈幼", RESIDENT, 20_000],
    ]
    plan = plan_sheet(find_columns(rows), SheetLayout.AUTO, None)
    assert (plan.layout, plan.name.index) == (SheetLayout.INSURANCE, 1)
    assert [column.index for column in plan.numbers] == [2]
    assert [column.index for column in plan.other_columns] == [3, 4]


@pytest.mark.parametrize(
    ("header", "layout"),
    [
        (["姓名", "证件号码", "车次", "席别"], SheetLayout.MANIFEST),
        (["姓名", "证件号码", "航班", "星级"], SheetLayout.MANIFEST),
        (["姓名", "证件号码", "星级"], SheetLayout.HOTEL),
        (["投保人", "投保人身份证号", "年保费", "现金价值"], SheetLayout.INSURANCE),
        (["学生姓名", "监护人", "监护人身份证号", "学费"], SheetLayout.SCHOOL),
    ],
)
def test_the_layout_is_chosen_by_the_columns(header, layout):
    assert plan_sheet(find_columns([header]), SheetLayout.AUTO, None).layout is layout


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (["姓名", "证件号码"], "names a service"),
        (["学生姓名", "身份证号", "学费"], "who pays"),
        (["学生姓名", "学生身份证号", "监护人", "学费"], "who pays"),
        (["姓名", "身份证号", "年保费"], "who pays"),
        (["姓名", "身份证号", "身份证号", "车次"], "two columns mean the same"),
        (["姓名", "旅客姓名", "身份证号", "车次"], "two columns mean the same"),
        (["身份证号", "车次", "车次"], "two columns mean the same"),
        (["监护人身份证号", "学费", "年保费"], "name the layout"),
    ],
)
def test_a_sheet_that_could_be_read_in_two_ways_is_refused(header, told):
    with pytest.raises(InvalidRequest) as caught:
        plan_sheet(find_columns([header]), SheetLayout.AUTO, None)
    assert told in caught.value.faults[0].detail


@pytest.mark.parametrize(
    ("service", "pointer"),
    [
        ({"type": "submarine"}, "/service/type"),
        ({}, "/service/type"),
        ({"type": "rail", "train": "G79"}, "/service/seat"),
    ],
)
def test_a_service_that_is_none_is_refused_before_any_row(service, pointer):
    found = find_columns([["姓名", "证件号码"]])
    with pytest.raises(InvalidRequest) as caught:
        plan_sheet(found, SheetLayout.AUTO, service)
    assert caught.value.faults[0].pointer == pointer
