"""Reads the cells of services: a seat, stars, an amount, a truth value.

A cell that cannot be read stays as it is, and the reading of the API then refuses it.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from checker.sheets.cell import Cell, text_of
from checker.sheets.documents import folded

SEATS: Final[Mapping[str, str]] = {
    "商务座": "business",
    "特等座": "special",
    "优选一等座": "premier_first",
    "一等座": "first",
    "二等座": "second",
    "二等包座": "second_compartment",
    "动卧": "emu_sleeper",
    "动软": "emu_sleeper",
    "高级动卧": "deluxe_emu_sleeper",
    "一等卧": "first_sleeper",
    "二等卧": "second_sleeper",
    "高级软卧": "deluxe_soft_sleeper",
    "软卧": "soft_sleeper",
    "硬卧": "hard_sleeper",
    "软座": "soft_seat",
    "硬座": "hard_seat",
    "无座": "no_seat",
    "站票": "no_seat",
}
_BERTH: Final = re.compile(r"(上铺|中铺|下铺|上|中|下)$")
_STARS: Final = re.compile(r"([0-5零一二三四五])星?级?(?:酒店|饭店|宾馆)?")
_NO_STARS: Final = frozenset({"无星级", "未评星", "未评级", "非星级", "无", "none", "unrated"})
_CHINESE_DIGITS: Final = {each: at for at, each in enumerate("零一二三四五")}
_TRUE: Final = frozenset({"是", "有", "含", "y", "yes", "true", "√", "1"})
_FALSE: Final = frozenset({"否", "无", "没有", "不含", "n", "no", "false", "×", "0"})
_AMOUNT: Final = re.compile(r"(?:人民币|cny|rmb|¥)?(-?[0-9]+(?:\.[0-9]+)?)(万?元|万|yuan)?")
_GROUPED: Final = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_UNITS_IN_FEN: Final = {"元": 100, "yuan": 100, "万": 1_000_000, "万元": 1_000_000}

Read = Callable[[Cell, int], object]
"""Reads a cell; the second argument is the unit of an amount in fen."""


def _text(cell: Cell, _unit: int) -> object:
    return text_of(cell)


def _seat(cell: Cell, _unit: int) -> object:
    word = folded(text_of(cell))
    return SEATS.get(word) or SEATS.get(_BERTH.sub("", word)) or text_of(cell)


def _stars(cell: Cell, _unit: int) -> object:
    word = folded(text_of(cell))
    if word in _NO_STARS:
        return 0
    found = _STARS.fullmatch(word)
    if found is None:
        return text_of(cell)
    digit = found[1]
    return _CHINESE_DIGITS[digit] if digit in _CHINESE_DIGITS else int(digit)


def _truth(cell: Cell, _unit: int) -> object:
    word = folded(text_of(cell))
    if word in _TRUE:
        return True
    return False if word in _FALSE else text_of(cell)


def _cash_value(cell: Cell, unit: int) -> object:
    """Return whether there is a cash value. The cell may hold its amount."""
    answer = _truth(cell, unit)
    if isinstance(answer, bool):
        return answer
    amount = _money(cell, unit)
    return amount > 0 if isinstance(amount, int) else answer


def _money(cell: Cell, unit: int) -> object:
    """Return an amount in whole fen. A unit in the cell counts before that of the header."""
    text = unicodedata.normalize("NFKC", text_of(cell)).lower()
    found = _AMOUNT.fullmatch(_GROUPED.sub("", "".join(text.split())))
    if found is None:
        return text_of(cell)
    try:
        amount = Decimal(found[1]) * _UNITS_IN_FEN.get(found[2], unit)
    except InvalidOperation:
        return text_of(cell)
    return int(amount) if amount == amount.to_integral_value() else text_of(cell)


READ: Final[Mapping[str, Read]] = {
    "text": _text,
    "seat": _seat,
    "stars": _stars,
    "truth": _truth,
    "cash_value": _cash_value,
    "money": _money,
}
"""The reading of each kind of cell (`ServiceColumn.kind`)."""
