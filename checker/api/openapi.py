"""Describes the operations of the API as OpenAPI 3.1.

msgspec derives each schema from the struct that decodes or serialises the value, so the document
cannot differ from the code.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from checker.api.batch_results import ItemError
from checker.api.feed_terms import KEY_HEADER, KEY_LENGTH_MAX, MATCH_HEADER
from checker.api.openapi_schemas import Schemas, described_schemas
from checker.api.operation import NDJSON, KeyUse, Operation, RequestBody, Success
from checker.api.problems import (
    HEADERS,
    MEDIA_TYPE,
    PRECONDITION_STATUS,
    Problem,
    describe,
    kind_of,
)
from checker.checks.answer import BatchItem
from checker.errors import CheckerError, Conflict, QuotaExceeded

_PATH_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_RATE_LIMIT: Final = ("RateLimit-Policy", "RateLimit")
_TEXT: Final = {"schema": {"type": "string"}}
_HEADERS: Final[dict[str, Any]] = {
    "RateLimit-Policy": _TEXT
    | {
        "description": "The quotas: items `q` in a window of `w` seconds",
        "example": '"minute";q=600;w=60',
    },
    "RateLimit": _TEXT
    | {
        "description": "The items left, `r`, for the next `t` seconds",
        "example": '"minute";r=599;t=42',
    },
    "Retry-After": {
        "description": "Send the request again after this number of seconds",
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    },
    "WWW-Authenticate": _TEXT | {"description": "`Bearer`", "example": "Bearer"},
}
_LINES: Final = {
    "description": "Lines that end with a line feed; `contentSchema` describes each line",
    "type": "string",
    "contentMediaType": NDJSON,
}
_IDEMPOTENCY_KEY: Final = {
    "name": KEY_HEADER,
    "in": "header",
    "description": "The same key with the same request gives the first answer again",
    "schema": {"type": "string", "maxLength": KEY_LENGTH_MAX, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
_IF_MATCH: Final = {
    "name": MATCH_HEADER,
    "in": "header",
    "required": False,
    "description": "The version of the list that the request is based on, in quotes",
    "schema": {"type": "string", "pattern": '^"(0|[1-9][0-9]{0,17})"$'},
}


def openapi_document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """Return the document of these operations."""
    schemas, components = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    responses: dict[str, Any] = {}
    for operation in operations:
        described = _described(operation, schemas, responses)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    tags = {each.tag.name: each.tag for each in operations}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "checker",
            "version": version,
            "description": "Answers whether a listed judgment defaulter (失信被执行人) may buy.",
        },
        "servers": [{"url": "/", "description": "The server of this document"}],
        "tags": [msgspec.to_builtins(tag) for tag in tags.values()],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": responses,
            "headers": _HEADERS,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key of an account"}
            },
        },
    }


def _schemas(operations: Iterable[Operation]) -> tuple[Schemas, dict[str, Any]]:
    sent: list[Any] = []
    returned: list[Any] = [Problem, BatchItem, ItemError]
    for operation in operations:
        sent += () if operation.body is None else operation.body.kinds
        returned += [kind for each in operation.answers for kind in each.kinds]
    return described_schemas(sent, returned)


def _described(operation: Operation, schemas: Schemas, shared: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag.name],
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "description": operation.description,
        "security": _SECURITY[operation.key],
    }
    if parameters := _parameters(operation):
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = _body(operation.body, schemas)
    is_keyed = operation.key is not KeyUse.NONE
    described["responses"] = {
        **{str(each.status): _success(each, schemas, is_keyed) for each in operation.answers},
        **_problems(operation, schemas, shared),
    }
    return described


_SECURITY: Final[Mapping[KeyUse, list[dict[str, list[str]]]]] = {
    KeyUse.REQUIRED: [{"key": []}],
    KeyUse.OPTIONAL: [{"key": []}, {}],
    KeyUse.NONE: [],
}


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(operation.path)
    ]
    parameters += [
        {
            "name": each.name,
            "in": "query",
            "required": False,
            "description": each.description,
            "schema": each.schema,
        }
        for each in operation.query or ()
    ]
    if operation.is_idempotent:
        parameters.append(_IDEMPOTENCY_KEY | {"required": True})
    if operation.is_conditional:
        parameters += [_IDEMPOTENCY_KEY | {"required": False}, _IF_MATCH]
    return parameters


def _body(body: RequestBody, schemas: Schemas) -> dict[str, Any]:
    content = _content(body, schemas)
    return {"required": body.required, "content": content}


def _success(answer: Success, schemas: Schemas, is_keyed: bool) -> dict[str, Any]:
    headers: dict[str, Any] = {
        name: _TEXT | {"description": description} for name, description in answer.headers.items()
    }
    if is_keyed:
        headers |= _references("headers", _RATE_LIMIT)
    described: dict[str, Any] = {"description": answer.description}
    if headers:
        described["headers"] = headers
    if answer.kinds:
        described["content"] = _content(answer, schemas)
    return described


def _content(described: RequestBody | Success, schemas: Schemas) -> dict[str, Any]:
    found = [schemas[kind] for kind in described.kinds]
    schema = found[0] if len(found) == 1 else {"anyOf": found}
    example = described.example
    if described.media_type == NDJSON:
        schema = _LINES | {"contentSchema": schema}
        example = msgspec.json.encode(example).decode() + "\n"
    content: dict[str, Any] = {described.media_type: {"schema": schema, "example": example}}
    for media_type, example in described.text_examples.items():
        content[media_type] = _TEXT | {"example": example}
    return content


def _problems(operation: Operation, schemas: Schemas, shared: dict[str, Any]) -> dict[str, Any]:
    """Return the error answers by status; each different answer is added to `shared` once."""
    by_status: dict[int, list[type[CheckerError]]] = {}
    for error in operation.errors:
        by_status.setdefault(kind_of(error).status, []).append(error)
    if operation.is_conditional:
        by_status[PRECONDITION_STATUS] = [Conflict]
    answers: dict[str, Any] = {}
    for status, errors in sorted(by_status.items()):
        name = "Or".join(error.__name__ for error in errors)
        name = "PreconditionFailed" if status == PRECONDITION_STATUS else name
        shared.setdefault(name, _problem(status, errors, schemas))
        answers[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return answers


def _problem(status: int, errors: Sequence[type[CheckerError]], schemas: Schemas) -> dict[str, Any]:
    kinds = [kind_of(error) for error in errors]
    headers = {name: None for error in errors for name in HEADERS.get(error, ())}
    if QuotaExceeded in errors:
        headers |= dict.fromkeys(_RATE_LIMIT)
    problems = {
        kind.code: msgspec.structs.replace(describe(kind, kind.advice), status=status)
        for kind in kinds
    }
    described: dict[str, Any] = {
        "description": "; ".join(
            [HTTPStatus(status).phrase]
            if status == PRECONDITION_STATUS
            else [k.title for k in kinds]
        ),
        "content": {
            MEDIA_TYPE: {
                "schema": schemas[Problem],
                "examples": {code: {"value": problem} for code, problem in problems.items()},
            }
        },
    }
    if headers:
        described["headers"] = _references("headers", headers)
    return described


def _references(place: str, names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/{place}/{name}"} for name in names}
