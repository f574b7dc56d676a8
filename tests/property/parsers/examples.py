"""Valid inputs of synthetic people, as a court, a seller or a reader of cards sends them."""

import json
from typing import Any, Final

from tests.support.town import DEBTOR, PASSPORT, TOWN, USCC


def lines(*lines: Any) -> bytes:
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)


DOCUMENTS: Final = tuple(
    f"{kind}\n{number}".encode()
    for kind, number in (
        ("resident_id", DEBTOR),
        ("resident_id", f"{DEBTOR[:10]}****{DEBTOR[14:]}"),
        ("passport", PASSPORT),
        ("uscc", USCC),
        ("org_code", "MA4UX001-X"),
        ("hk_macao_permit", "H1234567801"),
        ("taiwan_permit", "1234567801"),
        ("foreign_permanent_resident_id", "CAN110085010112"),
        ("exit_entry_permit", "CA1234567"),
    )
)
SUBJECT: Final = {"document": {"type": "resident_id", "number": DEBTOR}, "name": "陈示例"}
RAIL: Final = {"type": "rail", "train": "G79", "seat": "second"}
CHECK: Final = {"subject": SUBJECT, "service": RAIL, "jurisdiction": "440882", "receipt": True}
CARD: Final = f"陈示例|男|汉|18900101|广东省雷州市某路 1 号|{DEBTOR}|雷州市公安局|20200101|20400101"
SALES: Final = (
    "document_type,document_number,name,sold_at,service,flight,reference\n"
    f'resident_id,{DEBTOR},陈示例,2026-11-01T00:00:00Z,air,CZ3101,"a\nb"\n'
)
SHEET: Final = f"姓名,证件类型,证件号码,航班\n陈示例,身份证,{DEBTOR},CZ3101\n"
FOLLOWED: Final = {
    "series": "a",
    "snapshot": {"number": 40, "file": "snapshot-40.ndjson", "sha256": "9f" * 32},
    "changes": [{"number": 41, "file": "changes/41.ndjson"}],
}

OPERATIONS: Final = (
    {"op": "list", "listing": TOWN[0]},
    {"op": "delist", "listing_id": "1", "ground": "settled", "on": "2026-11-01"},
    {"op": "officers", "listing_id": "1", "officers": []},
    {"op": "bind", "documents": [SUBJECT["document"], {"type": "passport", "number": PASSPORT}]},
    {
        "op": "permit",
        "permit": {
            "id": "p",
            "document": SUBJECT["document"],
            "services": ["air"],
            "valid_from": "2026-11-01",
            "valid_until": "2026-11-20",
            "uses": 1,
            "court": "雷州市人民法院",
            "ground": "x",
            "kind": "urgent_travel",
        },
    },
    {
        "op": "retain",
        "listing_id": "1",
        "measures": ["cn-2016-64/2.7.1"],
        "until": "2027-01-01",
        "basis": "x",
    },
    {
        "op": "distinguish",
        "listing_id": "1",
        "document": SUBJECT["document"],
        "court": "雷州市人民法院",
        "on": "2026-11-01",
    },
)
RECORD: Final = {
    "iname": "示例有限公司",
    "caseCode": "（2014）某法执字第00232号",
    "age": 0,
    "cardNum": USCC,
    "businessEntity": "李示例（440882188501010221）",
    "courtName": "雷州市人民法院",
    "partyTypeName": ["581"],
    "gistId": ["a"],
    "regDate": "20160504",
    "publishDate": 1467849600000,
    "qysler": [{"cardNum": DEBTOR, "corporationtypename": "法定代表人", "iname": "陈示例"}],
}
ORDER: Final = {
    "XM": "陈示例、李示例",
    "QY_MC": "示例有限公司",
    "QY_DM": USCC,
    "AH": "（2019）粤0882执321号",
    "LASJStr": "2019年12月02日",
    "ZXFYMC": "雷州市人民法院",
    "IDNUMBER": f"{DEBTOR}、{DEBTOR[:10]}****{DEBTOR[14:]}",
}
LINES: Final[dict[str, tuple[bytes, ...]]] = {
    "listing": tuple(lines(line).strip() for line in TOWN),
    "changes": tuple(lines(line).strip() for line in OPERATIONS),
    "zxgk": (lines(RECORD).strip(),),
    "xgl": (lines(ORDER).strip(),),
}
