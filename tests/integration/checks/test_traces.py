"""Traces of requests hold routes, outcomes and ids, and nothing of the question."""

import logging
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cache.token import Tokenizer
from checker.accounts.keys import AccountRole
from checker.api.spans import Tracing, name_span
from checker.domain.document import Document, DocumentType
from checker.registry.sealing import Sealer
from checker.vault import Vault
from tests.integration.checks.checks_grounds import DEBTOR, INNOCENT, KEY
from tests.integration.checks.doors import Doors, open_doors

pytestmark = pytest.mark.anyio

AIR = {"type": "air", "flight": "CZ3101"}
RAIL = {"type": "rail", "train": "G79", "seat": "second"}
RESORT = {"type": "resort", "venue": "rated_resort"}
NAME = "吴清白"
REFERENCE = "ORDER-OF-SOMEBODY"
CALLERS_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{CALLERS_TRACE}-00f067aa0ba902b7-01"
OUR_ATTRIBUTES = {
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "error.type",
    "url.scheme",
    "network.protocol.version",
    "checker.account.id",
    "checker.service.type",
    "checker.checks",
    "checker.list.version",
    "checker.outcome",
    "checker.decision.id",
    "checker.registry_checks",
    "checker.outcomes.allow",
    "checker.outcomes.deny",
    "checker.outcomes.review",
}


def subject(number: str) -> dict[str, Any]:
    return {"document": {"type": "resident_id", "number": number}, "name": NAME}


async def traced(
    folder: Path, database_url: str, redis_url: str, act: Any
) -> tuple[list[ReadableSpan], Doors]:
    """Collect the spans of an act, without the probes of the test itself."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = Tracing(provider)
    async with open_doors(folder, database_url, redis_url, tracing) as doors:
        exporter.clear()
        await act(doors)
    tracing.close()
    return list(exporter.get_finished_spans()), doors


def keyed(doors: Doors, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {doors.keys[AccountRole.INSTITUTION]}", **more}


async def test_a_request_has_one_span_with_its_route_and_how_it_was_decided(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    ids = []

    async def act(doors: Doors) -> None:
        for number in (DEBTOR, INNOCENT):
            check = {"subject": {"document": subject(number)["document"]}, "service": AIR}
            response = await doors.lane.post(
                "/v1/checks", json=check, headers=keyed(doors, traceparent=TRACEPARENT)
            )
            ids.append(response.json()["id"])
        await doors.lane.get("/v1/decisions/1", headers=keyed(doors))
        await doors.lane.get(f"/{DEBTOR}")
        await doors.lane.get("/healthz")

    spans, _ = await traced(tmp_path, database_url, redis_url, act)
    names = ["decide", "POST /v1/checks"] * 2 + ["GET /v1/decisions/{decision_id}", "GET"]
    assert [span.name for span in spans] == names
    denied, allowed = (dict(spans[place].attributes or {}) for place in (1, 3))
    account_id = denied.pop("checker.account.id")
    assert account_id == allowed.pop("checker.account.id")
    alike = {
        "http.request.method": "POST",
        "http.route": "/v1/checks",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "checker.checks": 1,
        "checker.list.version": 1,
        "checker.service.type": "air",
    }
    assert denied == {
        **alike,
        "checker.outcome": "deny",
        "checker.outcomes.deny": 1,
        "checker.decision.id": ids[0],
    }
    assert allowed == {**alike, "checker.outcome": "allow", "checker.outcomes.allow": 1}
    for inner, outer in ((spans[0], spans[1]), (spans[2], spans[3])):
        assert inner.parent is not None
        assert inner.parent.span_id == outer.context.span_id
        assert f"{outer.context.trace_id:032x}" == CALLERS_TRACE
        assert outer.parent is not None
        assert f"{outer.parent.span_id:016x}" == TRACEPARENT.split("-")[2]
    assert f"{spans[4].context.trace_id:032x}" != CALLERS_TRACE


async def test_nothing_that_was_asked_is_exported(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    marks = [DEBTOR, INNOCENT, NAME, REFERENCE]

    async def act(doors: Doors) -> None:
        headers = keyed(
            doors,
            traceparent=f"{TRACEPARENT}-{DEBTOR}",
            tracestate=f"person={DEBTOR}",
            baggage=f"person={INNOCENT}",
            **{"user-agent": DEBTOR, "x-request-id": INNOCENT},
        )
        good = [
            {"subject": subject(number), "service": RAIL, "reference": REFERENCE}
            for number in (DEBTOR, INNOCENT)
        ]
        bad = {"subject": subject(DEBTOR[:-1]), "service": {"type": DEBTOR}}
        for body in (*good, bad, DEBTOR):
            await doors.lane.post("/v1/checks", json=body, headers=headers)
        await doors.lane.post(f"/v1/checks?person={DEBTOR}", json=good[0], headers=headers)
        for body in ({"checks": [*good, bad]}, {"service": AIR, "subjects": [subject(INNOCENT)]}):
            await doors.lane.post("/v1/checks/batch", json=body, headers=headers)
        await doors.lane.request(DEBTOR, f"/v1/{INNOCENT}?{DEBTOR}", headers=headers)
        sale = {"subject": subject(DEBTOR), "service": {**RESORT, "amount_fen": 1}}
        idempotent = {**headers, "idempotency-key": DEBTOR}
        await doors.lane.post("/v1/spending/authorizations", json=sale, headers=idempotent)

    spans, doors = await traced(tmp_path, database_url, redis_url, act)
    assert len(spans) == 4 + 1 + 2 + 2 + 2 + 1 + 1
    sealer = Sealer(Tokenizer(KEY), Vault(KEY))
    people = [Document(type=DocumentType.RESIDENT_ID, number=each) for each in (DEBTOR, INNOCENT)]
    tokens = [sealer.name_token(NAME), *map(sealer.document_token, people)]
    marks += [*doors.keys.values(), *(token.hex() for token in tokens)]
    told = "".join(span.to_json() for span in spans)
    assert not [mark for mark in marks if mark in told]
    assert not [span.name for span in spans if span.events or span.links]
    assert not [span.name for span in spans if span.context.trace_state]
    assert {key for span in spans for key in span.attributes or {}} <= OUR_ATTRIBUTES


async def test_a_line_of_the_log_names_the_span_of_its_request_alone(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    lines: list[logging.LogRecord] = []
    seen = logging.Handler(logging.INFO)
    seen.addFilter(name_span)
    seen.emit = lines.append  # type: ignore[method-assign]
    log = logging.getLogger("checker.audit.decisions")

    async def act(doors: Doors) -> None:
        check = {"subject": {"document": subject(DEBTOR)["document"]}, "service": AIR}
        headers = keyed(doors, traceparent=TRACEPARENT)
        await doors.lane.post("/v1/checks", json=check, headers=headers)
        # The orders of many are carried out together, in a task that the first of them began.
        sale = {"subject": check["subject"], "service": {**RESORT, "amount_fen": 1}}
        idempotent = {**headers, "idempotency-key": "sale"}
        await doors.lane.post("/v1/spending/authorizations", json=sale, headers=idempotent)

    log.addHandler(seen)
    log.setLevel(logging.INFO)
    try:
        await traced(tmp_path, database_url, redis_url, act)
    finally:
        log.setLevel(logging.NOTSET)
        log.removeHandler(seen)
    assert [getattr(line, "trace_id", None) for line in lines] == [CALLERS_TRACE, None]
