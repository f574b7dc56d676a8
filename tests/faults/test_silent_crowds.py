"""Nobody without a key can shut the door: not by silence, not by a crowd."""

import httpx
import pytest

from tests.faults.faulty_service import RIGHT, outcomes
from tests.faults.silent_crowd import FILING_WITHOUT_BODY, IDLE, crowd, last_words
from tests.support.running_service import RunningService

pytestmark = pytest.mark.xdist_group("faults")

PROMPT_S = 5.0
"""A busy machine may need a second; a shut door never answers."""


def door_is_open(service: RunningService) -> bool:
    """Whether new connections are answered: health, readiness, and checks with a key."""
    for page in ("/healthz", "/readyz"):
        for _ in range(8):
            assert httpx.get(f"{service.url}{page}", timeout=PROMPT_S).status_code == 200
    return outcomes(service, timeout_s=PROMPT_S) == RIGHT


def test_idle_connections_shut_no_door(service: RunningService) -> None:
    with crowd(service, IDLE, answered=True):
        assert door_is_open(service)


def test_filings_that_never_come_shut_no_door_and_are_cut(service: RunningService) -> None:
    with crowd(service, FILING_WITHOUT_BODY, answered=False) as silent:
        assert door_is_open(service)
        ends = [last_words(connection) for connection in silent]
        assert {words[:12] for words in ends} == {b"HTTP/1.1 408", b"HTTP/1.1 503"}
        assert all(b"connection: close" in words.lower() for words in ends)
    assert door_is_open(service)
