"""The list that most tests ask about, and how its lines are written.

Everybody was born between 1850 and 1905. `MARKS` are the numbers and names of all of them, and what
those of strangers to the town begin with (`changing`): nothing that the service says may hold one.
"""

import json
from collections.abc import Sequence
from typing import Any

COURT = "雷州市人民法院"


def resident_id(place: str, born: str, sequence: int) -> str:
    """GB 11643-1999: place, birth date, sequence, and the check digit of ISO 7064 MOD 11-2."""
    body = f"{place}{born}{sequence:03d}"
    total = sum(int(digit) * pow(2, 17 - index, 11) for index, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


DEBTOR = "440882189001011230"
LEGAL_REPRESENTATIVE = "440882188501010221"
PRINCIPAL = resident_id("440882", "18880312", 2)
ACTUAL_CONTROLLER = resident_id("110101", "18770909", 1)
DIRECTLY_RESPONSIBLE = resident_id("310115", "18820520", 54)
TWICE = resident_id("510104", "18990817", 331)
HIDDEN = resident_id("440801", "18950606", 223)
EXPIRED = resident_id("330106", "18840229", 101)
FUTURE = resident_id("330106", "18860228", 102)
MASKED = resident_id("420106", "18860611", 245)
OLD = resident_id("440882", "19030405", 671)
WITH_X = next(
    number
    for number in (resident_id("440882", "18610203", sequence) for sequence in range(1, 99))
    if number.endswith("X")
)
INNOCENT = resident_id("440882", "18730704", 123)
USCC = "91440882MA4UX001XX"
ORG_CODE = "MA4UX001-X"
PASSPORT = "P12345678"

DEBTOR_NAME = "陈示例"
MASKED_NAME = "郑遮掩"
TRAVELLER_NAME = "Sample Traveller"
COMPANY_NAME = "示例有限公司"
OTHER_NAME = "陈另名"

STRANGERS_NUMBER = "44088218760504"
STRANGERS_PASSPORT = "E770"
STRANGERS_NAME = "甲外乡"

ROLES = {
    "debtor": DEBTOR,
    "legal_representative": LEGAL_REPRESENTATIVE,
    "principal": PRINCIPAL,
    "actual_controller": ACTUAL_CONTROLLER,
    "directly_responsible": DIRECTLY_RESPONSIBLE,
}

MARKS = (
    *ROLES.values(),
    TWICE,
    HIDDEN,
    EXPIRED,
    FUTURE,
    MASKED,
    OLD,
    WITH_X,
    INNOCENT,
    USCC,
    ORG_CODE,
    PASSPORT,
    DEBTOR_NAME,
    MASKED_NAME,
    TRAVELLER_NAME,
    COMPANY_NAME,
    OTHER_NAME,
    "李法定",
    "王主管",
    "赵实控",
    "钱责任",
    "孙两案",
    "周不公",
    STRANGERS_NUMBER,
    STRANGERS_PASSPORT,
    STRANGERS_NAME,
)

Line = dict[str, Any]


def document(number: str, kind: str = "resident_id") -> dict[str, str]:
    return {"type": kind, "number": number}


def person(name: str, *documents: dict[str, str]) -> Line:
    return {"type": "person", "name": name, "documents": list(documents)}


def officer(role: str, name: str, number: str) -> Line:
    return {"role": role, "name": name, "documents": [document(number)]}


def listing(listing_id: str, party: Line, **more: Any) -> Line:
    """A line of the feed; `more` replaces what stands in it."""
    return {
        "id": listing_id,
        "case_number": f"（2016）粤0882执{listing_id}号",
        "court": COURT,
        "filed_on": "2016-05-04",
        "published_on": "2016-07-07",
        "expires_on": None,
        "public": True,
        "party": party,
        "officers": [],
        **more,
    }


TOWN: Sequence[Line] = (
    listing("1", person(DEBTOR_NAME, document(DEBTOR))),
    listing(
        "2",
        {"type": "organization", "name": COMPANY_NAME, "documents": [document(USCC, "uscc")]},
        officers=[
            officer("legal_representative", "李法定", LEGAL_REPRESENTATIVE),
            officer("principal", "王主管", PRINCIPAL),
            officer("actual_controller", "赵实控", ACTUAL_CONTROLLER),
            officer("directly_responsible", "钱责任", DIRECTLY_RESPONSIBLE),
            officer("legal_representative", "孙两案", TWICE),
            {"role": "principal", "name": "吴无证", "documents": []},
        ],
    ),
    listing("3", person("孙两案", document(TWICE)), published_on="2017-03-03"),
    listing("4", person("周不公", document(HIDDEN)), public=False),
    listing("5", person("冯到期", document(EXPIRED)), expires_on="2018-07-07"),
    listing("6", person("褚未到", document(FUTURE)), published_on="2999-01-01"),
    listing("7", person(MASKED_NAME, document(f"{MASKED[:10]}****{MASKED[14:]}"))),
    listing("8", person("卫旧号", document(OLD))),
    listing("9", person("蒋末位", document(WITH_X))),
    listing("10", person(TRAVELLER_NAME, document(PASSPORT, "passport"))),
)


def ndjson(lines: Sequence[Line]) -> bytes:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
