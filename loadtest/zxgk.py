"""Writes a listing as the courts' publication platform (zxgk; contract, section 5), spelt wildly.

A record of the platform has no mark of privacy, no last day, and one number for each person. The
other facts of a listing are lost. `loadtest.crowd` knows the loss.
"""

from datetime import date
from random import Random
from typing import Any

import msgspec

from loadtest.circles import Appearance, CircleRole, Listing
from loadtest.document_numbers import SyntheticDocumentType, birth_year
from loadtest.draw import below, pick
from loadtest.holders import Organization, SyntheticPerson

_encoder = msgspec.json.Encoder()

_NOTHING_KNOWN = ("暂无", "")
_AGES_OF_COMPANIES: tuple[int | str, ...] = (0, 0, "0", "")
_HALF_WIDTH_BRACKETS = str.maketrans("（）", "()")
_ROLE_NAMES = {
    CircleRole.LEGAL_REPRESENTATIVE: "法定代表人",
    CircleRole.PRINCIPAL: "主要负责人",
    CircleRole.ACTUAL_CONTROLLER: "实际控制人",
    CircleRole.DIRECTLY_RESPONSIBLE: "影响债务履行的直接责任人员",
}
_DUTIES = (
    "被执行人于判决生效之日起十日内偿还借款本金{amount}元及利息。",
    "一、解除双方签订的合同；\n二、被执行人支付货款{amount}元；\n三、案件受理费由被执行人负担。",
    "支付工程款{amount}元\r\n并自起诉之日起计付利息",
    "　　连带清偿担保债务{amount}元。\n",
)
_PERFORMANCES = (
    ("全部未履行", "暂无", "暂无"),
    ("全部未履行", "", "全部"),
    ("部分未履行", "已履行\n部分款项", "其余款项"),
)
_CONDUCTS = (
    "有履行能力而拒不履行生效法律文书确定义务",
    "违反财产报告制度",
    "违反限制消费令",
    "其他有履行能力而拒不履行生效法律文书确定义务\n",
)


def zxgk_line(listing: Listing, rng: Random) -> bytes:
    """Write one listing as a line of NDJSON, line feed included; `rng` decides spelling alone."""
    party, case = listing.party, listing.case
    performance, performed, unperformed = pick(rng, _PERFORMANCES)
    record = {
        "id": int(listing.id),
        "iname": _name(party.holder.name, rng),
        "caseCode": _case_number(case.number, rng),
        **_about_person(party.holder, case.published_on, rng),
        **_about_organization(listing, rng),
        "cardNum": _card_number(party, rng),
        "courtName": case.court.name,
        "areaName": case.court.area,
        "gistId": _title_number(listing, rng),
        "regDate": _day(case.filed_on, rng),
        "gistUnit": case.court.name,
        "duty": pick(rng, _DUTIES).format(amount=1000 + below(rng, 5_000_000)),
        "performance": performance,
        "performedPart": performed,
        "unperformPart": unperformed,
        "disruptTypeName": pick(rng, _CONDUCTS),
        "publishDate": _day(case.published_on, rng),
    }
    if rng.random() < 0.2:
        record["focusNumber"] = below(rng, 100)
        record["partyTypeExt"] = None
    return _encoder.encode(record) + b"\n"


def _about_person(holder: SyntheticPerson | Organization, on: date, rng: Random) -> dict[str, Any]:
    if isinstance(holder, Organization):
        return {"age": pick(rng, _AGES_OF_COMPANIES), "sexy": pick(rng, _NOTHING_KNOWN)}
    number = holder.resident_id
    years = on.year - birth_year(number) if number else 30 + below(rng, 50)
    return {
        "age": pick(rng, (years, years, str(years), "暂无")),
        "sexy": pick(rng, ("女性", "女") if holder.is_female else ("男性", "男")),
    }


def _about_organization(listing: Listing, rng: Random) -> dict[str, Any]:
    """Return the type of the party, and the officers of a company.

    `businessEntity` names the legal representative again. Without a number it is at times the only
    field with the name.
    """
    if isinstance(listing.party.holder, SyntheticPerson):
        about: dict[str, Any] = {
            "partyTypeName": pick(rng, ("0", "580")),
            "businessEntity": pick(rng, _NOTHING_KNOWN),
        }
        if rng.random() < 0.5:
            about["qysler"] = []
        return about
    rows = []
    representative = ""
    for officer in listing.officers:
        if officer.role is CircleRole.LEGAL_REPRESENTATIVE:
            representative = officer.holder.name
            if not officer.documents and rng.random() < 0.5:
                continue
        rows.append(_officer_row(officer, rng))
    return {
        "partyTypeName": pick(rng, ("1", "581")),
        "businessEntity": representative,
        "qysler": rows,
    }


def _officer_row(officer: Appearance, rng: Random) -> dict[str, str]:
    row = {
        "corporationtypename": _ROLE_NAMES[officer.role],
        "iname": _name(officer.holder.name, rng),
    }
    if officer.documents:
        row["cardNum"] = _card_number(officer, rng)
    elif rng.random() < 0.7:
        row["cardNum"] = pick(rng, _NOTHING_KNOWN)
    return row


def _card_number(appearance: Appearance, rng: Random) -> str:
    document = appearance.documents[0]
    drawn = rng.random()
    if document.type is SyntheticDocumentType.ORG_CODE and drawn < 0.5:
        return f"{document.number[:8]}-{document.number[8]}"
    if document.type is SyntheticDocumentType.RESIDENT_ID and drawn < 0.1:
        return document.number.lower()
    return document.number


def _name(name: str, rng: Random) -> str:
    """Return a name; at times with a space between its two characters, as clerks align tables."""
    if len(name) == 2 and rng.random() < 0.02:
        return f"{name[0]}　{name[1]}"
    return name


def _case_number(number: str, rng: Random) -> str:
    return number.translate(_HALF_WIDTH_BRACKETS) if rng.random() < 0.5 else number


def _title_number(listing: Listing, rng: Random) -> str | list[str]:
    """Return the numbers of the enforced judgments: one, several, or none."""
    court, year = listing.case.court, listing.case.filed_on.year - 1
    numbers = [
        _case_number(f"（{year}）{court.code}民初{1 + below(rng, 9000)}号", rng) for _ in range(2)
    ]
    spellings: tuple[str | list[str], ...] = (
        *numbers,
        numbers[0],
        numbers,
        numbers[:1],
        "暂无",
        "",
    )
    return pick(rng, spellings)


def _day(day: date, rng: Random) -> str:
    return f"{day:%Y年%m月%d日}" if rng.random() < 0.5 else f"{day:%Y%m%d}"
