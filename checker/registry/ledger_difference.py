"""The rows that begin and end, from the ledgers before and after a batch: pure.

A row that would begin and end within one version is left out, with two exceptions, for which the
past must not be lost. A permit that was granted and withdrawn is written as ended, or a replay
would bring it back. A listing that was put in force and delisted is written as it last was, for a
retention to keep measures of; the day of its delisting, which is written too, has ended it.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from checker.registry.document_key import DocumentKey
from checker.registry.entry import ListingEntry
from checker.registry.ledger import Ledger
from checker.registry.ledger_state import Directive, ListingState
from checker.registry.operations import PermitEntry


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that end, by their keys, and rows that begin, by their contents.

    A listing's row may stand open although its delisting's day has ended it: `open_ids` names all
    ids whose row is open, and those in `ended_ids` are closed.
    """

    ended_ids: tuple[str, ...]
    entries: tuple[ListingEntry, ...]
    ended_directives: tuple[tuple[str, Directive], ...]
    directives: tuple[tuple[str, Directive], ...]
    unbound: tuple[DocumentKey, ...]
    bound: tuple[tuple[DocumentKey, str], ...]
    withdrawn_ids: tuple[str, ...]
    permits: tuple[tuple[PermitEntry, bytes, bool], ...]
    """New permits, with their digest, and whether they are withdrawn already."""

    def __bool__(self) -> bool:
        return any(getattr(self, field) for field in self.__struct_fields__)


def difference(before: Ledger, after: Ledger, open_ids: frozenset[str]) -> Difference:
    """Compare the ledger as it was read with what the batch made of it.

    `open_ids` are the listing ids that have a row without an end.
    """
    ended_ids: list[str] = []
    entries: list[ListingEntry] = []
    ended_directives: list[tuple[str, Directive]] = []
    directives: list[tuple[str, Directive]] = []
    for listing_id, now, was in _changed(before.listings, after.listings):
        ended, entry = _rows(now, was, is_open=listing_id in open_ids)
        if ended:
            ended_ids.append(listing_id)
        if entry is not None:
            entries.append(entry)
        earlier = frozenset() if was is None else was.directives
        ended_directives += [(listing_id, one) for one in earlier - now.directives]
        directives += [(listing_id, one) for one in now.directives - earlier]
    moved = [
        (key, person) for key, person in after.persons.items() if before.persons.get(key) != person
    ]
    permits = _changed(before.permits, after.permits)
    return Difference(
        ended_ids=tuple(ended_ids),
        entries=tuple(entries),
        ended_directives=tuple(ended_directives),
        directives=tuple(directives),
        unbound=tuple(key for key, _ in moved if key in before.persons),
        bound=tuple(moved),
        withdrawn_ids=tuple(permit_id for permit_id, _, was in permits if was is not None),
        permits=tuple(
            (now.entry, now.digest, now.withdrawn) for _, now, _ in permits if now.entry is not None
        ),
    )


def _rows(
    now: ListingState, was: ListingState | None, *, is_open: bool
) -> tuple[bool, ListingEntry | None]:
    """Return whether the open row of an id ends, and the entry of the row that begins, if any."""
    is_written = was is not None and was.digest == now.digest
    if is_written and now.in_force and is_open:
        return False, None
    if is_written and not now.in_force:
        return was is not None and was.in_force, None
    assert now.entry is not None, "what is not written has come in this batch"
    return is_open, now.entry


_State = TypeVar("_State")


def _changed(
    before: Mapping[str, _State], after: Mapping[str, _State]
) -> list[tuple[str, _State, _State | None]]:
    """Return the changed values by key, each with its former value; a ledger loses no key."""
    return [
        (known_by, now, before.get(known_by))
        for known_by, now in after.items()
        if before.get(known_by) != now
    ]
