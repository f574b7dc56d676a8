"""Records of the publication platform, and numbers of nobody alive."""

import json
from datetime import date

from checker.formats.feed_format import Reading
from checker.formats.listing import parse_listing
from checker.formats.zxgk import parse_zxgk
from loadtest.document_numbers import NumberSpace

TODAY = date(2026, 11, 23)
READING = Reading(today=TODAY, sent_on=TODAY, identify=str)

_numbers = NumberSpace(16)
PERSON = _numbers.resident_id(1, "0704")
OTHER = _numbers.resident_id(2, "1231")
USCC = _numbers.uscc(3)
ORG_CODE = USCC[8:17]


def record(**changes):
    """A person's record with every field that the platform is known to send."""
    return {
        "id": 707091354,
        "iname": "陈示例",
        "caseCode": "（2016）粤0882执123号",
        "age": 41,
        "sexy": "男性",
        "cardNum": PERSON,
        "businessEntity": "",
        "courtName": "雷州市人民法院",
        "areaName": "广东",
        "partyTypeName": "0",
        "gistId": "（2015）雷民初字第9号",
        "regDate": "2016年05月04日",
        "gistUnit": "雷州市人民法院",
        "duty": "一、还款；\n二、付息。",
        "performance": "全部未履行",
        "performedPart": "暂无",
        "unperformPart": "暂无",
        "disruptTypeName": "违反财产报告制度",
        "publishDate": "2016年07月07日",
        "qysler": [],
    } | changes


def company(**changes):
    officers = [officer()]
    about = {"iname": "示例有限公司", "cardNum": USCC, "partyTypeName": "1", "age": 0}
    return record(**about, businessEntity="李示例", qysler=officers) | changes


def officer(**changes):
    return {"cardNum": OTHER, "corporationtypename": "法定代表人", "iname": "李示例"} | changes


def read(sent):
    """Read a record, its identity left as it is."""
    return parse_zxgk(json.dumps(sent, ensure_ascii=False).encode(), READING)


def listing(**changes):
    """A listing of the feed's own format, every field of it set."""
    return {
        "id": "707091354",
        "case_number": "（2016）粤0882执123号",
        "court": "雷州市人民法院",
        "filed_on": "2016-05-04",
        "published_on": "2016-07-07",
        "expires_on": "2028-07-07",
        "public": True,
        "party": {
            "type": "organization",
            "name": "示例有限公司",
            "documents": [{"type": "uscc", "number": USCC}],
        },
        "officers": [
            {
                "role": "legal_representative",
                "name": "陈示例",
                "documents": [{"type": "resident_id", "number": PERSON}],
            }
        ],
    } | changes


def read_listing(sent):
    line = sent if isinstance(sent, bytes) else json.dumps(sent, ensure_ascii=False).encode()
    return parse_listing(line, READING)
