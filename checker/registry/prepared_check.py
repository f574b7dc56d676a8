"""A check that can be looked up: the one form in which a check goes from its reading to its answer.

`checker.checks.request` makes it from the bytes of a request, and nothing copies its fields again:
replica and cache are asked for the tokens, the registry for the subject, the rules for the service.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from cache.token import Token
from checker.domain.document import Document
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import Service

TokensOf: TypeAlias = Callable[[Document, str | None], tuple[Token, ...]]
"""Makes all tokens of a document and a name (`checker.registry.sealing.Sealer.tokens_of`)."""

ResidentTokens: TypeAlias = Callable[[Sequence[str]], list[Token]]
"""Makes the token of each normalised resident ID (`Sealer.resident_tokens`)."""


class PreparedSubject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The subject as the list finds it: all tokens under which the subject may be listed.

    The first token is that of the document itself. `document` is normalised. Without a document
    the registry finds no masked number; without a name every name fits.
    """

    tokens: tuple[Token, ...]
    document: Document | None = None
    name: str | None = None


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
