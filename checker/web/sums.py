"""Sums as a clerk types them: digits alone are fen, and a sum with its unit is in yuan.

    80000           80 000 fen
    800元  ¥800.00   80 000 fen
    6万元            6 000 000 fen

Digits alone stay fen, because the fields have the names and the units of the API.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Final

_SUM: Final = re.compile(
    r"(?P<sign>¥)?(?P<number>\d{1,15}(?:\.\d{1,6})?)(?P<ten_thousand>万)?(?P<unit>元|圆|yuan|cny|rmb)?",
    re.ASCII,
)


def fen_of(text: str) -> int | None:
    """Return a sum in fen; None: the text is no sum, or no whole number of fen."""
    plain = re.sub(r"[\s,]", "", unicodedata.normalize("NFKC", text).lower())
    found = _SUM.fullmatch(plain)
    if found is None:
        return None
    number = Decimal(found["number"]) * (10_000 if found["ten_thousand"] else 1)
    if found["sign"] or found["unit"]:
        number *= 100
    elif found["ten_thousand"]:
        return None  # ten thousand of which unit?
    return int(number) if number == int(number) else None
