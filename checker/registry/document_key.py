"""The key of a document: what is left of it in the registry, besides its sealed number.

The token finds the document, and the issuer separates two passports of one number. The token is
that of the number alone, so the cache may show more than there is, and never less.
"""

from typing import NamedTuple

from cache.token import Token


class DocumentKey(NamedTuple):
    """The token of a document and its issuer. None: no issuer is known besides the number's own."""

    token: Token
    issuer: str | None = None

    def may_be(self, other: "DocumentKey") -> bool:
        """Return whether two keys may be of one document: an unknown issuer may be any issuer."""
        return self.token == other.token and (
            self.issuer is None or other.issuer is None or self.issuer == other.issuer
        )
