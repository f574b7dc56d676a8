"""What a ledger holds of one listing id, and of one permit: values that are never changed."""

from datetime import date
from enum import StrEnum
from typing import Self

import msgspec

from checker.registry.entry import ListingEntry, PartyType
from checker.registry.operations import PermitEntry


class DirectiveKind(StrEnum):
    """What a court says of a listing besides what stands in it."""

    SHIELDING = "shielding"
    FULFILMENT = "fulfilment"
    DELISTING = "delisting"
    RETENTION = "retention"


class Directive(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `directive`: its day, its ground or basis, and the measures it keeps."""

    kind: DirectiveKind
    on: date | None = None
    ground: str | None = None
    measures: tuple[str, ...] | None = None


SHIELDING = Directive(kind=DirectiveKind.SHIELDING)


class ListingState(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of a listing id.

    `entry` is its content, where it came in this batch or an operation asks for it; `in_force` is
    false from the day of its delisting on.
    """

    digest: bytes
    court: str
    party_type: PartyType
    in_force: bool
    entry: ListingEntry | None = None
    directives: frozenset[Directive] = frozenset()

    def directed(self, kind: DirectiveKind) -> Directive | None:
        """Give the one directive of a kind, of which there is one at most; not for retentions."""
        return next((one for one in self.directives if one.kind is kind), None)

    def directing(self, directive: Directive) -> Self:
        """Put a directive in the place of the one of its kind."""
        others = (one for one in self.directives if one.kind is not directive.kind)
        return msgspec.structs.replace(self, directives=frozenset((*others, directive)))

    def retained_only(self) -> frozenset[Directive]:
        """Give the directives that outlive a listing's end, and its new beginning."""
        return frozenset(one for one in self.directives if one.kind is DirectiveKind.RETENTION)


class PermitState(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of a permit id; `entry` where it came in this batch."""

    digest: bytes
    withdrawn: bool
    entry: PermitEntry | None = None
