"""Sends operations, in an event loop or outside of one, with time-outs and repetitions.

A request is repeated where that can do no harm:

    the connection could not be made                   nothing was sent: again
    429 or 503                                         nothing was done: again, after `Retry-After`
    no answer, 502 or 504, operation is repeatable     again
    any other answer                                   that is the answer

Waits grow, differ by chance, and end with `RetryPolicy.patience_s`. An error is never `allow`.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Final, Self, TypeVar

import httpx
import msgspec

from checker.client.errors import NotAnswered, problem_in
from checker.client.operations import ApiOperation

T = TypeVar("T")

_NOT_DONE: Final = {429, 503}
_PERHAPS_DONE: Final = {502, 504}


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long a client tries. A seller at a counter waits for some seconds."""

    attempts_max: int = 4
    first_wait_s: float = 0.1
    wait_max_s: float = 2.0
    patience_s: float = 10.0
    """No attempt begins later than this after the first one."""


class _Attempts:
    """The attempts of one operation: decides on each answer, and sends nothing itself."""

    def __init__(self, operation: ApiOperation[T], policy: RetryPolicy) -> None:
        self._operation = operation
        self._policy = policy
        self._ends_at = time.monotonic() + policy.patience_s
        self._waits = iter(_waits(policy))

    def wait_after(self, outcome: httpx.Response | httpx.TransportError) -> float:
        """Return the seconds until the next attempt.

        Raises:
            ApiProblem: the service has refused for good.
            NotAnswered: no further attempt may be made.
        """
        wait_s = next(self._waits, None) if self._may_repeat(outcome) else None
        if wait_s is not None:
            wait_s = max(wait_s, _asked_wait_s(outcome))
            if time.monotonic() + wait_s <= self._ends_at:
                return wait_s
        if isinstance(outcome, httpx.Response):
            raise problem_in(outcome.status_code, outcome.content)
        raise NotAnswered(f"no answer to {self._operation.path}")

    def _may_repeat(self, outcome: httpx.Response | httpx.TransportError) -> bool:
        if isinstance(outcome, httpx.Response):
            if outcome.status_code in _NOT_DONE:
                return True
            return outcome.status_code in _PERHAPS_DONE and self._operation.is_repeatable
        is_unsent = isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout)
        return is_unsent or self._operation.is_repeatable


def _asked_wait_s(outcome: httpx.Response | httpx.TransportError) -> float:
    """Return the seconds that an answer asks for by `Retry-After`; 0: it does not."""
    asked = outcome.headers.get("retry-after", "") if isinstance(outcome, httpx.Response) else ""
    return float(asked) if asked.isdigit() else 0.0


def _waits(policy: RetryPolicy) -> Iterator[float]:
    """Return the waits between attempts, each drawn from the upper half of its range."""
    for attempt in range(policy.attempts_max - 1):
        longest = min(policy.wait_max_s, policy.first_wait_s * 2**attempt)
        yield random.uniform(longest / 2, longest)  # noqa: S311 - no secret


class _Sending:
    """The settings that both clients share."""

    def __init__(self, url: str, key: str, *, timeout_s: float, retries: RetryPolicy) -> None:
        self._retries = retries
        self._settings = {
            "base_url": url.rstrip("/"),
            "headers": {"authorization": f"Bearer {key}", "accept": "application/json"},
            "timeout": timeout_s,
        }


def _request(http: httpx.Client | httpx.AsyncClient, operation: ApiOperation[T]) -> httpx.Request:
    headers = dict(operation.headers)
    if operation.body is not None:
        headers["content-type"] = "application/json"
    return http.build_request(
        operation.method, operation.path, content=operation.body, headers=headers
    )


class Client(_Sending):
    """Sends operations and waits for their answers. Use it as a context manager; thread-safe."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_s: float = 2.0,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(url, key, timeout_s=timeout_s, retries=retries)
        self._http = httpx.Client(**self._settings)  # type: ignore[arg-type]

    def send(self, operation: ApiOperation[T]) -> T:
        """Return the answer to an operation.

        Raises:
            ApiProblem: the service refused it.
            NotAnswered: no answer came.
        """
        attempts = _Attempts(operation, self._retries)
        while True:
            try:
                answer = self._http.send(_request(self._http, operation))
            except httpx.TransportError as error:
                wait_s = attempts.wait_after(error)
            else:
                if answer.is_success:
                    return operation.read(answer.content)
                wait_s = attempts.wait_after(answer)
            time.sleep(wait_s)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncClient(_Sending):
    """Sends operations in an event loop. Use it as an asynchronous context manager."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_s: float = 2.0,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(url, key, timeout_s=timeout_s, retries=retries)
        self._http = httpx.AsyncClient(**self._settings)  # type: ignore[arg-type]

    async def send(self, operation: ApiOperation[T]) -> T:
        """Return the answer to an operation. Raises as `Client.send`."""
        attempts = _Attempts(operation, self._retries)
        while True:
            try:
                answer = await self._http.send(_request(self._http, operation))
            except httpx.TransportError as error:
                wait_s = attempts.wait_after(error)
            else:
                if answer.is_success:
                    return operation.read(answer.content)
                wait_s = attempts.wait_after(answer)
            await asyncio.sleep(wait_s)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()
