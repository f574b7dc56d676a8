"""`GET /.well-known/jwks.json`: the public keys that verify receipts."""

from typing import Final

from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply
from checker.api.operation import NOT_MODIFIED, KeyUse, Success, Tag
from checker.api.pages import tagged_reply
from checker.receipts.receipt_keys import KEPT_BY_VERIFIERS_S
from checker.receipts.signature import PublicKeySet

RECEIPTS: Final = Tag(name="receipts", description="Signed answers, and their verification.")
_CACHE_CONTROL: Final = f"public, max-age={KEPT_BY_VERIFIERS_S}"


@endpoint(
    "GET",
    "/.well-known/jwks.json",
    key=KeyUse.NONE,
    tag=RECEIPTS,
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
            headers={
                "Cache-Control": "How long a verifier may keep the keys",
                "ETag": "The tag of the keys, for `If-None-Match`",
            },
        ),
        NOT_MODIFIED,
    ),
)
async def list_receipt_keys(call: Call) -> Reply:
    """List the public keys that verify receipts, as a JWK Set, newest first.

    The answer comes from memory, so receipts can be verified while both stores are away.
    """
    keys = call.runtime.receipt_keys.published()
    return tagged_reply(keys, call.request.headers.get("if-none-match"), _CACHE_CONTROL)
