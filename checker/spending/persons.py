"""The documents of a person, and the amounts that count under each of them: pure.

An amount counts under one document: a token, and the issuer if the document is a passport. Two
passports of one number and of two states are two persons', so they share no cap and no hold:

| issuers of the amount and of the document | the amount |
|---|---|
| the same | counts |
| both known, and different | does not count |
| one is unknown | counts, because the list found both by one name |

Rows that are older than the column have no issuer. Their amounts count as before.
"""

from collections.abc import Collection, Iterable, Sequence

from cache.token import Token
from checker.domain.document import Document, DocumentType
from checker.domain.issuer import implied_issuer
from checker.registry.document_key import DocumentKey
from checker.registry.found_document import Trace
from checker.registry.prepared_check import PreparedSubject
from checker.spending.authorization import Authorization

Issuers = Collection[str | None]
"""The issuers under which a person has the documents of one token."""


def shown_issuer(document: Document) -> str | None:
    """Return the issuer that a normalised document gives, or that its number shows, or None."""
    if document.type is not DocumentType.PASSPORT:
        return None
    return document.known_issuer or implied_issuer(document.number)


def counted_documents(
    subject: PreparedSubject, traces: Sequence[Trace]
) -> dict[DocumentKey, DocumentKey]:
    """Return the documents under which a subject's amounts count, by the keys in `traces`.

    `traces` are the ways of the listings to the subject. A passport of an unknown issuer counts
    under the issuer that the list knows, if the list knows one issuer alone.
    """
    return dict([_counted(one, traces) for one in subject.of_each_document])


def subject_of(authorization: Authorization) -> PreparedSubject:
    """Return the subject of an authorization, who is known by the document that counts."""
    token, issuer = authorization.opening.document
    return PreparedSubject(token=token, issuer=issuer)


def counts(issuers: Issuers, issuer: str | None) -> bool:
    """Return whether an amount under `issuer` counts for a person with these `issuers`."""
    return issuer is None or None in issuers or issuer in issuers


def issuers_by_token(documents: Iterable[DocumentKey]) -> dict[Token, set[str | None]]:
    """Return the issuers of a person's documents, by token."""
    found: dict[Token, set[str | None]] = {}
    for token, issuer in documents:
        found.setdefault(token, set()).add(issuer)
    return found


def _counted(one: PreparedSubject, traces: Sequence[Trace]) -> tuple[DocumentKey, DocumentKey]:
    document = one.document
    if document is None:
        key = DocumentKey(one.token, one.issuer)
        return key, key
    key = DocumentKey(one.token, document.known_issuer)
    issuer = shown_issuer(document)
    if issuer is None:
        listed = {each.issuer for each in traces if each.document == key} - {None}
        issuer = listed.pop() if len(listed) == 1 else None
    return key, DocumentKey(one.token, issuer)
