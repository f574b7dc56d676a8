"""The record of the courts' publication platform, through the feed."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, ask, codes
from tests.support.town import (
    ACTUAL_CONTROLLER,
    COMPANY_NAME,
    DEBTOR,
    DEBTOR_NAME,
    LEGAL_REPRESENTATIVE,
    MASKED,
    MASKED_NAME,
    OTHER_NAME,
    PRINCIPAL,
    USCC,
    ndjson,
)

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

PutSnapshot = Callable[..., dict[str, Any]]

PERSON = {
    "iname": DEBTOR_NAME,
    "caseCode": "(2016)粤0882执123号",
    "age": 126,
    "sexy": "男",
    "cardNum": DEBTOR,
    "businessEntity": "",
    "courtName": "雷州市人民法院",
    "areaName": "广东",
    "partyTypeName": "0",
    "gistId": ["（2015）雷民初字第1号"],
    "regDate": "2016年05月04日",
    "gistUnit": "雷州市人民法院",
    "duty": "偿还\r\n借款",
    "performance": "全部未履行",
    "performedPart": "暂无",
    "unperformPart": "暂无",
    "disruptTypeName": "有履行能力而拒不履行生效法律文书确定义务",
    "publishDate": "20160707",
    "qysler": [],
    "iType": 7,
}
COMPANY = {
    **PERSON,
    "iname": COMPANY_NAME,
    "caseCode": "（2014）雷法执字第00232号",
    "age": "0",
    "cardNum": "MA4UX001-X",
    "businessEntity": OTHER_NAME,
    "partyTypeName": "581",
    "qysler": [
        {"cardNum": LEGAL_REPRESENTATIVE, "corporationtypename": "法定代表人", "iname": "李法定"},
        {"cardNum": PRINCIPAL, "corporationtypename": "主要负责人", "iname": "王主管"},
        {"cardNum": "", "corporationtypename": "负责人", "iname": "吴无证"},
        {
            "cardNum": f"{ACTUAL_CONTROLLER[:10]}****{ACTUAL_CONTROLLER[14:]}",
            "corporationtypename": "实际控制人",
            "iname": "赵实控",
        },
    ],
}


def put(put_snapshot: PutSnapshot, *records: dict[str, Any]) -> dict[str, Any]:
    return put_snapshot(ndjson(records), format="zxgk")


def test_a_person_is_found_by_the_whole_number(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    report = put(put_snapshot, PERSON)
    assert (report["accepted"], report["rejected"]) == (1, [])
    [reason] = ask(institution, DEBTOR, FLIGHT)["reasons"]
    shown = reason["listing"]
    assert (shown["case_number"], shown["published_on"]) == ("（2016）粤0882执123号", "2016-07-07")
    assert shown["court"] == "雷州市人民法院"


@pytest.mark.parametrize("hidden", [(10, 14), (6, 14), (10, 18), (8, 12)])
def test_a_masked_number_gives_review_to_the_same_name_alone(
    institution: httpx.Client, put_snapshot: PutSnapshot, hidden: tuple[int, int]
) -> None:
    first, past = hidden
    shown = MASKED[:first] + "*" * (past - first) + MASKED[past:]
    put(put_snapshot, {**PERSON, "iname": MASKED_NAME, "cardNum": shown})
    answer = ask(institution, MASKED, FLIGHT, name=MASKED_NAME)
    assert (answer["decision"], codes(answer)[0][0]) == ("review", "masked_match")
    assert ask(institution, MASKED, FLIGHT, name=OTHER_NAME)["decision"] == "allow"


def test_the_officers_of_a_company_are_reached_in_their_roles(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    put(put_snapshot, COMPANY)
    for number, role in ((LEGAL_REPRESENTATIVE, "legal_representative"), (PRINCIPAL, "principal")):
        [reason] = ask(institution, number, FLIGHT)["reasons"]
        assert (reason["code"], reason["role"]) == ("restricted", role)
        assert reason["listing"]["case_number"] == "（2014）雷法执字第00232号"
    [reason] = ask(institution, ACTUAL_CONTROLLER, FLIGHT, name="赵实控")["reasons"]
    assert (reason["code"], reason["role"]) == ("masked_match", "actual_controller")


def test_a_company_is_found_by_either_code(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    for number in ("MA4UX001-X", USCC):
        put(put_snapshot, {**COMPANY, "cardNum": number})
        assert ask(institution, USCC, FLIGHT, kind="uscc")["decision"] == "deny"
        assert ask(institution, "MA4UX001X", FLIGHT, kind="org_code")["decision"] == "deny"


def test_an_officer_known_by_name_alone_is_counted_and_reaches_nobody(
    operator: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    put(put_snapshot, COMPANY)
    told = operator.get("/v1/list").json()
    assert told["unresolved_officers"] == 2
    assert (told["organizations"], told["listings"]) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"cardNum": "暂无"},
        {"iname": ""},
        {"partyTypeName": "9", "cardNum": "E12345678"},
        {"regDate": "1884-01-02"},
    ],
)
def test_a_record_that_cannot_stand_is_rejected_alone(
    put_snapshot: PutSnapshot, change: dict[str, Any]
) -> None:
    report = put(put_snapshot, COMPANY, {**PERSON, **change})
    assert report["accepted"] == 1
    assert [line["line"] for line in report["rejected"]] == [2]


def test_a_record_told_twice_is_one_listing(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    report = put(put_snapshot, PERSON, PERSON)
    assert [line["code"] for line in report["rejected"]] == ["duplicate-id"]
    assert len(ask(institution, DEBTOR, FLIGHT)["reasons"]) == 1


def test_two_records_of_a_case_with_different_officers_reach_all_of_them(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    first, second, *_ = COMPANY["qysler"]
    records = [{**COMPANY, "qysler": [first]}, {**COMPANY, "qysler": [second]}]
    report = put(put_snapshot, *records, *records)
    assert report["accepted"] == 2
    assert [(line["line"], line["code"]) for line in report["rejected"]] == [
        (3, "duplicate-id"),
        (4, "duplicate-id"),
    ]
    for number in (LEGAL_REPRESENTATIVE, PRINCIPAL):
        assert ask(institution, number, FLIGHT)["decision"] == "deny"


def test_a_field_that_decides_nothing_frees_nobody(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    odd = {"regDate": "2016-05-04 00:00:00", "publishDate": "--", "age": [41], "duty": {"a": 1}}
    report = put(put_snapshot, {**PERSON, **odd}, {**COMPANY, "regDate": "2016年02月30日"})
    assert (report["accepted"], report["rejected"]) == (2, [])
    assert report["dropped_fields"] == {"regDate": 1}
    assert ask(institution, DEBTOR, FLIGHT)["decision"] == "deny"


def test_officers_are_reached_in_whatever_shape_they_come(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    title = {"corporationtypename": "法定\n代表人、执行董事"}
    first = {**COMPANY["qysler"][0], **title}
    for shape in (json.dumps([first]), first, [json.dumps(first)]):
        put(put_snapshot, {**COMPANY, "partyTypeName": "580", "qysler": shape})
        [reason] = ask(institution, LEGAL_REPRESENTATIVE, FLIGHT)["reasons"]
        assert reason["role"] == "legal_representative"


def test_a_row_of_the_orders_reaches_a_company_and_a_person_with_a_number(
    institution: httpx.Client, operator: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    row = {
        "XM": "李法定",
        "QY_MC": COMPANY_NAME,
        "QY_DM": USCC,
        "AH": "（2019）粤0882执321号",
        "LASJStr": "2019年12月02日",
        "ZXFYMC": "雷州市人民法院",
        "FILEPATH": "/321.pdf",
    }
    alone = {**row, "QY_MC": None, "QY_DM": None, "XM": DEBTOR_NAME}
    numbered = {**alone, "AH": "（2019）粤0882执322号", "IDNUMBER": DEBTOR}
    report = put_snapshot(ndjson([row, alone, numbered]), format="xgl")
    assert (report["accepted"], report["rejected"]) == (3, [])
    assert operator.get("/v1/list").json()["unresolved_officers"] == 2
    assert ask(institution, USCC, FLIGHT, kind="uscc")["decision"] == "deny"
    assert ask(institution, DEBTOR, FLIGHT)["decision"] == "deny"
