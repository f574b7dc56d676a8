"""The list as each court has left it: one register for a person, and which answers were true.

One writer changes a register, one change at a time, and sends the change again until it is
acknowledged. From the first sending to the acknowledgement the old state and the new one may both
be answered. Outside of that time exactly one state is true, on every node.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Any

from tests.support.town import Line, document, listing, person, resident_id

WHOLE, MASKED = 12, 4
NAME = "孙册"
OTHER_NAME = "钱别"


@dataclass
class Entry:
    """One state of a register: the listing that is in force, or None; when it was sent."""

    listing_id: str | None
    sent_at: float
    acknowledged_at: float = inf


@dataclass
class Register:
    """One person, listed by turns, by the whole number or by a masked one."""

    number: str
    is_masked: bool
    entries: list[Entry] = field(default_factory=lambda: [Entry(None, -inf, -inf)])

    @property
    def last(self) -> Entry:
        return self.entries[-1]

    def possible(self, sent_at: float, answered_at: float) -> set[str | None]:
        """Return the listings that were in force at an instant of the call; None: none was."""
        ends = [entry.acknowledged_at for entry in self.entries[1:]] + [inf]
        return {
            entry.listing_id
            for entry, end in zip(self.entries, ends, strict=True)
            if entry.sent_at <= answered_at and end >= sent_at
        }

    def line(self, entry: Entry, before: Entry) -> Line:
        """Return the operation that leads from one state to another."""
        if entry.listing_id is not None:
            return {"op": "list", "listing": self.listing(entry.listing_id)}
        assert before.listing_id is not None
        return {"op": "delist", "listing_id": before.listing_id, "ground": "settled"}

    def listing(self, listing_id: str) -> Line:
        number = self.number
        shown = f"{number[:10]}****{number[14:]}" if self.is_masked else number
        return listing(listing_id, person(NAME, document(shown)))

    def expected(self, listing_id: str | None, name: str | None) -> str:
        """Return the decision about a flight in one state, asked with this name or without."""
        if listing_id is None:
            return "allow"
        if self.is_masked:
            # A masked number is found by the name alone (docs/decisions/0004-masked-numbers.md).
            return "review" if name == NAME else "allow"
        return "review" if name == OTHER_NAME else "deny"


def new_registers(turn: int) -> list[Register]:
    """Return people whom no earlier turn has, all of them free."""
    known = [resident_id("440882", f"{1850 + n}0303", 11 + turn) for n in range(WHOLE)]
    hidden = [resident_id(f"4201{n:02d}", f"{1850 + turn}0404", 12) for n in range(MASKED)]
    return [
        *(Register(number, is_masked=False) for number in known),
        *(Register(number, is_masked=True) for number in hidden),
    ]


def innocents(count: int) -> list[str]:
    return [
        resident_id("330106", f"{1850 + n // 100 % 56}0{1 + n // 900 % 9}11", n % 100 + 1)
        for n in range(count)
    ]


def told_listings(answer: dict[str, Any]) -> set[str]:
    """Return the listings in the reasons of an answer."""
    return {reason["listing"]["id"] for reason in answer.get("reasons", ()) if reason["listing"]}
