"""Finds a key in a URL, where no key may be: every server on the way logs URLs.

RFC 6750, section 5.3, gives the same reason. Such a request is refused at once, even with a valid
key in its header, so that the fault is noticed at the first try. Nothing of the URL is repeated or
kept here.
"""

import re

from checker.errors import CheckerError, InvalidRequest, Unauthenticated

API = "/v1/"

_TEXT = "a key has no place in a URL: send Authorization: Bearer <key>, and have this one revoked"
_NAMED = re.compile(rb"(?:^|&)(?:api_?key|key|access_token|token|authorization)=", re.IGNORECASE)
_ITSELF = re.compile(rb"ck_[A-Za-z0-9_-]{43}")


def key_in_url(path: str, query: bytes, *, has_header: bool) -> CheckerError | None:
    """Return the error for a query with a key, or with a parameter named like a key; else None.

    The error is InvalidRequest if the request has an `Authorization` header too (RFC 6750,
    section 3.1: more than one way to send a key), else Unauthenticated.
    """
    if not path.startswith(API) or not (_NAMED.search(query) or _ITSELF.search(query)):
        return None
    return InvalidRequest(_TEXT) if has_header else Unauthenticated(_TEXT)
