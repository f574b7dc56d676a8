"""Turns entries into rows: names and numbers sealed, documents found by token alone.

The tokens of one document are the same wherever it stands and whoever asks, so both sides build
them here: the feed for what is listed, a check for who is asked about.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from cache.token import Token, Tokenizer
from checker.domain.document import Document, DocumentType, lookup_key
from checker.domain.masking import (
    EVERY_SHAPE,
    further_keys,
    masked_lookup_key,
    masked_lookup_keys,
    shape_of,
)
from checker.domain.name import normalize_name
from checker.domain.service import Service
from checker.registry.contents import (
    DocumentContent,
    OfficerContent,
    document_content,
    in_order,
    listing_digest,
)
from checker.registry.document_key import DocumentKey
from checker.registry.entry import Holder, ListingEntry, MaskedDocument
from checker.registry.entry_order import in_one_order
from checker.registry.operations import PermitEntry
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealed_rows import DocumentRow, OfficerRow, SealedEntry, SealedListingRow
from checker.vault import Vault

PARTY_NAME = "listing.party_name"
OFFICER_NAME = "officer_link.name"
DOCUMENT_NUMBER = "document.number"
BOUND_NUMBER = "bound_document.number"
PERMIT_NUMBER = "permit.number"
PERMIT_GROUND = "permit.ground"
DIRECTIVE_BASIS = "directive.basis"
ANY_SHAPE = "any"
"""The shape of rows that are older than the column: their numbers may have any shape."""

QUARANTINE_RAW = "quarantine.raw"

_WITH_DERIVED: Final = "\nderived"
"""Stands behind an entry in its digest. It is no JSON, so no other entry has this text."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Sealer:
    """Seals entries and makes tokens, with the two keys of the deployment."""

    def __init__(self, tokenizer: Tokenizer, vault: Vault) -> None:
        self._tokenizer = tokenizer
        self.vault = vault

    def name_token(self, name: str) -> Token:
        """Token of a name's first key; names that differ in width, case or spaces share it."""
        return self._tokenizer.token("name", normalize_name(name))

    def tokens_of(
        self, subject: PreparedSubject, shapes: Sequence[int] = EVERY_SHAPE
    ) -> tuple[Token, ...]:
        """Return every token under which a subject may be listed: the document's own one first.

        With a name there is one more token for each shape of masked numbers and each key of the
        name. `shapes` are the places in `SHAPES` of the shapes that the list may hold. The tokens
        of further documents come last.
        """
        if subject.also:
            each_one = subject.of_each_document
            return tuple([token for one in each_one for token in self.tokens_of(one, shapes)])
        document, name = subject.document, subject.name
        if not shapes or name is None or document is None:
            return (subject.token,)
        token = self._tokenizer.token
        keys = masked_lookup_keys(document, name, shapes)
        return (subject.token, *[token(*key) for key in keys])

    def resident_tokens(self, numbers: Iterable[str]) -> list[Token]:
        """Return the token of each normalised resident ID, as `document_token` does."""
        return self._tokenizer.tokens(DocumentType.RESIDENT_ID.value, numbers)

    def listing_id(self, identity: str) -> str:
        """Return the id of a record, always the same, from which the record cannot be read."""
        return self._tokenizer.token("listing-id", identity).hex()

    def id_token(self, listing_id: str) -> Token:
        """Return 16 bytes that stand for an id."""
        return self._tokenizer.token("id", listing_id)

    def document_token(self, document: Document) -> Token:
        """Token under which a normalised whole document is found, wherever it stands."""
        return self._tokenizer.token(*lookup_key(document))

    def document_key(self, document: Document) -> DocumentKey:
        """Return the key of a normalised whole document."""
        return DocumentKey(self.document_token(document), document.known_issuer)

    def digest(self, entry: ListingEntry) -> Token:
        """Return the keyed digest of an entry, in 16 bytes; the order in it does not count.

        An entry with derived rows has another digest than before there were such rows. So the next
        list that repeats the entry replaces the old row.
        """
        text = _encode(in_one_order(entry)).decode()
        holders = (entry.party, *[officer.holder for officer in entry.officers])
        if any(self.derived_tokens(each, one.name) for one in holders for each in one.documents):
            text += _WITH_DERIVED
        return self._tokenizer.token("listing", text)

    def permit_digest(self, permit: PermitEntry) -> Token:
        """Return the keyed digest of a permit, in 16 bytes."""
        return self._tokenizer.token("permit", _encode(permit).decode())

    def sale_token(self, account_id: str | None, reference: str, service: Service) -> Token:
        """Return 16 bytes for a sale: the same for one order of one account for one service."""
        return self._tokenizer.token("sale", _encode([account_id, reference, service]).decode())

    def request_digest(self, said: object) -> Token:
        """Return the keyed digest of a request, in 16 bytes, from which no person can be read."""
        return self._tokenizer.token("request", _encode(said).decode())

    def key_digest(self, place: str, account_id: str | None, key: str) -> Token:
        """Return the keyed digest of an idempotency key, in 16 bytes.

        A key may hold anything, a person's number too, so only this digest is ever kept. `place`
        names the address that the key was sent to: a key belongs to its account and its place.
        """
        return self._tokenizer.token("idempotency-key", _encode([place, account_id, key]).decode())

    def seal(self, line: int, entry: ListingEntry) -> SealedEntry:
        """Make the rows of an entry that was read from a line."""
        documents = self._documents(entry.id, (line, None, "debtor"), entry.party)
        shown = _contents(documents, entry.party)
        officers, contents = [], []
        for ordinal, officer in enumerate(entry.officers):
            name = self.vault.seal(officer.holder.name, OFFICER_NAME, entry.id)
            officers.append(OfficerRow(line, ordinal, officer.role, name, officer.resolved))
            own: list[DocumentRow] = []
            if officer.role is not None:
                own = self._documents(entry.id, (line, ordinal, officer.role), officer.holder)
            documents += own
            contents.append(
                OfficerContent(
                    officer.role,
                    officer.holder.name,
                    officer.resolved,
                    in_order(_contents(own, officer.holder)),
                )
            )
        own_digest = self.digest(entry)
        row = SealedListingRow(
            line=line,
            id=entry.id,
            digest=own_digest,
            case_number=entry.case_number,
            court=entry.court,
            filed_on=entry.filed_on,
            published_on=entry.published_on,
            expires_on=entry.expires_on,
            public=entry.public,
            party_type=entry.party_type,
            party_name=self.vault.seal(entry.party.name, PARTY_NAME, entry.id),
            kind=entry.kind,
            items=entry.items,
            starts_on=entry.starts_on,
            content=listing_digest(
                self.vault.digest, entry, own_digest, entry.party.name, shown, contents
            ),
        )
        return SealedEntry(row, officers, documents)

    def _documents(
        self, listing_id: str, place: tuple[int, int | None, str], holder: Holder
    ) -> list[DocumentRow]:
        """Make the rows of a holder's documents; `place` is line, ordinal and role."""
        if not holder.documents:
            return []
        line, ordinal, role = place
        name_token = self.name_token(holder.name)
        rows = []
        for document in holder.documents:
            own = self.listed_token(document, holder.name), listed_shape(document), name_token
            derived = self.derived_tokens(document, holder.name)
            rows += [
                DocumentRow(
                    line=line,
                    ordinal=ordinal,
                    role=role,
                    type=document.type,
                    number=self.vault.seal(
                        shown_number(document), DOCUMENT_NUMBER, listing_id, token.hex()
                    ),
                    masked=shape is not None,
                    token=token,
                    name_token=of_name,
                    shape=shape,
                    derived=at > 0,
                    issuer=listed_issuer(document),
                )
                for at, (token, shape, of_name) in enumerate((own, *derived))
            ]
        return rows

    def listed_token(self, document: Document | MaskedDocument, name: str) -> Token:
        """Token under which a document of somebody of that name stands in the list."""
        if isinstance(document, MaskedDocument):
            return self._tokenizer.token(*masked_lookup_key(document.number, name))
        return self.document_token(document)

    def derived_tokens(
        self, document: Document | MaskedDocument, name: str
    ) -> list[tuple[Token, str, Token]]:
        """Return the further tokens of a masked number: token, shape, and token of the name."""
        if not isinstance(document, MaskedDocument):
            return []
        return [
            (self._tokenizer.token(*key), shape.name, self._tokenizer.token("name", named))
            for shape, named, key in further_keys(document.type, document.number, name)
        ]


def _contents(rows: Iterable[DocumentRow], holder: Holder) -> list[DocumentContent]:
    """Return the contents of a holder's documents; `rows` are theirs, in the same order.

    A derived row says nothing of its own.
    """
    shown = [row for row in rows if not row.derived]
    return [
        document_content(row, shown_number(document))
        for row, document in zip(shown, holder.documents, strict=False)
    ]


def listed_shape(document: Document | MaskedDocument) -> str | None:
    """Return the name of the shape under which a document is listed; None: the number is whole."""
    if not isinstance(document, MaskedDocument):
        return None
    return shape_of(document.number).name


def listed_issuer(document: Document | MaskedDocument) -> str | None:
    """Return the issuer that was given with a listed document, or None."""
    return None if isinstance(document, MaskedDocument) else document.known_issuer


def shown_number(document: Document | MaskedDocument) -> str:
    """Return the number as the list shows it."""
    number = document.number
    return number if isinstance(number, str) else number.pattern


def opened_ground(vault: Vault, row: Any) -> str | None:
    """Return the ground of a row of `directive`, or its opened basis."""
    if row.basis is None:
        ground: str | None = row.ground
        return ground
    return vault.open(row.basis, DIRECTIVE_BASIS, row.listing_id)
