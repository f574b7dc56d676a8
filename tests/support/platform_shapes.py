"""One company's record and one person's record in all shapes in which exporters write them.

Each variation changes the spelling of one field and nothing that the field says.
"""

import json

from tests.support.platform_records import OTHER, PERSON, USCC, company, officer, record

_MEMBER = officer()
_LIST = [_MEMBER]
_CAMEL = {"cardNum": OTHER, "corporationTypeName": "法定代表人", "iName": "李示例"}
_UPPER = {"CARD_NUM": OTHER, "CORPORATION_TYPE_NAME": "法定代表人", "INAME": "李示例"}
_CHINESE = {"证件号码": OTHER, "职务": "法定代表人", "姓名": "李示例"}


def _text(value):
    return json.dumps(value, ensure_ascii=False)


def titled(title):
    return [officer(corporationtypename=title)]


QYSLER = {
    "a list": _LIST,
    "one object": _MEMBER,
    "a text of a list": _text(_LIST),
    "a text of an object": _text(_MEMBER),
    "an escaped text": json.dumps(_LIST),
    "a text within a text": _text(_text(_LIST)),
    "a text with line breaks": f"\r\n {_text(_LIST)}\n",
    "a list of texts": [_text(_MEMBER)],
    "a list of a list": [_LIST],
    "a text in Python's spelling": str(_LIST),
    "a text with HTML's quotes": _text(_LIST).replace('"', "&quot;"),
    "an object of places": {"0": _MEMBER},
    "an object around a list": {"list": _LIST},
    "an object around a text": {"qysler": _text(_LIST)},
    "empty members beside": [None, "", {}, _MEMBER, {"iname": "暂无"}],
    "keys in camel case": [_CAMEL],
    "keys in capitals": [_UPPER],
    "keys in Chinese": [_CHINESE],
    "a title with a line break": titled("法定\r\n代表人"),
    "a title with spaces": titled(" 法 定 代 表 人 "),
    "a title with wide spaces": titled("法定\u3000代表人"),
    "a title with a mark": titled("法定\u200b代表人："),
    "two titles": titled("法定代表人、执行董事"),
    "two titles with a slash": titled("法定代表人/负责人"),
    "a list of titles": titled(["执行董事", "法定代表人"]),
    "a short title": titled("法人"),
    "a name with spaces": [officer(iname=" 李 示例\n")],
    "a number with spaces": [officer(cardNum=f"{OTHER[:6]} {OTHER[6:14]} {OTHER[14:]}")],
    "a text of a name, a title and a number": f"李示例（法定代表人）{OTHER}",
}
"""The same officer, by the shape of `qysler`."""

_PERSONS = {
    "the number in small letters": record(cardNum=PERSON.lower()),
    "the number with spaces": record(cardNum=f" {PERSON[:6]} {PERSON[6:]}\n"),
    "the number in a list": record(cardNum=[PERSON]),
    "a wide number": record(cardNum=PERSON.translate({i: i + 0xFEE0 for i in range(33, 127)})),
    "brackets in half width": record(caseCode="(2016)粤0882执123号"),
    "square brackets": record(caseCode="〔2016〕粤0882执123号"),
    "black brackets": record(caseCode="【2016】粤0882执123号"),
    "no brackets": record(caseCode="2016粤0882执123号"),
    "a year with its word": record(caseCode="2016年粤0882执123号"),
    "zeros in the case number": record(caseCode="（2016）粤0882执00123号"),
    "spaces in the case number": record(caseCode="（2016） 粤 0882 执 123 号"),
    "a case number without its last word": record(caseCode="（2016）粤0882执123"),
    "the old form of a case number": record(caseCode="（2016）粤0882执字第00123号"),
    "spaces in the court": record(courtName=" 雷州市 人民法院\n"),
    "a wide space in the court": record(courtName="雷州市\u3000人民法院"),
    "spaces in the name": record(iname="陈 示\u3000例"),
    "a line break in the name": record(iname="陈\r\n示例"),
    "580": record(partyTypeName="580"),
    "0.0": record(partyTypeName="0.0"),
    "the number 0.0": record(partyTypeName=0.0),
    "a word for the type": record(partyTypeName="自然人"),
    "no type": record(partyTypeName=None),
    "the type of a company": record(partyTypeName="1"),
    "dates with times": record(regDate="2016-05-04 00:00:00", publishDate="2016/7/7 0:00"),
    "epochs": record(regDate=1462291200, publishDate="1467820800000"),
    "dates with dots": record(regDate="2016.05.04", publishDate="2016.7.7"),
    "an unreadable day of filing": record(regDate="soon"),
    "a day of filing of zeros": record(regDate="0000-00-00"),
    "objects in fields that decide nothing": record(
        age={"years": [41]}, sexy=True, duty=None, performance=["a"], gistId={}, areaName=7.5
    ),
    "keys in capitals": {key.upper(): value for key, value in record().items()},
}

_COMPANIES = {
    **{f"qysler: {shape}": company(qysler=value) for shape, value in QYSLER.items()},
    "the code with a hyphen": company(cardNum=f"{USCC[8:16]}-{USCC[16]}"),
    "580": company(partyTypeName="580"),
    "581.0": company(partyTypeName=581.0),
    "a word for the type": company(partyTypeName="企业法人"),
    "no representative": company(businessEntity="--"),
    "a text of a representative": company(businessEntity=_text(_MEMBER)),
    "the representative with a title": company(businessEntity="法定代表人：李示例"),
    "the representative alone": company(
        qysler=None, businessEntity={"iname": "李示例", "cardNum": OTHER}
    ),
    "no qysler but its capitals": {
        ("QYSLER" if key == "qysler" else key): value for key, value in company().items()
    },
}

PERSONS = {"plain": record()} | _PERSONS
COMPANIES = {"plain": company()} | _COMPANIES
