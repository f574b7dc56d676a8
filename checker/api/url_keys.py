"""Finds a key in a URL, where none may be: URLs are kept in the logs of everything on the way.

RFC 6750, section 5.3, advises against it for the same reason. The request is refused before any of
it is looked at, though a good key may stand in the header too, so that it is noticed at the first
try; and nothing of it is repeated or kept here.
"""

import re

from checker.errors import CheckerError, InvalidRequest, Unauthenticated

API = "/v1/"

_TEXT = "a key has no place in a URL: send Authorization: Bearer <key>, and have this one revoked"
_NAMED = re.compile(rb"(?:^|&)(?:api_?key|key|access_token|token|authorization)=", re.IGNORECASE)
_ITSELF = re.compile(rb"ck_[A-Za-z0-9_-]{43}")


def key_in_url(path: str, query: bytes, *, has_header: bool) -> CheckerError | None:
    """Tell what to refuse a request with whose query holds a key, or what is named like one.

    InvalidRequest where a header tells who calls (RFC 6750, section 3.1: more than one way of
    sending a key), else Unauthenticated; None where there is nothing to refuse.
    """
    if not path.startswith(API) or not (_NAMED.search(query) or _ITSELF.search(query)):
        return None
    return InvalidRequest(_TEXT) if has_header else Unauthenticated(_TEXT)
