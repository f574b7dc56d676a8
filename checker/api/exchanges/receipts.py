"""The address by which receipts are verified."""

from checker.api.exchanges.exchange import Exchange, Exchanges
from checker.receipts.signature import PublicKeySet

EXCHANGES: Exchanges = {
    ("/.well-known/jwks.json", "get"): Exchange(
        summary="The public keys that verify receipts, as a JWK Set",
        answer=PublicKeySet,
        keyed=False,
    ),
}
