"""A check that can be looked up: the one form in which a check goes from its reading to its answer.

`checker.checks.request` makes it from the bytes of a request, and nothing copies its fields again.
The replica, the cache and the registry are asked for tokens of the subject, which
`checker.registry.sealing.Sealer.tokens_of` makes. The rules are asked for the service.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from cache.token import Token
from checker.domain.document import Document, DocumentType
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import Service

TokenOf: TypeAlias = Callable[[Document], Token]
"""Makes the token of a normalised document (`checker.registry.sealing.Sealer.document_token`)."""

ResidentTokens: TypeAlias = Callable[[Sequence[str]], list[Token]]
"""Makes the token of each normalised resident ID (`Sealer.resident_tokens`)."""


_ORGANIZATIONS: Final = frozenset({DocumentType.USCC, DocumentType.ORG_CODE})


class PreparedSubject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The subject as the list finds it.

    `token` is the token of the whole document. `document` is normalised. A passport may be known by
    its token and its `issuer` alone. Without a document or a name the list finds no masked number.
    Without a name every name fits. `also` has the person's
    further documents, each as a subject of the same name. `is_unknowable`: one of the documents is
    of a kind that no list can know.
    """

    token: Token
    document: Document | None = None
    name: str | None = None
    also: tuple["PreparedSubject", ...] = ()
    is_unknowable: bool = False
    issuer: str | None = None

    @property
    def of_each_document(self) -> tuple["PreparedSubject", ...]:
        """A subject for each document, in the order in which the documents were sent."""
        if not self.also:
            return (self,)
        return (msgspec.structs.replace(self, also=()), *self.also)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens of the whole documents, in the order in which the documents were sent."""
        return (self.token, *[each.token for each in self.also])

    @property
    def is_organization(self) -> bool:
        """Whether all documents are those of an organization; a token alone is not known to be.

        One document of a person is enough for the measures that bind persons alone.
        """
        return all(
            each.document is not None and each.document.type in _ORGANIZATIONS
            for each in self.of_each_document
        )


class PreparedCheck(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One check, with a place that is known and a subject that can be looked up."""

    subject: PreparedSubject
    service: Service
    jurisdiction: Jurisdiction
    reference: str | None = None
    receipt: bool = False

    @property
    def document(self) -> Document:
        """The normalised document that was sent: no check comes without."""
        assert self.subject.document is not None
        return self.subject.document
