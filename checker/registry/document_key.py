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
