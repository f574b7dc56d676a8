"""Verifies a receipt by public keys alone: without the service, its database or its secrets."""

from collections.abc import Mapping

import msgspec
from joserfc.jwk import OKPKey

from checker.receipts.errors import InvalidReceipt
from checker.receipts.receipt import Claims
from checker.receipts.signature import verify


class VerifiedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of a receipt, and the id of the key that signed it."""

    kid: str
    claims: Claims


_claims_decoder = msgspec.json.Decoder(Claims)


def verify_receipt(text: str, keys: Mapping[str, OKPKey]) -> VerifiedReceipt:
    """Return the claims of a compact JWS that one of the keys signed; `keys` are by `kid`.

    Raises:
        InvalidReceipt: none of the keys signed the receipt, or it was changed since.
    """
    kid, payload = verify(text, keys)
    try:
        return VerifiedReceipt(kid=kid, claims=_claims_decoder.decode(payload))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidReceipt("it is signed, but says something else than a receipt") from None
