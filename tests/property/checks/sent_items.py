"""Draws the items of batches as callers send them: mostly plain ones, and all kinds of others."""

from datetime import date
from typing import Any

import msgspec
from hypothesis import strategies as st

from checker.domain.document import DocumentType
from checker.domain.resident_id import check_digit

TODAY = date(1905, 6, 15)
"""Early enough that the dates of birth of synthetic people can be in the future."""

RAIL = {"type": "rail", "train": "G79", "seat": "second"}
SERVICES = st.sampled_from(
    [
        RAIL,
        {"type": "air", "flight": "CZ3101"},
        {"type": "lodging", "star_rating": 4},
        {"type": "lodging", "star_rating": 0, "high_consumption": False},
        {"type": "insurance", "cash_value": True, "annual_premium_fen": 100},
        {"type": "rail", "train": "G79"},
        {"type": "submarine"},
        {**RAIL, "extra": 1},
        None,
    ]
)
NAMES = st.one_of(
    st.sampled_from(
        ["陈示例", "陈 示例", "ＺＨＡＮＧ", "阿依·古丽", "a:b", "\u3000", "", "ﷺ", "\u200b"]
    ),
    st.text(max_size=4),
)


@st.composite
def plain_numbers(draw: st.DrawFn) -> str:
    """Draw a resident ID in its one spelling; a few are born after `TODAY`, or on a leap day."""
    born = draw(st.dates(date(1850, 1, 1), date(1905, 12, 31)))
    if draw(st.integers(0, 19)) == 0:
        born = date(1904, 2, 29)
    body = f"{draw(st.integers(110000, 659999))}{born:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return body + check_digit(body)


@st.composite
def near_numbers(draw: st.DrawFn) -> str:
    """Draw a number that differs from a plain one in one way."""
    number = draw(plain_numbers())
    match draw(st.integers(0, 9)):
        case 0:
            return number.lower()
        case 1:
            return "".join(chr(ord(each) + 0xFEE0) for each in number)
        case 2:
            return f"{number[:6]} {number[6:14]}-{number[14:]}"
        case 3:
            return number[:6] + number[8:17]
        case 4:
            return number[:10] + "****" + number[14:]
        case 5:
            at = draw(st.integers(0, 17))
            return number[:at] + draw(st.characters()) + number[at + 1 :]
        case 6:
            month_and_day = draw(st.from_regex(r"[0-9]{4}", fullmatch=True))
            body = number[:10] + month_and_day + number[14:17]
            return body + check_digit(body)
        case 7:
            body = (
                number[:6] + draw(st.sampled_from(["1799", "1800", "1905", "2999"])) + number[10:17]
            )
            return body + check_digit(body)
        case 8:
            return number + draw(st.characters())
        case _:
            return draw(st.text(max_size=20))


@st.composite
def subjects(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a subject: plain in three of four cases."""
    kind, number = "resident_id", draw(plain_numbers())
    sent: dict[str, Any] = {}
    match draw(st.integers(0, 15)):
        case 0 | 1:
            number = draw(near_numbers())
        case 2:
            kind = draw(st.sampled_from(DocumentType)).value
            number = draw(
                st.one_of(near_numbers(), st.from_regex(r"[EHM][0-9]{8}", fullmatch=True))
            )
        case 3 | 4:
            sent["name"] = draw(NAMES)
        case _:
            pass
    return {"document": {"type": kind, "number": number}, **sent}


@st.composite
def checks(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a check of its own service."""
    sent = {"subject": draw(subjects()), "service": RAIL}
    match draw(st.integers(0, 9)):
        case 0:
            sent["service"] = draw(SERVICES)
        case 1:
            sent["jurisdiction"] = draw(st.sampled_from(["440882", "CN", "99", "", None, "44"]))
        case 2:
            sent["receipt"] = draw(st.booleans())
        case 3 | 4 | 5:
            sent["reference"] = draw(st.one_of(st.just("ORDER-1"), st.text(max_size=8)))
        case _:
            pass
    return sent


@st.composite
def spoilt(draw: st.DrawFn, item: dict[str, Any]) -> bytes:
    """Draw the JSON of an item with one fault of its shape, or without a fault."""
    body = msgspec.json.encode(item)
    match draw(st.integers(0, 5)):
        case 0:
            return body[:-1] + b',"extra":1}'
        case 1:
            return draw(st.sampled_from([b"null", b"[]", b"1", b'"x"', b"{}"]))
        case 2:  # a field of the item twice
            field = draw(st.sampled_from(sorted(item)))
            return body[:-1] + b',"%b":%b}' % (field.encode(), msgspec.json.encode(item[field]))
        case 3:  # a number twice, deep inside
            return body.replace(b'"number":', b'"number":"1","number":', 1)
        case 4:
            return body.replace(b'"number":', b'"number":"\xff","numbers":', 1)
        case _:
            return body.replace(b":", b" : ")


@st.composite
def bodies(draw: st.DrawFn, form: str, *, size: int = 260) -> bytes:
    """Draw the body of a batch, longer than one slice, in which some slices have a spoilt item."""
    drawn = draw(st.lists(subjects() if form == "subjects" else checks(), min_size=1, max_size=30))
    raws = [msgspec.json.encode(each) for each in drawn]
    items = [raws[at % len(raws)] for at in range(draw(st.integers(1, size)))]
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(items) - 1))
        items[at] = draw(spoilt(drawn[at % len(drawn)]))
    if form == "checks":
        return b'{"checks":[%b]}' % b", ".join(items)
    shared = draw(st.sampled_from([b"", b'"jurisdiction":"440882",']))
    return b'{"service":%b,%b"subjects":[%b]}' % (
        msgspec.json.encode(RAIL),
        shared,
        b",".join(items),
    )
