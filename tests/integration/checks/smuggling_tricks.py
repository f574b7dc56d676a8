"""Requests that a proxy and a server may read in two ways, as tables.

Each hides a request for an address of its own, `/hidden`, behind its end as one of both reads it.
"""

from typing import NamedTuple

from tests.integration.checks.both_ways import ALLOW

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"


class Trick(NamedTuple):
    """Headers in the place of those of the body, and all bytes behind the head."""

    headers: list[bytes]
    behind: bytes


def chunks(body: bytes, end: bytes = b"\r\n") -> bytes:
    return b"%x" % len(body) + end + body + end + b"0" + end + end


LENGTH = b"Content-Length: %d" % len(ALLOW)
LONGER = b"Content-Length: %d" % (len(ALLOW) + len(HIDDEN))
TE = b"Transfer-Encoding: chunked"

OF_LENGTHS = {
    "two lengths": [LENGTH, LONGER],
    "two equal lengths": [LENGTH, LENGTH],
    "a list of lengths": [LENGTH + b", 0"],
    "a length with a sign": [LENGTH.replace(b": ", b": +")],
    "a length in hexadecimal": [b"Content-Length: 0x9c"],
    "a length with an underscore": [b"Content-Length: 1_0"],
    "a length over 64 bits": [b"Content-Length: 18446744073709551617"],
    "a length in full width": ["Content-Length: １".encode()],
    "an empty length": [b"Content-Length:"],
    "a length behind a space": [b"Content-Length : 1"],
    "an unknown coding and a length": [b"Transfer-Encoding: xchunked", LENGTH],
    "a folded line": [LENGTH, b"X-A: 1\r\n Content-Length: 0"],
    "a line that ends with LF": [b"X-A: 1\n" + LENGTH],
    "a line that ends with CR": [b"X-A: 1\r" + LENGTH],
    "a NUL in a value": [LENGTH, b"X-A: 1\0"],
    "a NUL in a name": [LENGTH, b"X-\0A: 1"],
    "a header without a name": [LENGTH, b": 1"],
    "a header without a colon": [LENGTH, b"X-A"],
    "a space in front of a header": [b" X-A: 1", LENGTH],
}
OF_CODINGS = {
    "length and chunks": [LENGTH, TE],
    "chunks and length": [TE, LONGER],
    "chunks behind a space": [b"Transfer-Encoding : chunked"],
    "chunks on a folded line": [b"Transfer-Encoding:\r\n chunked"],
    "chunks behind a vertical tab": [b"Transfer-Encoding: \x0bchunked"],
    "chunks in quotes": [b'Transfer-Encoding: "chunked"'],
    "chunks, then gzip": [b"Transfer-Encoding: chunked, gzip"],
    "gzip, then chunks": [b"Transfer-Encoding: gzip, chunked"],
    "chunks twice": [TE, TE],
    "chunks listed twice": [b"Transfer-Encoding: chunked, chunked"],
    "identity": [b"Transfer-Encoding: identity"],
    "no coding": [b"Transfer-Encoding:"],
}
OF_CHUNKS = {
    "a negative size": b"-1\r\n",
    "a size with 0x": b"0x1\r\na\r\n0\r\n\r\n",
    "a size over 64 bits": b"10000000000000001\r\na\r\n0\r\n\r\n",
    "a size behind a space": b" 1\r\na\r\n0\r\n\r\n",
    "a chunk longer than its size": b"1\r\nab\r\n0\r\n\r\n",
    "lines that end with LF": chunks(ALLOW, b"\n"),
    "lines that end with CR": chunks(ALLOW, b"\r"),
    "an extension with LF": b"1;a\nb\r\na\r\n0\r\n\r\n",
    "a trailer that is folded": chunks(ALLOW)[:-2] + b"A: 1\r\n B: 2\r\n\r\n",
    "a trailer with a NUL": chunks(ALLOW)[:-2] + b"A: \0\r\n\r\n",
}
TRICKS = {
    **{name: Trick(headers, ALLOW + HIDDEN) for name, headers in OF_LENGTHS.items()},
    **{name: Trick(headers, chunks(ALLOW) + HIDDEN) for name, headers in OF_CODINGS.items()},
    **{name: Trick([TE], behind + HIDDEN) for name, behind in OF_CHUNKS.items()},
}
OTHER_TYPE = b"Content-Type: application/json; charset=utf-8"
"""Makes the request one for the application, also where the lane could answer."""

LINES = {
    "GET /healthz": [400],
    "GET /healthz HTTP/0.9": [400],
    "GET /healthz HTTP/2.0": [400],
    "GET /healthz HTTP/1.1 ": [400],
    "GET  /healthz HTTP/1.1": [200],
    "GET /healthz\tHTTP/1.1": [400],
    " GET /healthz HTTP/1.1": [400],
    "get /healthz HTTP/1.1": [400],
    "PRI * HTTP/2.0": [400],
    "CONNECT node:443 HTTP/1.1": [400],
    "CONNECT /healthz HTTP/1.1": [400],
    "GET healthz HTTP/1.1": [400],
    "GET node/healthz HTTP/1.1": [400],
    "GET file:///healthz HTTP/1.1": [400],
}
PATHS = {
    "/v1/checks?": 200,
    "/v1/checks/": 200,
    "/%761/checks": 200,
    "http://other/v1/checks": 200,
    "https://a@node/v1/checks": 200,
    "/V1/checks": 404,
    "//v1/checks": 404,
    "//other/v1/checks": 404,
    "http://other//v1/checks": 404,
    "/v1//checks": 404,
    "/v1/checks//": 404,
    "/v1%2Fchecks": 404,
    "/v1/checks%2f": 404,
    "/v1%2f%2fchecks": 404,
    "/v1/./checks": 404,
    "/a/../v1/checks": 404,
    "/v1/checks/..": 404,
    "/v1/%2563hecks": 404,
    "/v1/checks;a=1": 404,
    "/v1/checks%00": 404,
    "/v1/checks%20": 404,
    "/v1/checks\\": 404,
    "/v1/checks%0d%0aA:b": 404,
    "/assets/../../config.py": 404,
    "/assets/..%2f..%2fconfig.py": 404,
    "/assets/%2e%2e/config.py": 404,
}
"""The first of them are other spellings of the same address (RFC 3986, section 6)."""

HEADERS = {
    "X-HTTP-Method-Override: DELETE": 200,
    "X-Method-Override: DELETE": 200,
    "X-Original-URL: /hidden": 200,
    "X-Rewrite-URL: /hidden": 200,
    "X-Forwarded-Host: other": 200,
    "X-Forwarded-Prefix: /hidden": 200,
    "X-Forwarded-Proto: https": 200,
    "Connection: Authorization, close": 200,
    "Trailer: Authorization": 200,
    "Expect: something": 200,
    "Host: other": 400,
    "Host:": 400,
    "Content-Type: text/plain": 400,
    "Authorization: Bearer x": 400,
}
"""A header that could change the meaning of a request is ignored, or refused if it comes twice."""
