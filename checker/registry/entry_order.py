"""One order for the members of an entry, because the registry's rows of them have none."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from checker.registry.entry import Holder, ListingEntry

_Member = TypeVar("_Member")

_encode = msgspec.json.Encoder(order="deterministic").encode


def in_one_order(entry: ListingEntry) -> ListingEntry:
    """Return an entry with its officers and documents in one order, each of them once."""
    if not entry.officers and len(entry.party.documents) < 2:
        return entry
    party = _holder_in_order(entry.party)
    officers = [
        msgspec.structs.replace(officer, holder=_holder_in_order(officer.holder))
        for officer in entry.officers
    ]
    return msgspec.structs.replace(entry, party=party, officers=_sorted(officers))


def _holder_in_order(holder: Holder) -> Holder:
    return msgspec.structs.replace(holder, documents=_sorted(holder.documents))


def _sorted(members: Iterable[_Member]) -> tuple[_Member, ...]:
    return tuple(sorted(set(members), key=_encode))
