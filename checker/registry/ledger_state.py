"""The state of a listing id and of a permit in a ledger: values that are never changed."""

from datetime import date
from enum import StrEnum
from typing import Final, Self

import msgspec

from checker.domain.listing_kind import ListingKind
from checker.registry.document_key import DocumentKey
from checker.registry.entry import ListingEntry, PartyType
from checker.registry.operations import PermitEntry


class DirectiveKind(StrEnum):
    """The kinds of directive: a court's words about a listing, besides its content."""

    SHIELDING = "shielding"
    FULFILMENT = "fulfilment"
    DELISTING = "delisting"
    RETENTION = "retention"
    DISTINCTION = "distinction"
    """The holder of a document is not the person of the listing."""


OUTLIVING: Final = frozenset({DirectiveKind.RETENTION, DirectiveKind.DISTINCTION})
"""Directives that outlive the end of a listing. A listing may have several of each."""


class Directive(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `directive`: its day, its ground or basis, and the measures it keeps.

    A distinction has the `document` that the listing never reaches, and the `court` that found it.
    """

    kind: DirectiveKind
    on: date | None = None
    ground: str | None = None
    measures: tuple[str, ...] | None = None
    document: DocumentKey | None = None
    court: str | None = None


SHIELDING = Directive(kind=DirectiveKind.SHIELDING)


class ListingState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a listing id.

    `entry` is the content, if it came in this batch or an operation needs it. `in_force` is false
    from the day of the delisting on.
    """

    digest: bytes
    court: str
    party_type: PartyType
    kind: ListingKind
    in_force: bool
    entry: ListingEntry | None = None
    directives: frozenset[Directive] = frozenset()

    def directed(self, kind: DirectiveKind) -> Directive | None:
        """Return the directive of a kind that a listing has once, or None."""
        return next((one for one in self.directives if one.kind is kind), None)

    def directing(self, directive: Directive) -> Self:
        """Return the state with a directive in the place of the one of its kind."""
        others = (one for one in self.directives if one.kind is not directive.kind)
        return msgspec.structs.replace(self, directives=frozenset((*others, directive)))

    def distinguishing(self, directive: Directive) -> Self:
        """Return the state with a distinction. The first distinction of a document stands."""
        if any(one.document == directive.document for one in self.directives):
            return self
        return msgspec.structs.replace(self, directives=self.directives | {directive})

    def undistinguishing(self, document: DocumentKey) -> Self:
        """Return the state without the distinction of a document."""
        others = frozenset(one for one in self.directives if one.document != document)
        return msgspec.structs.replace(self, directives=others)

    def outliving(self) -> frozenset[Directive]:
        """Return the directives that outlive the end of the listing."""
        return frozenset(one for one in self.directives if one.kind in OUTLIVING)


class PermitState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a permit id; `entry` is set if the permit came in this batch."""

    digest: bytes
    court: str
    withdrawn: bool
    entry: PermitEntry | None = None
