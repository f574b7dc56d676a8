"""Applies the operations of a feed to the listings, persons and permits of a batch: pure.

The state is a value for each listing id, each bound document and each permit; applying an operation
puts a new value in the place of the old one, or rejects the line and changes nothing. Other
modules read the state (`ledger_store`), make rows of it (`ledger_difference`) and write the rows
(`ledger_rows`).

An operation that is sent twice leads to the same list as one that is sent once, also when other
operations came in between. So an operation that changes nothing is accepted, the first ground of a
delisting stands, and a withdrawn permit stays withdrawn.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import assert_never

import msgspec

from checker.domain.court import Courts, court_form
from checker.domain.document import Document
from checker.registry.document_key import DocumentKey
from checker.registry.entry import LineRejected, ListingEntry, OfficerEntry, PartyType, RejectCode
from checker.registry.ledger_officers import officers_without, reaches_others
from checker.registry.ledger_state import (
    SHIELDING,
    Directive,
    DirectiveKind,
    ListingState,
    PermitState,
)
from checker.registry.minors import require_adults
from checker.registry.operations import (
    Bind,
    Delist,
    Distinguish,
    Fulfil,
    GrantPermit,
    List,
    Operation,
    PermitEntry,
    RemoveOfficer,
    ReplaceOfficers,
    Retain,
    Shield,
    Undistinguish,
    Unshield,
    WithdrawPermit,
    listing_id_of,
)
from checker.registry.sealing import Sealer

DOCUMENTS_OF_PERSON_MAX = 200
"""Each reaches what all others reach. Nobody has so many, so more are an error of the sender."""


class Ledger:
    """The state that a batch starts from, and the state after its operations.

    `persons` maps the key of each bound document to its person, for whole groups. `documents` are
    the documents that a batch binds. A new group gets its name from `new_person`.
    """

    def __init__(
        self,
        *,
        sealer: Sealer,
        new_person: Callable[[], str],
        listings: Mapping[str, ListingState],
        persons: Mapping[DocumentKey, str],
        permits: Mapping[str, PermitState],
    ) -> None:
        self._sealer = sealer
        self._new_person = new_person
        self.listings = dict(listings)
        self.persons = dict(persons)
        self.permits = dict(permits)
        self.documents: dict[DocumentKey, Document] = {}
        self._members = _groups(self.persons)

    def copy(self) -> "Ledger":
        """Return a copy that can be changed and dropped; the values in it never change."""
        copied = Ledger(
            sealer=self._sealer,
            new_person=self._new_person,
            listings=self.listings,
            persons=self.persons,
            permits=self.permits,
        )
        copied.documents = dict(self.documents)
        return copied

    def apply(self, operation: Operation, today: date, courts: Courts | None = None) -> None:
        """Apply an operation to the state. Its sender speaks for `courts`; None: for all courts.

        Raises:
            LineRejected: the state does not allow the operation; nothing has changed.
        """
        if courts is not None and not all(map(courts.holds, self._courts_of(operation))):
            raise LineRejected(RejectCode.NOT_YOURS, "it belongs to another court")
        match operation:
            case List():
                self._list(operation)
            case Delist():
                self._delist(operation, today)
            case Bind(documents=documents):
                self._bind(documents)
            case GrantPermit(permit=permit):
                self._grant(permit)
            case WithdrawPermit(permit_id=permit_id):
                self._withdraw(permit_id)
            case Retain():
                self._retain(operation)
            case Distinguish():
                self._distinguish(operation)
            case Undistinguish(document=document):
                known = self._known(operation.listing_id)
                after = known.undistinguishing(self._sealer.document_key(document))
                self.listings[operation.listing_id] = after
            case _:
                self._direct(operation)

    def _courts_of(self, operation: Operation) -> list[str]:
        """Return the courts whose listing or permit the operation makes or changes.

        Documents of one person belong to no court.
        """
        match operation:
            case Bind():
                return []
            case GrantPermit(permit=permit):
                granted = self.permits.get(permit.id)
                return [permit.court] if granted is None else [permit.court, granted.court]
            case WithdrawPermit(permit_id=permit_id):
                granted = self.permits.get(permit_id)
                return [] if granted is None else [granted.court]
            case List():
                entry, _, known = self._placed(operation)
                return [entry.court] if known is None else [entry.court, known.court]
            case _:
                known = self.listings.get(listing_id_of(operation))
                return [] if known is None else [known.court]

    def _placed(self, operation: List) -> tuple[ListingEntry, bytes, ListingState | None]:
        """Return the entry under the id that it gets, its digest, and the state of that id."""
        entry = operation.entry
        digest = self._sealer.digest(entry)
        known = self.listings.get(entry.id)
        if operation.spare_id is not None and reaches_others(known, entry, self._sealer):
            entry = msgspec.structs.replace(entry, id=operation.spare_id)
            digest = self._sealer.digest(entry)
            known = self.listings.get(entry.id)
        return entry, digest, known

    def _list(self, operation: List) -> None:
        entry, digest, known = self._placed(operation)
        if known is not None and known.kind is not entry.kind:
            # An order under the id of an entry would end the entry, which goes on beside an order.
            raise LineRejected(RejectCode.ID_TAKEN, "the id is that of a listing of another kind")
        directives: frozenset[Directive] = frozenset()
        if known is not None and known.in_force:
            if court_form(known.court) != court_form(entry.court):
                raise LineRejected(RejectCode.ID_TAKEN, "the id is that of another court's listing")
            if known.digest == digest:
                return
            directives = known.directives
        elif known is not None:
            directives = known.outliving()
        self.listings[entry.id] = ListingState(
            digest=digest,
            court=entry.court,
            party_type=entry.party_type,
            kind=entry.kind,
            in_force=True,
            entry=entry,
            directives=directives,
        )

    def _delist(self, operation: Delist, today: date) -> None:
        known = self._known(operation.listing_id)
        if not known.in_force:
            return
        directive = Directive(
            kind=DirectiveKind.DELISTING, on=operation.on, ground=operation.ground
        )
        if operation.on > today:
            self.listings[operation.listing_id] = known.directing(directive)
            return
        self.listings[operation.listing_id] = msgspec.structs.replace(
            known, in_force=False, directives=known.outliving() | {directive}
        )

    def _direct(
        self, operation: Shield | Unshield | Fulfil | ReplaceOfficers | RemoveOfficer
    ) -> None:
        """Apply an operation that only a listing in force allows."""
        known = self._known(operation.listing_id)
        if not known.in_force:
            raise LineRejected(RejectCode.LISTING_ENDED, "the listing has ended")
        match operation:
            case Shield():
                after = known.directing(SHIELDING)
            case Unshield():
                after = msgspec.structs.replace(known, directives=known.directives - {SHIELDING})
            case Fulfil(on=on):
                after = known.directing(Directive(kind=DirectiveKind.FULFILMENT, on=on))
            case ReplaceOfficers(officers=officers):
                after = self._with_officers(known, officers)
                assert after.entry is not None, "it has officers"
                require_adults(after.entry)
            case RemoveOfficer(documents=left):
                after = self._with_officers(known, officers_without(known, left, self._sealer))
            case _:
                assert_never(operation)
        self.listings[operation.listing_id] = after

    def _with_officers(
        self, known: ListingState, officers: tuple[OfficerEntry, ...]
    ) -> ListingState:
        if known.party_type is PartyType.PERSON:
            raise LineRejected(RejectCode.INVALID_OPERATION, "a person has no officers")
        assert known.entry is not None, "the content is read where it is needed"
        entry = msgspec.structs.replace(known.entry, officers=officers)
        digest = self._sealer.digest(entry)
        return msgspec.structs.replace(known, digest=digest, entry=entry)

    def _retain(self, operation: Retain) -> None:
        known = self._known(operation.listing_id)
        directive = Directive(
            kind=DirectiveKind.RETENTION,
            on=operation.until,
            ground=operation.basis,
            measures=operation.measures,
        )
        self.listings[operation.listing_id] = msgspec.structs.replace(
            known, directives=known.directives | {directive}
        )

    def _distinguish(self, operation: Distinguish) -> None:
        # Not only a listing in force: a later snapshot may put it in force again.
        known, named = self._known(operation.listing_id), operation.document
        directive = Directive(
            kind=DirectiveKind.DISTINCTION,
            on=operation.on,
            document=self._sealer.document_key(named) if isinstance(named, Document) else named,
            court=operation.court,
        )
        self.listings[operation.listing_id] = known.distinguishing(directive)

    def _known(self, listing_id: str) -> ListingState:
        known = self.listings.get(listing_id)
        if known is None:
            raise LineRejected(RejectCode.UNKNOWN_LISTING, "there is no listing of this id")
        return known

    def _bind(self, documents: tuple[Document, ...]) -> None:
        named = {self._sealer.document_key(document): document for document in documents}
        if len(named) < 2:
            return  # a uscc and the code inside it: one document here
        groups = sorted({self.persons[key] for key in named if key in self.persons})
        bound = named.keys() | set[DocumentKey]().union(
            *(self._members[person] for person in groups)
        )
        if len(bound) > DOCUMENTS_OF_PERSON_MAX:
            text = f"/documents would be one person's with over {DOCUMENTS_OF_PERSON_MAX} of them"
            raise LineRejected(RejectCode.INVALID_OPERATION, text)
        # The fewest rows change: the largest group keeps its name.
        largest = max(groups, key=lambda person: len(self._members[person]), default=None)
        person = largest or self._new_person()
        for key in named.keys() - self.persons.keys():
            self.documents[key] = named[key]
        for group in groups:
            del self._members[group]
        self._members[person] = frozenset(bound)
        self.persons.update(dict.fromkeys(bound, person))

    def _grant(self, permit: PermitEntry) -> None:
        digest = self._sealer.permit_digest(permit)
        known = self.permits.get(permit.id)
        if known is None:
            self.permits[permit.id] = PermitState(
                digest=digest, court=permit.court, withdrawn=False, entry=permit
            )
        elif known.digest != digest:
            raise LineRejected(RejectCode.ID_TAKEN, "the id is that of another permit")

    def _withdraw(self, permit_id: str) -> None:
        known = self.permits.get(permit_id)
        if known is None:
            raise LineRejected(RejectCode.UNKNOWN_PERMIT, "there is no permit of this id")
        self.permits[permit_id] = msgspec.structs.replace(known, withdrawn=True)


def _groups(persons: Mapping[DocumentKey, str]) -> dict[str, frozenset[DocumentKey]]:
    members: dict[str, set[DocumentKey]] = {}
    for key, person in persons.items():
        members.setdefault(person, set()).add(key)
    return {person: frozenset(keys) for person, keys in members.items()}
