"""Each row becomes checks, or the fault that keeps the row from being checked."""

import math
from datetime import date, datetime

import pytest

from checker.sheets.cell import CellFault
from checker.sheets.issuers import issuer_named
from checker.sheets.numbers import read_number
from checker.sheets.plan import SheetLayout
from tests.support.sheets import csv_of, ended, faults_of, questions_of, workbook_of
from tests.support.town import DEBTOR, OLD, USCC, resident_id

RAIL = {"type": "rail", "train": "G79", "seat": "second"}
ROUND = next(
    number
    for number in (resident_id("440882", f"18760{month}01", 100) for month in range(1, 10))
    if number.endswith("000")
)
"""A genuine number that ends like a rounded one."""


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (4.40882189001011e17, "rounded"),
        (440882189001011000, "rounded"),
        (1e15, "rounded"),
        ("4.40882E+17", "rounded"),
        ("4.40882189001011E+17", "rounded"),
        ("4,40882e17", "rounded"),
        (123.5, "not_text"),
        (math.nan, "not_text"),
        (math.inf, "rounded"),
        (-1, "not_text"),
        (True, "not_text"),
        (date(1890, 1, 1), "not_text"),
        (datetime(1890, 1, 1), "not_text"),  # noqa: DTZ001 - the cells of a sheet have no zone
        ("1890-01-01", "not_text"),
        ("1890.1.1", "not_text"),
        ("1890-01-01 00:00:00", "not_text"),
        (CellFault.FORMULA, "formula"),
        (CellFault.ERROR, "formula"),
        (f"{DEBTOR}、{OLD}", "several"),
        (f"{DEBTOR}\n{OLD}", "several"),
        (f"{DEBTOR} {OLD}", "several"),
        (f"{DEBTOR}/{OLD}", "several"),
        ("1" * 100_000, "invalid_number"),
    ],
)
def test_a_number_that_is_not_exactly_the_persons_own_is_a_fault(cell, fault):
    assert read_number(cell, is_typed=True).fault == fault


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (DEBTOR, DEBTOR),
        (f" {DEBTOR}\t", DEBTOR),
        (f"'{DEBTOR}", DEBTOR),
        (f'="{DEBTOR}"', DEBTOR),
        (440882900101123.0, "440882900101123"),
        (123456789, "123456789"),
        (ROUND, ROUND),
        ("", None),
        ("  ", None),
        ("'", None),
    ],
)
def test_a_number_is_read_as_it_stands(cell, number):
    assert read_number(cell, is_typed=True) == number


def test_a_number_in_csv_that_ends_like_a_rounded_one_is_taken_for_rounded():
    header = ["身份证号", "航班"]
    assert faults_of(csv_of([header, [ROUND, "CZ3101"]])) == ["rounded"]
    assert faults_of(workbook_of([header, [ROUND, "CZ3101"]])) == [None]


@pytest.mark.parametrize(
    ("kind", "number", "fault"),
    [
        ("护照", 123456789, None),
        ("护照", 12345678, "zeros_lost"),
        ("台胞证", 12345678, None),
        ("台胞证", 1234567, "zeros_lost"),
        ("台胞证", "01234567", None),
        ("组织机构代码", 12345678, "zeros_lost"),
    ],
)
def test_zeros_that_a_number_may_have_lost_are_a_fault(kind, number, fault):
    rows = [["证件类型", "证件号码", "航班"], [kind, number, "CZ3101"]]
    assert faults_of(workbook_of(rows)) == [fault]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (["陈示例", "身份证", DEBTOR, "G79", "二等座"], None),
        (["陈示例", "", DEBTOR, "G79", "二等座"], None),
        (["", "身份证", DEBTOR, "G79", "二等座"], None),
        (["陈示例", "", "E12345678", "G79", "二等座"], "no_type"),
        (["陈示例", "军官证", "12345678", "G79", "二等座"], "unknown_type"),
        (["陈示例", "身份证", "", "G79", "二等座"], "no_number"),
        (["合计：35 人"], "no_number"),
        (["陈示例、李法定", "身份证", DEBTOR, "G79", "二等座"], "several"),
        (["陈示例\n李法定", "身份证", DEBTOR, "G79", "二等座"], "several"),
        (["陈示例，李法定", "身份证", DEBTOR, "G79", "二等座"], "several"),
        (["CHEN, SHILI", "身份证", DEBTOR, "G79", "二等座"], None),
        (["陈示例", "身份证", DEBTOR, "", ""], "no_service"),
        (["陈示例", "身份证", DEBTOR, f"G79{' ' * 300}x", "二等座"], "invalid_service"),
        (["陈" * 301, "身份证", DEBTOR, "G79", "二等座"], "invalid_name"),
    ],
)
def test_a_row_has_the_fault_that_a_person_can_mend(row, fault):
    header = ["姓名", "证件类型", "证件号码", "车次", "席别"]
    assert faults_of(csv_of([header, row])) == [fault]
    assert faults_of(workbook_of([header, row])) == [fault]


def test_a_row_becomes_a_check_of_the_api():
    rows = [
        ["姓名", "证件种类", "证件号码", "车次", "席别"],
        ["陈示例", "身份证", DEBTOR, "G79", "二等座"],
    ]
    [question] = questions_of(csv_of(rows), jurisdiction="440882")
    subject = {"document": {"type": "resident_id", "number": DEBTOR}, "name": "陈示例"}
    assert question.checks == ({"subject": subject, "service": RAIL, "jurisdiction": "440882"},)


@pytest.mark.parametrize(
    ("layout", "header", "cells", "service"),
    [
        (
            SheetLayout.HOTEL,
            ["身份证号", "星级"],
            [DEBTOR, "五星级"],
            {"type": "lodging", "star_rating": 5},
        ),
        (
            SheetLayout.HOTEL,
            ["身份证号", "星级"],
            [DEBTOR, 4],
            {"type": "lodging", "star_rating": 4},
        ),
        (
            SheetLayout.INSURANCE,
            ["投保人身份证号", "年保费", "现金价值"],
            [DEBTOR, "12,000.50元", "是"],
            {"type": "insurance", "annual_premium_fen": 1_200_050, "cash_value": True},
        ),
        (
            SheetLayout.INSURANCE,
            ["投保人身份证号", "年保费(万元)", "现金价值"],
            [DEBTOR, 1.2, 0],
            {"type": "insurance", "annual_premium_fen": 1_200_000, "cash_value": False},
        ),
        (
            SheetLayout.SCHOOL,
            ["学生身份证号", "监护人身份证号", "学费"],
            [OLD, DEBTOR, "8万"],
            {"type": "private_school", "annual_fee_fen": 8_000_000},
        ),
    ],
)
def test_each_layout_asks_about_the_person_who_pays(layout, header, cells, service):
    for made in (csv_of, workbook_of):
        [question] = questions_of(made([header, cells]), layout=layout)
        [check] = question.checks
        assert check["service"] == service
        assert check["subject"]["document"]["number"] == DEBTOR


def test_a_service_for_all_rows_takes_its_fields_from_the_columns_where_they_are_filled():
    rows = [["身份证号", "席别"], [DEBTOR, "一等座"], [OLD, ""]]
    questions = questions_of(csv_of(rows), service=RAIL)
    assert [each.checks[0]["service"]["seat"] for each in questions] == ["first", "second"]


def test_a_row_with_several_documents_and_journeys_has_a_check_for_each():
    header = ["身份证号", "护照号", "去程车次", "去程席别", "返程航班"]
    [question] = questions_of(csv_of([header, [DEBTOR, "E12345678", "G79", "二等座", "CZ3101"]]))
    asked = [
        (each["subject"]["document"]["type"], each["service"]["type"]) for each in question.checks
    ]
    assert asked == [
        ("resident_id", "rail"),
        ("resident_id", "air"),
        ("passport", "rail"),
        ("passport", "air"),
    ]


def test_a_word_for_two_kinds_is_the_kind_that_the_number_fits():
    rows = [
        ["证件类型", "证件号码", "航班"],
        ["港澳通行证", "H12345678", "CZ1"],
        ["港澳通行证", "C12345678", "CZ1"],
    ]
    kinds = [each.checks[0]["subject"]["document"]["type"] for each in questions_of(csv_of(rows))]
    assert kinds == ["hk_macao_permit", "exit_entry_permit"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("美国", "USA"),
        ("usa", "USA"),
        ("中国", "CHN"),
        ("Japan", "JPN"),
        ("某国", None),
        ("UTO", None),
        ("", None),
    ],
)
def test_an_issuing_state_is_known_by_its_code_or_its_usual_name(text, code):
    assert issuer_named(text) == code
    rows = [["证件类型", "证件号码", "国籍", "航班"], ["护照", "E12345678", text, "CZ1"]]
    [question] = questions_of(csv_of(rows))
    document = question.checks[0]["subject"]["document"]
    assert document.get("issuer") == code


def test_a_company_is_asked_about_by_its_code():
    rows = [["名称", "统一社会信用代码", "航班"], ["示例有限公司", USCC, "CZ3101"]]
    [question] = questions_of(csv_of(rows))
    assert question.checks[0]["subject"]["document"] == {"type": "uscc", "number": USCC}


def test_a_train_that_is_merged_over_its_group_counts_for_each_row_but_a_number_does_not():
    rows = [
        ["姓名", "身份证号", "车次", "席别"],
        ["陈示例", DEBTOR, "G79", "二等座"],
        ["李法定", None, None, "二等座"],
        ["王主管", OLD, None, "二等座"],
    ]
    content = workbook_of(rows, merged=["C2:C4", "B2:B3"])
    assert faults_of(content) == [None, "no_number", None]
    trains = [each.checks[0]["service"]["train"] for each in questions_of(content) if each.checks]
    assert trains == ["G79", "G79"]


def test_empty_rows_are_no_rows_and_all_others_end_once():
    rows = [["身份证号", "航班"], [], [DEBTOR, "CZ1"], ["", ""], ["", "CZ1"], ["x", ""]]
    assert [each.row for each in questions_of(csv_of(rows))] == [2, 4, 5]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([DEBTOR[:17], "G79", "二等座"], "invalid_number"),
        ([DEBTOR[:17] + "1", "G79", "二等座"], "invalid_number"),
        (["1" * 99, "G79", "二等座"], "invalid_number"),
        ([DEBTOR, "G79", "头等座"], "invalid_service"),
        ([DEBTOR, "快车", "二等座"], "invalid_service"),
        ([DEBTOR, "G79", ""], "invalid_service"),
    ],
)
def test_a_check_that_the_api_refuses_makes_its_row_not_checkable(row, reason):
    [ending] = ended(questions_of(csv_of([["身份证号", "车次", "席别"], row]))).values()
    assert ending.decision == "not_checkable"
    assert ending.reason.startswith(f"{reason}: ")
    assert ending.remedy
    assert row[0] not in ending.reason
