"""`GET /.well-known/jwks.json`: the public keys that verify receipts."""

from typing import Final

from checker.api.call import Call
from checker.api.endpoint import ANY_QUERY, endpoint
from checker.api.exchange import Reply, json_reply
from checker.api.operation import KeyUse, Success, Tag
from checker.receipts.receipt_keys import KEPT_BY_VERIFIERS_S
from checker.receipts.signature import PublicKeySet

RECEIPTS: Final = Tag(name="receipts", description="Signed answers, and their verification.")
_HEADERS: Final = {"cache-control": f"public, max-age={KEPT_BY_VERIFIERS_S}"}


@endpoint(
    "GET",
    "/.well-known/jwks.json",
    key=KeyUse.NONE,
    tag=RECEIPTS,
    query=ANY_QUERY,
    answers=(
        Success(
            kinds=(PublicKeySet,),
            example={
                "keys": [
                    {
                        "kty": "OKP",
                        "crv": "Ed25519",
                        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                        "use": "sig",
                        "alg": "EdDSA",
                    }
                ]
            },
            headers={"Cache-Control": "How long a verifier may keep the keys"},
        ),
    ),
)
async def list_receipt_keys(call: Call) -> Reply:
    """List the public keys that verify receipts, as a JWK Set, newest first.

    The answer comes from memory, so receipts can be verified while both stores are away.
    """
    return json_reply(call.runtime.receipt_keys.published(), headers=_HEADERS)
