"""What goes in and comes out at one address, as the OpenAPI document tells it."""

from collections.abc import Mapping
from typing import Any

import msgspec

JSON = "application/json"
NDJSON = "application/x-ndjson"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What goes in and comes out at one address. Without a key where `keyed` is false, with one or
    without where `keyless_too` is true.

    `answer` is what is answered 200, `created` and `accepted` what is answered 201 and 202, if
    anything; without any of them it is 204. `idempotent` where a request must have an idempotency
    key, `conditional` where it may have one, and `If-Match`; without `needs_body` the body may be
    left out.
    """

    summary: str
    answer: Any = None
    other_answer: Any = None
    created: Any = None
    accepted: Any = None
    body: Any = None
    example: Any = None
    other_body: Any = None
    body_media_type: str = JSON
    answer_media_type: str = JSON
    parameters: Mapping[str, Any] = {}
    problems: tuple[int, ...] = ()
    keyed: bool = True
    keyless_too: bool = False
    idempotent: bool = False
    conditional: bool = False
    needs_body: bool = True


Exchanges = Mapping[tuple[str, str], Exchange]
"""By address and method."""
