"""An oracle: what a careful clerk would answer who has the platform's file and no index at all.

Written from the contract alone and from nothing of the service: the file is read with `json`, every
record is compared with whoever asks. Knows whole numbers, masked numbers and names, and a table of
services. To be quick it groups records by what it compares first, a name or a number.
"""

import json
import re
import unicodedata
from collections import defaultdict
from datetime import date
from typing import NamedTuple

from loadtest.document_numbers import resident_check_digit

ALL = ("debtor", "legal_representative", "principal", "actual_controller", "directly_responsible")
DEBTOR = ("debtor",)
TITLES = {
    "法定代表人": "legal_representative",
    "主要负责人": "principal",
    "实际控制人": "actual_controller",
    "影响债务履行的直接责任人员": "directly_responsible",
}
# Service; code; roles; measures in CN and, after those, in 440882. No settings are made.
SERVICES = [
    ({"type": "air", "flight": "CZ3101"}, "restricted", ALL, ["2.7.1"], ["2.7.1"]),
    ({"type": "rail", "train": "G79", "seat": "second"}, "restricted", ALL, ["2.7.1"], ["2.7.1"]),
    ({"type": "rail", "train": "D7451", "seat": "first"}, "restricted", ALL, ["2.7.1"], ["2.7.1"]),
    ({"type": "rail", "train": "D7451", "seat": "second"}, "", ALL, [], []),
    ({"type": "rail", "train": "K511", "seat": "hard_seat"}, "", ALL, [], []),
    ({"type": "lodging", "star_rating": 3}, "restricted", ALL, ["2.7.2"], ["2.7.2"]),
    (
        {"type": "lodging", "star_rating": 0, "national_grade": "first"},
        "restricted", ALL, ["2.7.2"], [],
    ),
    ({"type": "venue", "kind": "golf"}, "restricted", ALL, ["2.7.2"], []),
    ({"type": "venue", "kind": "star_hotel"}, "restricted", ALL, [], ["2.7.3"]),
    (
        {"type": "outbound_tour", "product": "group_tour"},
        "restricted", ALL, ["2.7.3"], ["2.7.4"],
    ),
    (
        {"type": "resort", "venue": "rated_resort", "amount_fen": 100},
        "cap_unset", DEBTOR, ["2.7.3"], ["2.7.4"],
    ),
    (
        {"type": "private_school", "annual_fee_fen": 900_000_000},
        "threshold_unset", ALL, ["2.7.4"], ["2.7.5"],
    ),
    ({"type": "vehicle", "operating_necessity": False}, "restricted", ALL, ["2.7.6"], ["2.7.7"]),
    (
        {"type": "real_estate", "transaction": "resource_development"},
        "restricted", DEBTOR, ["2.6.1"], ["2.6.1"],
    ),
]  # fmt: skip


class Entry(NamedTuple):
    """Somebody as one record shows them, by a number that `plain_number` wrote."""

    number: str
    name: str
    role: str
    case: str
    published: date


class Platform:
    """The file, read. `readable` counts the records that show somebody who can be asked about."""

    def __init__(self, path):
        with path.open(encoding="utf-8") as file:
            shown = [_entries(json.loads(line)) for line in file]
        self.readable = sum(map(bool, shown))
        self.entries = [entry for entries in shown for entry in entries]
        self._by_number = defaultdict(list)
        self._masked_by_name = defaultdict(list)
        for entry in self.entries:
            if "*" in entry.number:
                self._masked_by_name[entry.name].append(entry)
            else:
                self._by_number[entry.number].append(entry)

    def answer(self, question, today):
        """Give the decision and its reasons: code, measure, role, case; sorted."""
        _, code, roles, national, local = SERVICES[question.service]
        measures = [f"cn-2016-64/{section}" for section in national]
        if question.place == "440882":
            measures += [f"leizhou/{section}" for section in local]
        reasons = sorted(
            (doubt or code, measure, entry.role, entry.case)
            for doubt, entry in self._found(question)
            if entry.role in roles and entry.published <= today
            for measure in measures
        )
        codes = {reason[0] for reason in reasons}
        decision = "deny" if "restricted" in codes else "review" if codes else "allow"
        return decision, reasons

    def _found(self, question):
        number = plain_number(question.number, is_company=question.kind in ("uscc", "org_code"))
        name = plain_name(question.name or "")
        for entry in self._by_number[number]:
            yield "" if name in ("", entry.name) else "name_mismatch", entry
        for entry in self._masked_by_name[name] if name else ():
            if _shows(entry.number, number):
                yield "masked_match", entry


class Question(NamedTuple):
    """A question of a counter; `service` is a place in `SERVICES`."""

    kind: str
    number: str
    name: str | None
    service: int
    place: str


def plain_number(text, *, is_company):
    """Write a resident ID with 18 characters, a company by its code of nine and a mark."""
    text = unicodedata.normalize("NFKC", text).replace(" ", "").replace("-", "").upper()
    if is_company:
        return f"code {text[8:17] if len(text) == 18 else text}"
    if re.fullmatch("[0-9*]{15}", text):
        body = f"{text[:6]}19{text[6:]}"
        return f"{body}*" if "*" in body else body + resident_check_digit(body)
    return text[:9] if re.fullmatch("[HM][0-9]{10}", text) else text


def plain_name(text):
    """Write a name without spaces and in one width."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _entries(record):
    is_company = record["partyTypeName"] in ("1", "581")
    case = record["caseCode"].replace("(", "（").replace(")", "）")
    published = _day(record["publishDate"])
    shown = [("debtor", record["iname"], record["cardNum"], is_company)]
    if is_company:
        shown += [
            (TITLES[row["corporationtypename"]], row["iname"], row.get("cardNum", ""), False)
            for row in record["qysler"]
        ]
    numbers = (
        (plain_number(number, is_company=company), *rest) for *rest, number, company in shown
    )
    return [
        Entry(number, plain_name(name), role, case, published)
        for number, role, name in numbers
        if _KNOWN.fullmatch(number)
    ]


_KNOWN = re.compile(
    "code [0-9A-Z]{9}|[0-9*]{17}[0-9X*]|[HM][0-9]{8}|[A-Z][0-9]{7,8}|[A-Z]{2}[0-9]{7}"
)


def _shows(pattern, number):
    return len(number) == len(pattern) and all(
        known in ("*", asked) for known, asked in zip(pattern, number, strict=True)
    )


def _day(text):
    year, month, day = re.fullmatch("([0-9]{4})年?([0-9]{2})月?([0-9]{2})日?", text).groups()
    return date(int(year), int(month), int(day))
