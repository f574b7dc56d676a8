"""The errors of the service, split by what the caller can do about them.

They know no HTTP: `checker.api.problems` has one table from class to answer. A text in here names
fields and never repeats what stood in them: no document number and no name reaches an error.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from checker.domain.clock import InstantText


class Fault(msgspec.Struct, frozen=True):
    """One field at fault: a JSON pointer (RFC 6901) into the request and what is wrong there."""

    pointer: str
    detail: str


class CheckerError(Exception):
    """Whatever the service refuses or cannot do on purpose; its text is safe to show."""


class InvalidRequest(CheckerError):
    """The request's fault: send another one. `faults` name the fields."""

    def __init__(self, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.faults = tuple(faults)


class InvalidSubject(InvalidRequest):
    """The document's number can be on no list: look at the document again."""


class TooLarge(CheckerError):
    """The request passes a limit: send it in parts."""


class UnsupportedMediaType(CheckerError):
    """The body is of a type that is not read here: send one of the types that the text names."""


class Unauthenticated(CheckerError):
    """No key, or none that is known: call with one."""


class OutOfScope(CheckerError):
    """The key may not do this: ask the operator for another scope."""


class NotFound(CheckerError):
    """There is no such thing, or none that this key may see."""


class Resolution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The earlier end of a thing: its status since the instant `at`, and the sum, if any."""

    status: str
    amount_fen: int | None = None
    at: InstantText


class Conflict(CheckerError):
    """The state of the thing forbids the request.

    `resolution` says what came first, where that is why. `is_precondition`: the caller named the
    state that the request needs (`If-Match`), and the state is another one.
    """

    def __init__(
        self,
        detail: str,
        *,
        resolution: Resolution | None = None,
        is_precondition: bool = False,
    ) -> None:
        super().__init__(detail)
        self.resolution = resolution
        self.is_precondition = is_precondition


class IdempotencyKeyReused(CheckerError):
    """The key was used for another request: send this one under a key of its own."""


class QuotaExceeded(CheckerError):
    """The key has used what it may: wait `retry_after_s` seconds."""

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Outage(StrEnum):
    """Why the registry cannot serve a request, as far as its own answer says so."""

    AWAY = "away"
    """PostgreSQL is lost, silent, restarting or overloaded: it may come back by itself."""
    FULL = "full"
    """PostgreSQL has no room to write: the operator must make room."""
    READ_ONLY = "read-only"
    """PostgreSQL takes no writes, as a standby does: the operator must name the primary."""
    REFUSED = "refused"
    """PostgreSQL refuses us by its configuration: the operator must change a setting."""
    BROKEN = "broken"
    """PostgreSQL met a fault of its own, for example damaged data: the operator must look."""


class Unavailable(CheckerError):
    """The list cannot be vouched for now, so nothing is allowed: try again.

    `outage` says why, where the registry itself has said so.
    """

    def __init__(
        self, detail: str, *, retry_after_s: int = 1, outage: Outage | None = None
    ) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.outage = outage


class Crowded(Unavailable):
    """Too many callers without a key have requests under way: this one gives way, try again."""


class BodyStalled(CheckerError):
    """The request's body stopped on its way: send it again."""


class ConfigurationError(CheckerError):
    """The service would not be safe as it is set up, so it does not start: mend the setting."""
