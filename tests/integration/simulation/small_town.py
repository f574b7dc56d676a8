"""The people and companies of one sequence, and the feed's lines about them.

Strategies draw lines with placeholders (`@resident_id/3`, `@listing/1`, `@day/-2`), which each
sequence puts its own numbers, ids and names in: what an earlier sequence has left behind concerns
nobody who is asked about, and a failure is printed in words that can be read.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st

from loadtest.document_numbers import NumberSpace

AT = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)
"""Where each sequence begins: a Monday, 09:02 in Shanghai."""

COURT, OTHER_COURT = "雷州市人民法院", "徐闻县人民法院"
PERSONS, COMPANIES = range(6), range(6, 8)
LISTINGS, PERMITS = range(5), range(3)
OFFICER_ROLES = (
    "legal_representative",
    "principal",
    "actual_controller",
    "directly_responsible",
)
KEPT_MEASURES = ("cn-2016-64/2.7.1", "cn-2016-64/2.7.3", "leizhou/2.7.2")

SERVICES = (
    {"type": "air", "flight": "CZ3101"},
    {"type": "lodging", "star_rating": 4},
    {"type": "lodging", "star_rating": 0},
    {"type": "resort", "venue": "rated_resort", "amount_fen": 100_000},
    {"type": "resort", "venue": "rated_resort", "amount_fen": 300_000},
    {"type": "private_school", "annual_fee_fen": 5_999_999},
    {"type": "private_school", "annual_fee_fen": 6_000_000},
)
PLACES = ("CN", "440882")

_numbers = NumberSpace(19)


class Town:
    """The town of one sequence: `number` is no other's."""

    def __init__(self, number):
        self._number = number

    def told(self, value):
        """Put the town's own words for placeholders, wherever they stand in a line."""
        match value:
            case dict():
                return {key: self.told(each) for key, each in value.items()}
            case list() | tuple():
                return [self.told(each) for each in value]
            case str() if value.startswith("@"):
                kind, _, slot = value[1:].partition("/")
                return self._word(kind, int(slot))
            case _:
                return value

    def _word(self, kind, slot):
        index = self._number * 10 + slot
        match kind:
            case "day":
                return (AT + timedelta(days=slot)).date().isoformat()
            case "hour":
                return (AT + timedelta(hours=slot)).isoformat()
            case "name":
                return f"示例{index}号"
            case "listing" | "permit":
                return f"{kind}-{index}"
            case "masked":
                number = _numbers.resident_id(index, "0704")
                return f"{number[:10]}****{number[14:]}"
            case "wrong":  # no number has this check digit twice
                number = _numbers.resident_id(index, "0704")
                return number[:17] + ("1" if number[17] == "0" else "0")
            case "resident_id":
                return _numbers.resident_id(index, "0704")
            case _:
                return getattr(_numbers, kind)(index)

    def questions(self, turn):
        """Ask about everybody, by each of their documents; services and names take turns."""
        for place, (kind, slot) in enumerate(ASKED):
            names = (f"@name/{slot}", None, f"@name/{slot}", f"@name/{(slot + 1) % 8}")
            for offset in range(3):
                service = SERVICES[(turn + offset * 2) % len(SERVICES)]
                yield self.told(
                    {
                        "document": {"type": kind, "number": f"@{kind}/{slot}"},
                        "name": names[(turn + place) % len(names)],
                        "service": service,
                        "jurisdiction": PLACES[(turn + offset) % 2],
                        "reference": "ORDER-1" if (turn + place) % 3 == 0 else None,
                    }
                )


ASKED = (
    *(("resident_id", slot) for slot in PERSONS),
    *(("passport", slot) for slot in PERSONS),
    *(("uscc", slot) for slot in COMPANIES),
    *(("org_code", slot) for slot in COMPANIES),
)


def ndjson(lines):
    """What is sent: a broken line is sent as it is, and nobody can read it."""
    return b"".join(msgspec.json.encode(line.get("broken", line)) + b"\n" for line in lines)


def _document(kind, slot):
    return {"type": "resident_id" if kind == "masked" else kind, "number": f"@{kind}/{slot}"}


def _days(*offsets):
    return st.sampled_from([f"@day/{offset}" for offset in offsets])


# Most lines are about a few, so that much happens to them.
_person = st.sampled_from([0, 0, 0, 0, 1, 1, *PERSONS])
_company = st.sampled_from([*COMPANIES, COMPANIES[0], COMPANIES[0]])
_listing_id = st.sampled_from([f"@listing/{slot}" for slot in (0, 0, 0, 1, 1, *LISTINGS)])
_permit_id = st.sampled_from([f"@permit/{slot}" for slot in PERMITS])
_grounds = st.sampled_from(["fulfilled", "settled", "terminated", "corrected"])
_shown = st.sampled_from(
    [("resident_id",), ("resident_id",), ("passport",), ("resident_id", "passport"), ("masked",)]
)
_whole = st.builds(_document, st.sampled_from(["resident_id", "passport"]), _person) | st.builds(
    _document, st.sampled_from(["uscc", "org_code"]), _company
)


@st.composite
def _officer(draw):
    slot = draw(_person)
    kinds = draw(_shown | st.just(()))
    return {
        "role": draw(st.sampled_from(OFFICER_ROLES)),
        "name": f"@name/{slot}",
        "documents": [_document(kind, slot) for kind in kinds],
    }


officers = st.lists(_officer(), max_size=3)


@st.composite
def listing(draw):
    """A listing; now and then one whose term cannot be."""
    terms = st.fixed_dictionaries(
        {
            "published_on": st.none() | _days(-9, -9, -9, -1, 0, 2),
            "expires_on": st.none() | st.none() | st.none() | _days(0, 1, 6),
            "public": st.sampled_from([True, True, True, False]),
        }
    )
    written = {
        "id": draw(_listing_id),
        "case_number": "（2026）粤0882执1号",
        "court": draw(st.sampled_from([COURT] * 7 + [OTHER_COURT])),
    } | draw(terms)
    if draw(st.booleans()):
        slot, kinds = draw(_company), (draw(st.sampled_from(["uscc", "org_code"])),)
        kind, written["officers"] = "organization", draw(officers)
    else:
        slot, kinds, kind = draw(_person), draw(_shown), "person"
    documents = [_document(each, slot) for each in kinds]
    written["party"] = {"type": kind, "name": f"@name/{slot}", "documents": documents}
    return written


@st.composite
def _permit(draw):
    uses = draw(st.sampled_from([None, 1, 2]))
    kinds = st.sampled_from(["air", "resort", "private_school"] + ["lodging"] * (uses is None))
    return {
        "id": draw(_permit_id),
        "document": draw(_whole),
        "services": draw(st.lists(kinds, min_size=1, max_size=4, unique=True)),
        "valid_from": draw(_days(-2, -2, -2, 0, 1) | st.just("@hour/3")),
        "valid_until": draw(_days(0, 1, 4, 9, 9, 30) | st.just("@hour/30")),
        "uses": uses,
        "court": COURT,
        "ground": "因病就医",
    }


def _of_listing(op, **fields):
    return st.fixed_dictionaries({"op": st.just(op), "listing_id": _listing_id} | fields)


_on = st.builds(lambda on: {} if on is None else {"on": on}, st.none() | _days(-5, -1, 0, 1, 3))


def _dated(op, **fields):
    return st.builds(lambda line, on: line | on, _of_listing(op, **fields), _on)


broken = st.sampled_from(
    [
        "no object",
        {"op": "burn", "listing_id": "@listing/0"},
        {"op": "shield", "listing_id": "@listing/0", "reason": "none is asked for"},
        {"op": "delist", "listing_id": "@listing/1"},
        {"op": "delist", "listing_id": "@listing/1", "ground": "forgotten"},
        {"op": "delist", "listing_id": "@listing/2", "ground": "settled", "on": "2026-11-31"},
        {
            "op": "retain",
            "listing_id": "@listing/0",
            "measures": ["cn-2016-64/2.7.1"],
            "basis": "without an end",
        },
        {
            "op": "bind",
            "documents": [
                _document("resident_id", 0),
                {"type": "resident_id", "number": "@wrong/1"},
            ],
        },
        {"op": "bind", "documents": [_document("resident_id", 0), _document("masked", 1)]},
    ]
).map(lambda line: {"broken": line})

operation = st.one_of(
    st.builds(lambda each: {"op": "list", "listing": each}, listing()),
    st.builds(lambda each: {"op": "list", "listing": each}, listing()),
    _dated("delist", ground=_grounds),
    _of_listing("delist", ground=_grounds),
    _of_listing("shield"),
    _of_listing("unshield"),
    _dated("fulfil"),
    _of_listing("officers", officers=officers),
    _of_listing(
        "retain",
        measures=st.lists(
            st.sampled_from([*KEPT_MEASURES, *KEPT_MEASURES, "cn-2016-64/9.9.9"]),
            min_size=1,
            max_size=2,
        ),
        until=_days(0, 2, 5, 400),
        basis=st.just("法释〔2015〕17号"),
    ),
    st.builds(
        lambda documents: {"op": "bind", "documents": documents},
        st.lists(_whole, min_size=2, max_size=3),
    ),
    st.builds(lambda each: {"op": "permit", "permit": each}, _permit()),
    st.builds(lambda each: {"op": "permit", "permit": each}, _permit()),
    st.builds(lambda each: {"op": "withdraw_permit", "permit_id": each}, _permit_id),
    broken,
)
