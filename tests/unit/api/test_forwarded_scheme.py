"""A trusted proxy says whether the caller has come over TLS; nobody else is believed."""

import pytest

from checker.api.caller_address import TrustedProxies

PROXIES = TrustedProxies(["10.0.0.0/8"])
PROXY, STRANGER = "10.0.0.1", "203.0.113.7"
X, FORWARDED = b"x-forwarded-proto", b"forwarded"


@pytest.mark.parametrize(
    ("peer", "headers", "is_over_tls"),
    [
        (PROXY, [(X, b"https")], True),
        (PROXY, [(X, b"HTTPS , http")], True),
        (PROXY, [(FORWARDED, b'for=203.0.113.7;proto="https", for=10.0.0.2;proto=http')], True),
        (PROXY, [(FORWARDED, b"for=203.0.113.7; Proto=https")], True),
        (PROXY, [(X, b"http"), (X, b"https")], False),
        (PROXY, [(FORWARDED, b"for=203.0.113.7, proto=https")], False),
        (PROXY, [], False),
        (STRANGER, [(X, b"https")], False),
        ("", [(X, b"https")], False),
    ],
)
def test_the_word_of_a_trusted_proxy_counts(
    peer: str, headers: list[tuple[bytes, bytes]], is_over_tls: bool
) -> None:
    assert PROXIES.names_tls(peer, headers) is is_over_tls
