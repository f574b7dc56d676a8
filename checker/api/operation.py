"""The declaration of one address: who may call, its body and query, its answers and its errors.

A resource module declares each of its addresses once, by `checker.api.endpoint`. The guard, the
router, the OpenAPI document and the tests' table of access all read this declaration.
"""

from enum import StrEnum
from typing import Any, Final

import msgspec

from checker.accounts.keys import Action
from checker.api.parameters import Parameter
from checker.errors import (
    BodyStalled,
    CheckerError,
    Crowded,
    InvalidRequest,
    OutOfScope,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from checker.operators.action import OperatorAction

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A group of operations in the OpenAPI document."""

    name: str
    description: str


class KeyUse(StrEnum):
    """Whether a caller sends a key."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    """The address answers without a key too. A key that is sent must be valid."""
    NONE = "none"
    """The address is open, and nobody looks at a key."""


class RequestBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request: one value of JSON, or lines.

    Without `bytes_max` the handler reads the body as it comes in, and bounds the body itself.
    `text_examples` holds an example for each media type that has no struct.
    """

    kinds: tuple[Any, ...]
    bytes_max: int | None
    example: Any
    media_type: str = JSON
    text_examples: dict[str, str] = {}
    required: bool = True


class Success(msgspec.Struct, frozen=True, kw_only=True):
    """An answer without an error; without `kinds` the answer has no body.

    `headers` maps the name of each header of this answer to its description.
    """

    status: int = 200
    kinds: tuple[Any, ...] = ()
    example: Any = None
    media_type: str = JSON
    text_examples: dict[str, str] = {}
    headers: dict[str, str] = {}
    description: str = "The answer"


NOT_MODIFIED: Final = Success(
    status=304, description="Nothing has changed since the answer that `If-None-Match` names"
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one address.

    `may`: a caller needs the right to at least one of these actions. A parameter that is not in
    `query` is refused. `raises` holds the errors of this operation besides those that follow from
    its other fields: see `errors`.
    `logs`: an operator's action, which stands in the log of operators' actions.
    `is_idempotent`: the request needs an idempotency key. `is_conditional`: the request may have an
    idempotency key and `If-Match`. `guards_itself`: the handler finds out who calls by itself,
    because the same code answers in the fast lane.
    """

    method: str
    path: str
    operation_id: str
    summary: str
    description: str
    tag: Tag
    key: KeyUse
    may: frozenset[Action]
    query: tuple[Parameter[Any], ...]
    body: RequestBody | None
    answers: tuple[Success, ...]
    raises: tuple[type[CheckerError], ...]
    is_idempotent: bool = False
    is_conditional: bool = False
    guards_itself: bool = False
    logs: OperatorAction | None = None

    @property
    def errors(self) -> tuple[type[CheckerError], ...]:
        """Return every class of error that this operation can answer with, each once."""
        # InvalidRequest: an unknown parameter, a bad body, a key in the URL, or headers sent twice.
        found: list[type[CheckerError]] = [InvalidRequest]
        if self.key is not KeyUse.NONE:
            found += [Unauthenticated, OutOfScope, Unavailable]
        if self.body is not None:
            found += [BodyStalled, TooLarge, UnsupportedMediaType]
        if self.key is KeyUse.OPTIONAL:
            found.append(Crowded)
        return tuple(dict.fromkeys([*found, *self.raises]))
