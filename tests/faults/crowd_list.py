"""The list that the crowd asks about, and what each operation makes of it: dictionaries alone.

It reads the very lines that are sent, and shares nothing with the service but the contract.
"""

from dataclasses import dataclass, field, replace

from tests.support.asking import FLIGHT
from tests.support.town import USCC, Line, document, listing, officer, person, resident_id

ASKED = 240
"""So many persons are asked about."""

MANY = range(ASKED, ASKED + 220)
"""Listed and delisted all at once: more than one step of the cache takes."""

COMPANIES = 20
PARTIES = 200
"""So many persons may be listed themselves; all may be officers."""

TRAVELLERS = 24
"""So many have a passport too, bound to their number: the list knows it by that alone."""

AIR = FLIGHT["type"]

NUMBERS = tuple(
    resident_id("440882", f"{1850 + index % 56}0{1 + index % 9}11", 1 + index // 2)
    for index in range(MANY.stop)
)
PASSPORTS = tuple(f"P{70_000_000 + index}" for index in range(TRAVELLERS))
_PERSON_OF = {number: index for index, number in enumerate(NUMBERS)}


def entry_of(index: int) -> Line:
    """The listing of a person."""
    return listing(f"d{index}", person(f"某{index}", document(NUMBERS[index])))


def entry_of_company(index: int, officers: list[int]) -> Line:
    """One of the listings of a company, which differ in whom they reach."""
    company = {"type": "organization", "name": "某公司", "documents": [document(USCC, "uscc")]}
    return listing(f"c{index}", company, officers=officers_of(officers))


def officers_of(persons: list[int]) -> list[Line]:
    return [officer("principal", f"某{index}", NUMBERS[index]) for index in persons]


def bindings() -> list[Line]:
    return [
        {"op": "bind", "documents": [document(number), document(passport, "passport")]}
        for number, passport in zip(NUMBERS, PASSPORTS, strict=False)
    ]


def permit_for(permit_id: str, index: int) -> Line:
    permit = {
        "id": permit_id,
        "document": document(NUMBERS[index]),
        "services": [AIR],
        "valid_from": "2020-01-01",
        "valid_until": "2999-01-01",
        "uses": None,
        "court": "雷州市人民法院",
        "ground": "就医",
    }
    return {"op": "permit", "permit": permit}


@dataclass(frozen=True)
class Answer:
    """The answer to a check of a flight for one person: the permit, and the listings by id."""

    decision: str
    permit: str | None = None
    listings: frozenset[str] = frozenset()


CLEAR = Answer("allow")


def answer_in(told: Line) -> Answer:
    """Read an answer, alone or in a batch."""
    permit = told.get("permit")
    return Answer(
        told["decision"],
        None if permit is None else permit["id"],
        frozenset(reason["listing"]["id"] for reason in told.get("reasons", ())),
    )


@dataclass(frozen=True)
class List:
    """The list at one version: whom each listing reaches, which are shielded, whose permits hold.

    A version is never changed: each step gives the next one.
    """

    reaches: dict[str, frozenset[int]] = field(default_factory=dict)
    shielded: frozenset[str] = frozenset()
    permits: dict[str, int] = field(default_factory=dict)
    ended: frozenset[str] = frozenset()

    def answer(self, index: int) -> Answer:
        found = frozenset(
            name
            for name, reached in self.reaches.items()
            if index in reached and name not in self.shielded
        )
        if not found:
            return CLEAR
        permit = next((name for name, whose in self.permits.items() if whose == index), None)
        return Answer("deny" if permit is None else "allow", permit, found)

    def replaced(self, lines: list[Line]) -> "List":
        """A snapshot: a shield goes with its listing, and stays with one that stays."""
        reaches = {line["id"]: _reached(line) for line in lines}
        gone = self.reaches.keys() - reaches.keys()
        return replace(
            self,
            reaches=reaches,
            shielded=self.shielded - gone,
            ended=(self.ended | gone) - reaches.keys(),
        )

    def changed(self, lines: list[Line]) -> tuple["List", list[tuple[int, str]]]:
        """Operations in their order, and the lines that are to be rejected, with the code."""
        now, rejected = self, []
        for number, line in enumerate(lines, 1):
            step = now._step(line)
            if isinstance(step, str):
                rejected.append((number, step))
            else:
                now = step
        return now, rejected

    def _step(self, line: Line) -> "List | str":
        """Return the list after one operation, or the code that must reject the operation."""
        match line["op"]:
            case "list":
                entry = line["listing"]
                reaches = self.reaches | {entry["id"]: _reached(entry)}
                return replace(self, reaches=reaches, ended=self.ended - {entry["id"]})
            case "permit":
                permit = line["permit"]
                whose = _PERSON_OF[permit["document"]["number"]]
                return replace(self, permits=self.permits | {permit["id"]: whose})
            case "withdraw_permit":
                withdrawn = line["permit_id"]
                kept = {name: who for name, who in self.permits.items() if name != withdrawn}
                return replace(self, permits=kept)
            case "bind":
                return self
        return self._directed(line, line["listing_id"])

    def _directed(self, line: Line, name: str) -> "List | str":
        if name not in self.reaches:
            if name not in self.ended:
                return "unknown-listing"
            return self if line["op"] == "delist" else "listing-ended"
        match line["op"]:
            case "delist":
                reaches = {other: who for other, who in self.reaches.items() if other != name}
                ended = self.ended | {name}
                return replace(self, reaches=reaches, shielded=self.shielded - {name}, ended=ended)
            case "shield":
                return replace(self, shielded=self.shielded | {name})
            case "unshield":
                return replace(self, shielded=self.shielded - {name})
            case "officers":
                return replace(self, reaches=self.reaches | {name: _persons(line["officers"])})
        raise AssertionError(line["op"])


def _reached(line: Line) -> frozenset[int]:
    debtor = [one["number"] for one in line["party"]["documents"] if one["type"] == "resident_id"]
    return frozenset(map(_PERSON_OF.__getitem__, debtor)) | _persons(line["officers"])


def _persons(officers: list[Line]) -> frozenset[int]:
    return frozenset(_PERSON_OF[one["documents"][0]["number"]] for one in officers)
