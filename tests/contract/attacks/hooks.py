"""The knowledge of schemathesis about the service beyond the OpenAPI document.

`SCHEMATHESIS_HOOKS` names this module; `attacking` starts schemathesis with it. The variable
`ATTACKED` holds the things that exist, as `Attacked` in JSON.

- Lines of NDJSON are drawn by the schema of one line.
- The identifiers of half the requests are those of things that exist.
- The account of a key in use is never changed: another account stands in its place.
- A failure that is no fault has a row in `tests.contract.attacks.explained`.
"""

import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, cast

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response, SerializationContext
from schemathesis.core import NOT_SET
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import RejectedPositiveData

from tests.contract.attacks.attacked import VARIABLE, Attacked
from tests.contract.attacks.explained import is_explained_acceptance, is_explained_refusal
from tests.support.town import DEBTOR, ORG_CODE, PASSPORT, USCC

NDJSON = "application/x-ndjson"
LINES_MAX = 3
LEAK_LENGTH_MIN = 6
"""A shorter text of a request stands in many an answer by chance."""

RIGHT_NUMBERS = {
    "resident_id": DEBTOR,
    "passport": PASSPORT,
    "uscc": USCC,
    "org_code": ORG_CODE,
    "hk_macao_permit": "H12345678",
    "taiwan_permit": "12345678",
}

_WORD = re.compile(r"[a-z_]+")
_IDEMPOTENCY_KEY = "Idempotency-Key"


ATTACKED = Attacked(**json.loads(os.environ[VARIABLE]))


@schemathesis.hook
def before_load_schema(_context: HookContext, raw_schema: Any) -> None:
    """Describe a body of lines as an array, so that lines are drawn by their schema."""
    for operation in _operations(raw_schema):
        content = operation.get("requestBody", {}).get("content", {})
        if NDJSON in content:
            described = content[NDJSON]
            line = described["schema"]["contentSchema"]
            described["schema"] = {"type": "array", "items": line, "maxItems": LINES_MAX}
            described["example"] = [json.loads(each) for each in described["example"].splitlines()]


def _operations(document: Any) -> Iterator[Any]:
    for methods in document["paths"].values():
        yield from methods.values()


@schemathesis.serializer(NDJSON)
def lines_of(_context: SerializationContext, value: Any) -> dict[str, Any]:
    """Write each item of an array on a line of its own."""
    if isinstance(value, bytes):
        return {"data": value}
    lines = value if isinstance(value, list) else [value]
    return {"data": "".join(json.dumps(each) + "\n" for each in lines).encode()}


@schemathesis.serializer("text/csv")
def text_of(_context: SerializationContext, value: Any) -> dict[str, Any]:
    """Send a text as it is."""
    return {"data": value if isinstance(value, bytes) else str(value).encode(errors="replace")}


@schemathesis.hook
def map_path_parameters(_context: HookContext, path_parameters: Any) -> Any:
    """Name a thing that exists in half the requests, and no account whose key is in use."""
    if not path_parameters:
        return path_parameters
    drawn = {
        name: ATTACKED.known[name] if name in ATTACKED.known and len(str(value)) % 2 else value
        for name, value in path_parameters.items()
    }
    if drawn.get("account_id") in ATTACKED.protected:
        drawn["account_id"] = ATTACKED.known["account_id"]
    return drawn


@schemathesis.hook
def map_headers(_context: HookContext, headers: Any) -> Any:
    """Send a new idempotency key in most requests, so that they are not repetitions."""
    if headers and len(str(headers.get(_IDEMPOTENCY_KEY, ""))) % 4 > 0:
        headers[_IDEMPOTENCY_KEY] = uuid.uuid5(uuid.NAMESPACE_URL, str(next(_numbers))).hex
    return headers


def _counting() -> Iterator[int]:
    number = os.getpid() << 32
    while True:
        number += 1
        yield number


_numbers = _counting()


@schemathesis.hook
def map_body(context: HookContext, body: Any) -> Any:
    """Let more requests reach the work behind the fields.

    - Whole numbers have no fraction. JSON Schema takes 2.0 for an integer. The service refuses it,
      because money is whole fen.
    - Half the numbers of documents are right, because check digits are in no schema.
    - The host of a webhook is this machine: no test asks the internet.
    """
    assert context.operation is not None
    if context.operation.definition.raw["operationId"] == "put_webhook":
        return _with_local_host(body)
    return _drawn_again(body)


def _with_local_host(body: Any) -> Any:
    if isinstance(body, dict) and "." in str(body.get("url")):
        return body | {"url": "http://127.0.0.1:9/"}
    return body


def _drawn_again(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_drawn_again(each) for each in value]
    if not isinstance(value, dict):
        return value
    drawn = {name: _drawn_again(each) for name, each in value.items()}
    right, number = RIGHT_NUMBERS.get(str(drawn.get("type"))), drawn.get("number")
    if right is not None and isinstance(number, str) and len(number) % 2:
        drawn["number"] = right
    return drawn


@schemathesis.hook
def filter_failure(_context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Keep a failure that is not explained."""
    name = case.operation.definition.raw["operationId"]
    if isinstance(failure, RejectedPositiveData):
        return not is_explained_refusal(name, response)
    if isinstance(failure, AcceptedNegativeData):
        return not is_explained_acceptance(name, case, response)
    return True


@schemathesis.check
def nothing_sent_is_repeated(_context: CheckContext, response: Response, case: Case) -> None:
    """An error repeats no text of the request."""
    if response.status_code < 400:
        return
    told = response.text
    sent = [case.path_parameters, case.query, case.headers]
    sent += [] if case.body is NOT_SET else [case.body]
    leaked = [text for part in sent for text in _texts(part) if text in told]
    assert not leaked, "the answer repeats what was sent"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str) and len(value) >= LEAK_LENGTH_MIN and not _WORD.fullmatch(value):
        yield cast("str", value)


@schemathesis.check
def a_role_without_the_right_gets_nothing(
    _context: CheckContext, response: Response, case: Case
) -> None:
    """Refuse every operation that the role of the key may not call."""
    if ATTACKED.is_granted:
        return
    assert response.status_code >= 400, f"{case.method} {case.path} is granted"
