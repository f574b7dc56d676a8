"""Arrivals at a rate that does not wait for answers, and no figure after a failure."""

import threading

import pytest

from loadtest.closed_load import FailedRoundError
from loadtest.generator import post
from loadtest.open_arrivals import OpenArrivals, arrive
from tests.unit.loadtest.answering import answering


def arrivals(port: int, *, per_second: float = 200.0, connections: int = 8) -> OpenArrivals:
    return OpenArrivals(
        port=port,
        requests=[post("/", b"{}")],
        per_second=per_second,
        connections=connections,
        seed=1,
    )


def test_questions_come_at_the_rate_and_all_are_answered():
    with answering(lambda body: (200, body)) as port:
        measured = arrive(arrivals(port), 1.0)

    # A Poisson process of 200: fourteen are one standard deviation.
    assert 200 - 5 * 14 < measured.answers < 200 + 5 * 14
    assert 0 < measured.p50_ms <= measured.p99_ms


def test_the_wait_for_a_free_connection_is_part_of_the_latency():
    begun, released = threading.Semaphore(0), threading.Event()

    def hold_the_first(body: bytes) -> tuple[int, bytes]:
        begun.release()
        released.wait(5)
        return 200, body

    with answering(hold_the_first) as port:
        timer = threading.Timer(0.3, released.set)
        timer.start()
        measured = arrive(arrivals(port, connections=1), 0.5)
        timer.join()

    # Questions that were due at once waited for the one connection until it was released.
    assert measured.p99_ms > 100


def test_a_refusal_is_no_figure():
    with answering(lambda _: (503, b"{}")) as port, pytest.raises(FailedRoundError, match="503"):
        arrive(arrivals(port), 0.2)


def test_a_time_without_an_arrival_is_no_figure():
    with answering(lambda body: (200, body)) as port:
        seldom = arrivals(port, per_second=0.000001)
        with pytest.raises(FailedRoundError, match="no answer"):
            # The first question is due at the start, and is the only one.
            arrive(seldom, 0.0)
