"""Verifies a receipt by public keys alone: without the service, its database or its secrets."""

from collections.abc import Mapping

import msgspec
from joserfc.jwk import OKPKey

from checker.receipts.errors import InvalidReceipt
from checker.receipts.receipt import Claims
from checker.receipts.signature import verify


class VerifiedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says, and the id of the key that signed it."""

    kid: str
    claims: Claims


_claims_decoder = msgspec.json.Decoder(Claims)


def verify_receipt(text: str, keys: Mapping[str, OKPKey]) -> VerifiedReceipt:
    """Verify a compact JWS by the keys, each under its `kid`.

    Raises:
        InvalidReceipt: not signed by one of them, or changed since.
    """
    kid, payload = verify(text, keys)
    try:
        return VerifiedReceipt(kid=kid, claims=_claims_decoder.decode(payload))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidReceipt("it is signed, but says something else than a receipt") from None
