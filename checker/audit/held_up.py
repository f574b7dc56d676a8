"""The documents that a decision held up, sealed for the row of the decision.

A court may find that the holder of such a document is not the person of the listing. Then it has to
be known which document that is, and by which listed token the listing reached it. A plain `allow`
has no row, so nothing is kept of anybody who was not held up.

The tokens stand sealed, because a reader of the table could otherwise follow one innocent person
from one institution to the next.
"""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from cache.token import Token
from checker.registry.document_key import DocumentKey
from checker.registry.found_document import Trace
from checker.vault import Vault

SUBJECT: Final = "decision.subject"

_Row = tuple[str, str, str | None, str]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[_Row, ...]).decode


def seal_traces(
    vault: Vault, decision_id: str, traces: Iterable[Trace], listing_ids: Collection[str]
) -> bytes | None:
    """Return the ways of these listings to the subject, sealed; None: there is no way."""
    rows = [
        (
            each.listing_id,
            each.document.token.hex(),
            each.document.issuer,
            each.listed_token.hex(),
        )
        for each in traces
        if each.listing_id in listing_ids
    ]
    return vault.seal(_encode(rows).decode(), SUBJECT, decision_id) if rows else None


def open_traces(vault: Vault, decision_id: str, sealed: bytes | None) -> tuple[Trace, ...]:
    """Return the ways that were kept with a decision; none if it is older than the column.

    Raises:
        ConfigurationError: the value was not sealed for this decision, or by another deployment.
    """
    if sealed is None:
        return ()
    return tuple(
        Trace(
            listing_id,
            DocumentKey(Token(bytes.fromhex(token)), issuer),
            Token(bytes.fromhex(listed)),
        )
        for listing_id, token, issuer, listed in _decode(vault.open(sealed, SUBJECT, decision_id))
    )
