"""Spans of OpenTelemetry: one for each request, and one within it for the decision.

Attributes follow the semantic conventions for HTTP servers, 1.23 or later. We leave out `url.path`,
although the conventions require it, and `url.query`, `client.address` and `user_agent.original`,
because callers may write anything there. `http.route` is the template of the address. Our own
attributes are:

    checker.account.id, checker.service.type     the caller; the service, unless a batch has several
    checker.checks, checker.outcomes.<outcome>   the number of checks, and of each outcome
    checker.outcome, checker.decision.id         of a single check; the id only of a kept decision
    checker.list.version, checker.registry_checks

A span has the class of an error and not its text. Of the headers for tracing only `traceparent` is
used; `tracestate` and `baggage` hold free text and are dropped.
"""

import asyncio
import logging
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from datetime import datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from checker.api.lane import LANE_PATHS
from checker.checks.checks import Decided, Deciding
from checker.checks.turns import Pace, give_way
from checker.domain.service import type_of
from checker.registry.prepared_check import PreparedCheck

FLUSH_S: Final = 3.0
"""The time a worker at its end waits for a collector; after more, the worker would be killed."""

UNTRACED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Probes and scrapes come every few seconds and would hide all other requests."""

_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
_OTHER_METHOD: Final = "_OTHER"
_TRACEPARENT: Final = b"traceparent"
_UNNAMED: Final = "unknown_service"  # the library's name for a service without a name

_Application = Callable[[Any, Any, Any], Awaitable[None]]

_propagator = TraceContextTextMapPropagator()
_request_task: ContextVar[asyncio.Task[Any] | None] = ContextVar("request task", default=None)
"""The task that answers the current request; None outside of a request."""


class Tracing:
    """Sends the spans of one process to one provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("checker", version("checker"))

    def around(self, checks: Deciding) -> "TracedChecks":
        """Return the same checks, with a span for each decision."""
        return TracedChecks(checks, self._tracer)

    def wrap(self, app: _Application) -> "TracedApplication":
        """Return the application with a span for each request; its end sends the waiting spans."""
        return TracedApplication(app, self._tracer, self.close)

    def close(self) -> None:
        """Send the waiting spans, or give up after `FLUSH_S`."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(FLUSH_S)


def open_tracing() -> Tracing:
    """Return tracing to the endpoint of OpenTelemetry's variables, with span ids on log lines.

    `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER` and the variables of the
    exporter have their usual meaning.
    """
    resource = Resource.create({"service.version": version("checker"), "process.pid": os.getpid()})
    if str(resource.attributes["service.name"]).startswith(_UNNAMED):
        resource = resource.merge(Resource({"service.name": "checker"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    for handler in logging.getLogger().handlers:
        handler.addFilter(name_span)
    return Tracing(provider)


class TracedApplication:
    """An ASGI application, with a span for each of its requests."""

    def __init__(self, app: _Application, tracer: Tracer, close: Callable[[], None]) -> None:
        self._app = app
        self._tracer = tracer
        self._close = close

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, and put the status of the answer into a span."""
        if scope["type"] == "http" and scope["path"] not in UNTRACED:
            await self._trace(scope, receive, send)
            return
        await self._app(scope, receive, send)
        if scope["type"] == "lifespan":
            self._close()

    async def _trace(self, scope: Any, receive: Any, send: Any) -> None:
        method = scope["method"] if scope["method"] in _METHODS else _OTHER_METHOD
        path = scope["path"]

        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                _note_status(span, message["status"])
            await send(message)

        with self._tracer.start_as_current_span(
            "HTTP" if method == _OTHER_METHOD else method,
            context=_context_of(scope["headers"]),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": method,
                "url.scheme": scope["scheme"],
                "network.protocol.version": scope["http_version"],
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            _request_task.set(_running_task())
            try:
                await self._app(scope, receive, noting)
            except BaseException as error:
                _note_error(span, type(error).__name__)
                raise
            finally:
                route = path if _is_in_lane(method, path) else scope.get("path_template")
                if route:
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)


class TracedChecks:
    """Decides checks within a span, and describes the decisions in the span of the request."""

    def __init__(self, checks: Deciding, tracer: Tracer) -> None:
        self._checks = checks
        self._tracer = tracer

    async def decide(
        self,
        checks: Sequence[PreparedCheck],
        *,
        account_id: str | None,
        pace: Pace = give_way,
    ) -> Decided:
        """Return the decisions of these checks; raises as the checks within."""
        request = trace.get_current_span()
        with self._tracer.start_as_current_span(
            "decide", record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                decided = await self._checks.decide(checks, account_id=account_id, pace=pace)
            except BaseException as error:
                _note_error(span, type(error).__name__)
                raise
            span.set_attribute("checker.registry_checks", decided.from_registry)
        if request.is_recording():
            request.set_attributes(_attributes_of(checks, decided, account_id))
        return decided

    def decide_at_once(self, _check: PreparedCheck, _now: datetime) -> None:
        """Decide nothing: a traced check gets a span, which is made in a task."""


def name_span(record: logging.LogRecord) -> bool:
    """Put the ids of the current span on a log line, and return True: every line is kept.

    A task that a request started may work for other requests too, as a group commit does. The lines
    of such a task get no ids.
    """
    context = trace.get_current_span().get_span_context()
    if context.is_valid and _request_task.get() is _running_task():
        record.trace_id = trace.format_trace_id(context.trace_id)
        record.span_id = trace.format_span_id(context.span_id)
    return True


def _attributes_of(
    checks: Sequence[PreparedCheck], decided: Decided, account_id: str | None
) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {
        "checker.checks": len(checks),
        "checker.list.version": decided.list.version,
    }
    if account_id is not None:
        found["checker.account.id"] = account_id
    services = {type_of(check.service).value for check in checks}
    if len(services) == 1:
        found["checker.service.type"] = services.pop()
    counts = Counter(decision.outcome.value for decision in decided.decisions)
    found |= {f"checker.outcomes.{outcome}": count for outcome, count in counts.items()}
    if len(checks) == 1:
        [decision] = decided.decisions
        found["checker.outcome"] = decision.outcome.value
        if decision.reasons:
            found["checker.decision.id"] = decided.ids[0]
    return found


def _running_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # a thread without a loop
        return None


def _context_of(headers: Sequence[tuple[bytes, bytes]]) -> Context:
    """Return the context of the caller's trace, or an empty one."""
    for name, value in headers:
        if name == _TRACEPARENT:
            return _propagator.extract({"traceparent": value.decode("latin-1")}, Context())
    return Context()


def _is_in_lane(method: str, path: str) -> bool:
    """Return whether the lane answers; there the path is its own template."""
    return method == "POST" and path in LANE_PATHS


def _note_status(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _note_error(span, str(status))


def _note_error(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
