"""Reads which documents are bound together, with the issuers by which amounts are compared."""

from collections.abc import Iterable
from typing import Any

from cache.token import Token
from checker.domain.document import Document, DocumentType
from checker.registry.document_key import DocumentKey
from checker.registry.sealing import BOUND_NUMBER
from checker.spending.persons import shown_issuer
from checker.vault import Vault


class Bindings:
    """The bindings of some tokens: rows of `statements.READ_BINDINGS`."""

    def __init__(self, rows: Iterable[Any], vault: Vault) -> None:
        self._vault = vault
        self._bound: dict[Token, list[tuple[DocumentKey, DocumentKey]]] = {}
        self.tokens: dict[Token, set[Token]] = {}
        """All tokens of the persons behind each token: more than the person's, never less."""
        for row in rows:
            asked, source = Token(row.asked), Token(row.source)
            self.tokens.setdefault(asked, set()).add(source)
            if row.source_type is not None:
                pair = (self._key(row, "asked"), self._key(row, "source"))
                self._bound.setdefault(asked, []).append(pair)

    def person(self, documents: Iterable[DocumentKey]) -> frozenset[DocumentKey]:
        """Return all documents of the person of these documents, themselves among them."""
        found = set(documents)
        for document in tuple(found):
            found.update(
                other for own, other in self._bound.get(document.token, ()) if document.may_be(own)
            )
        return frozenset(found)

    def _key(self, row: Any, side: str) -> DocumentKey:
        columns = row._mapping
        token, issuer = Token(columns[side]), columns[f"{side}_issuer"]
        if issuer is None and columns[f"{side}_type"] == DocumentType.PASSPORT:
            number = self._vault.open(columns[f"{side}_number"], BOUND_NUMBER, token.hex())
            issuer = shown_issuer(Document(type=DocumentType.PASSPORT, number=number))
        return DocumentKey(token, issuer)
