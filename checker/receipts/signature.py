"""Signing and verifying of compact JWS (RFC 7515) by Ed25519, and keys as a JWK Set (RFC 7517).

Knows keys and bytes, not their meaning. The header names the algorithm `EdDSA` (RFC 8037), which
every JOSE library knows. RFC 9864 names it `Ed25519`, which few libraries read yet. Our keys name
their curve.
"""

import base64
import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

from checker.receipts.errors import InvalidKeySet, InvalidReceipt

ALGORITHM: Final = "EdDSA"
CURVE: Final = "Ed25519"
KEY_TYPE: Final = "OKP"
TYPE: Final = "JWT"
"""Some libraries accept no other value for a JWT (RFC 7519, section 5.1)."""
KEYS_MAX: Final = 1000
"""A deployment that makes a key a week reaches this number after nineteen years."""


def _eddsa() -> Any:
    """Return the library's EdDSA without its warning that RFC 9864 deprecates the name."""
    algorithm = copy.copy(JWSRegistry.algorithms[ALGORITHM])
    algorithm.security_warning = None
    return algorithm


class _EdDSAAlone(JWSRegistry):
    """Knows one algorithm: a header cannot choose another, or none."""

    algorithms = {ALGORITHM: _eddsa()}  # noqa: RUF012 - declared so by the library


_registry = _EdDSAAlone(algorithms=[ALGORITHM])


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key that verifies receipts, as a JWK; `kid` is its thumbprint (RFC 7638)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class PublicKeySet(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that verify receipts, as a JWK Set: newest first."""

    keys: tuple[PublicKey, ...]


class _KeySetAsSent(msgspec.Struct, frozen=True, kw_only=True):
    keys: tuple[dict[str, Any], ...]


_key_set_decoder = msgspec.json.Decoder(_KeySetAsSent)
_jwk_decoder = msgspec.json.Decoder(dict[str, Any])


def new_key() -> OKPKey:
    """Return a new key."""
    return OKPKey.generate_key(CURVE, auto_kid=True)


def kid_of(key: OKPKey) -> str:
    """Return a key's id, which is its thumbprint."""
    return key.thumbprint()


def write_key(key: OKPKey, *, private: bool) -> str:
    """Return a key as a JWK in JSON, with or without its private part."""
    return msgspec.json.encode(key.as_dict(private=private)).decode()


def read_key(text: str) -> OKPKey:
    """Return the key in a text of `write_key`."""
    return OKPKey.import_key(_jwk_decoder.decode(text))


def public_key(key: OKPKey) -> PublicKey:
    """Return a key as it is published, without its private part."""
    shown = key.as_dict(private=False, kid=kid_of(key), use="sig", alg=ALGORITHM)
    return msgspec.convert(shown, PublicKey)


def read_key_set(content: bytes) -> dict[str, OKPKey]:
    """Return the keys of a JWK Set by `kid`. Keys of other kinds are ignored (RFC 7517, section 5).

    Raises:
        InvalidKeySet: the content is no JWK Set, or has more than `KEYS_MAX` keys.
    """
    try:
        sent = _key_set_decoder.decode(content).keys
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidKeySet("not a JWK Set, a JSON object with `keys`") from None
    if len(sent) > KEYS_MAX:
        raise InvalidKeySet(f"more than {KEYS_MAX} keys")
    return dict(_verifying(sent))


def _verifying(sent: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, OKPKey]]:
    for each in sent:
        kind = (each.get("kty"), each.get("crv"), type(each.get("kid")), type(each.get("x")))
        if kind != (KEY_TYPE, CURVE, str, str):
            continue
        try:
            # Only the public part is taken over: a private part in a set is a mistake.
            key = OKPKey.import_key({"kty": KEY_TYPE, "crv": CURVE, "x": each["x"]})
        except (JoseError, ValueError):
            raise InvalidKeySet("a key of the set is damaged") from None
        yield each["kid"], key


def sign(payload: bytes, key: OKPKey, kid: str) -> str:
    """Return the compact JWS of a payload."""
    header = {"alg": ALGORITHM, "kid": kid, "typ": TYPE}
    return jws.serialize_compact(header, payload, key, registry=_registry)


def verify(text: str, keys: Mapping[str, OKPKey]) -> tuple[str, bytes]:
    """Return the `kid` of the key that signed, and the signed payload.

    Stricter than most libraries in one thing: a signature has one spelling, so that no bit of a
    receipt can be changed (base64url leaves the last four bits unused, and most libraries ignore
    them).

    Raises:
        InvalidReceipt: no compact JWS, another algorithm, a key that is not among `keys`, or a
            signature of another payload.
    """
    try:
        found = jws.extract_compact(text.encode("ascii"), registry=_registry)
        kid = found.headers().get("kid")
        key = keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise InvalidReceipt("it names no key that is among these")
        holds = jws.validate_compact(found, key, registry=_registry)
    except (JoseError, ValueError):
        raise InvalidReceipt("it is no compact JWS signed by EdDSA") from None
    signature = text.rpartition(".")[2]
    if not holds or base64url(unbase64url(signature)) != signature:
        raise InvalidReceipt("its signature is of something else")
    assert isinstance(kid, str)
    return kid, found.payload


def base64url(content: bytes) -> str:
    """Return bytes in base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def unbase64url(text: str) -> bytes:
    """Return the bytes in a text of `base64url`. Raises ValueError for another text."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
