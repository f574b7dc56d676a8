"""Who lives in the town of a sequence, what a court may say of them, and how it is written."""

import itertools
from datetime import timedelta

from hypothesis import strategies as st
from naive_list import day_of

from loadtest.document_numbers import NumberSpace

PERSONS = 5
LISTINGS = 5
COURTS = ("雷州市人民法院", "湛江市人民法院")
ROLES = ("legal_representative", "principal", "actual_controller", "directly_responsible")
MEASURES = ("cn-2016-64/2.7.1", "cn-2016-64/2.7.2", "leizhou/2.7.1")

_numbers = NumberSpace(31)
_towns = itertools.count()

persons = st.integers(0, PERSONS - 1)
ids = st.integers(0, LISTINGS - 1)
# Days from today: what is over, what is now, what comes.
days = st.integers(-6, 4)


class Town:
    """People whom no other sequence has met, and a company."""

    def __init__(self):
        first = next(_towns) * PERSONS
        self.number = first
        self.persons = [_numbers.resident_id(first + each, "0704") for each in range(PERSONS)]
        self.passports = [_numbers.passport(first + each) for each in range(PERSONS)]
        self.company = _numbers.uscc(first)

    def documents(self, person):
        return [
            {"type": "resident_id", "number": self.persons[person]},
            {"type": "passport", "number": self.passports[person]},
        ]

    def holder(self, person, shown):
        """A person by one document, both, or with a part of the number hidden."""
        documents = {
            "one": self.documents(person)[:1],
            "both": self.documents(person),
            "masked": [
                {
                    "type": "resident_id",
                    "number": f"{self.persons[person][:10]}****{self.persons[person][14:]}",
                }
            ],
        }[shown]
        return {"name": f"示例{person}", "documents": documents}

    def everybody(self):
        """Who is asked about: (document, name)."""
        for person in range(PERSONS):
            for document in self.documents(person):
                yield (document["type"], document["number"]), f"示例{person}"
            yield ("resident_id", self.persons[person]), None
            yield ("resident_id", self.persons[person]), "另名"
        yield ("uscc", self.company), None


@st.composite
def contents(draw):
    """What stands in a listing, but for its id; persons and days by number."""
    return {
        "court": draw(st.sampled_from(COURTS)),
        "published": draw(st.integers(-30, 2)),
        "expires": draw(st.none() | st.integers(3, 6)),
        "public": draw(st.booleans()),
        "party": draw(st.none() | persons),
        "shown": draw(st.sampled_from(["one", "one", "both", "masked"])),
        "officers": draw(st.lists(st.tuples(st.sampled_from(ROLES), persons), max_size=3)),
    }


@st.composite
def permits(draw):
    return {
        "number": draw(st.integers(0, 2)),
        "person": draw(persons),
        "services": draw(st.lists(st.sampled_from(["air", "lodging", "resort"]), min_size=1)),
        "begins": draw(st.integers(-50, 50)),
        "lasts": draw(st.integers(1, 100)),
        "uses": draw(st.none() | st.integers(1, 40)),
    }


@st.composite
def operations(draw):
    """An operation with its numbers; made into a line by the machine, which knows the town."""
    op = draw(st.sampled_from(sorted(DRAWN)))
    return op, draw(DRAWN[op])


DRAWN = {
    "list": st.tuples(ids, contents()),
    "delist": st.tuples(ids, days),
    "shield": st.tuples(ids),
    "unshield": st.tuples(ids),
    "fulfil": st.tuples(ids, days),
    "officers": st.tuples(ids, st.lists(st.tuples(st.sampled_from(ROLES), persons), max_size=3)),
    "retain": st.tuples(ids, st.lists(st.sampled_from(MEASURES), min_size=1), days),
    "bind": st.tuples(persons, st.integers(0, 1), persons, st.integers(0, 1)),
    "permit": st.tuples(permits()),
    "withdraw_permit": st.tuples(st.integers(0, 3)),
}


class Lines:
    """Makes lines of what was drawn: ids of the town, days and instants from `now` on."""

    def __init__(self, town, now):
        self.town = town
        self.now = now

    def operation(self, op, numbers):
        return getattr(self, f"_{op}")(*numbers) | {"op": op}

    def _day(self, days):
        return day_of(self.now) + timedelta(days=days)

    def _id(self, number):
        return f"{self.town.number}-{number}"

    def listing(self, number, content):
        if content["party"] is None:
            documents = [{"type": "uscc", "number": self.town.company}]
            party = {"type": "organization", "name": "示例公司", "documents": documents}
        else:
            party = {"type": "person", **self.town.holder(content["party"], content["shown"])}
        return {
            "id": self._id(number),
            "case_number": "（2026）粤0882执1号",
            "court": content["court"],
            "published_on": self._day(content["published"]),
            "expires_on": None if content["expires"] is None else self._day(content["expires"]),
            "public": content["public"],
            "party": party,
            "officers": self._holders(content["officers"] if content["party"] is None else ()),
        }

    def _holders(self, officers):
        return [{"role": role, **self.town.holder(person, "one")} for role, person in officers]

    def _list(self, number, content):
        return {"listing": self.listing(number, content)}

    def _delist(self, number, days):
        return {"listing_id": self._id(number), "ground": "settled", "on": self._day(days)}

    def _shield(self, number):
        return {"listing_id": self._id(number)}

    _unshield = _shield

    def _fulfil(self, number, days):
        return {"listing_id": self._id(number), "on": self._day(days)}

    def _officers(self, number, officers):
        return {"listing_id": self._id(number), "officers": self._holders(officers)}

    def _retain(self, number, measures, days):
        return {
            "listing_id": self._id(number),
            "measures": sorted(set(measures)),
            "until": self._day(days),
            "basis": "裁定",
        }

    def _bind(self, person, kind, other, other_kind):
        documents = [self.town.documents(person)[kind], self.town.documents(other)[other_kind]]
        return {"documents": documents}

    def _permit(self, permit):
        begins = self.now + timedelta(hours=permit["begins"])
        return {
            "permit": {
                "id": self._id(permit["number"]),
                "document": self.town.documents(permit["person"])[0],
                "services": sorted(set(permit["services"])),
                "valid_from": begins,
                "valid_until": begins + timedelta(hours=permit["lasts"]),
                "uses": permit["uses"],
                "court": COURTS[0],
                "ground": "就医",
            }
        }

    def _withdraw_permit(self, number):
        return {"permit_id": self._id(number)}


def dated(line):
    """Write days and instants as a feed does."""
    if isinstance(line, dict):
        return {name: dated(value) for name, value in line.items()}
    if isinstance(line, list):
        return [dated(value) for value in line]
    return line.isoformat() if hasattr(line, "isoformat") else line
