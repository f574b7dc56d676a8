"""The errors of the client. No text holds a number or a name, so each may be logged."""

from typing import Any

import msgspec


class ClientError(Exception):
    """A request that did not succeed. Nothing may be sold because of it."""


class NotAnswered(ClientError):
    """The service could not be reached, or did not answer in time, after all attempts."""


class ProblemAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a problem (RFC 9457) as far as the client reads it."""

    code: str = ""
    detail: str = ""
    errors: list[dict[str, Any]] = []
    spending: dict[str, Any] | None = None


class ApiProblem(ClientError):
    """The service refused the request: `code` is one of the contract's section 8.

    `pointers` name the fields at fault. `spending` is the room under a cap, if a cap refuses.
    """

    def __init__(self, status: int, problem: ProblemAnswer) -> None:
        super().__init__(f"{status} {problem.code}: {problem.detail}")
        self.status = status
        self.code = problem.code
        self.pointers = tuple(str(each.get("pointer", "")) for each in problem.errors)
        self.spending = problem.spending


_decoder = msgspec.json.Decoder(ProblemAnswer)


def problem_in(status: int, body: bytes) -> ApiProblem:
    """Return the problem of an answer; a body that is no problem gives one without a code."""
    try:
        return ApiProblem(status, _decoder.decode(body))
    except msgspec.DecodeError:
        return ApiProblem(status, ProblemAnswer())
