"""Closed loads: the same bytes by both generators, and no figure from a round with a failure."""

from pathlib import Path

import pytest

from loadtest.closed_load import ClosedLoad, FailedRoundError, LoadRound, wrk_command, wrk_round
from loadtest.generator import post
from tests.unit.loadtest.answering import answering

REPORT = '{"answers":1000,"seconds":2.0,"failures":0,"p50_ms":0.5,"p99_ms":1.25}'


def load(port: int, *, requests: tuple[bytes, ...] = (post("/", b"{}"),)) -> ClosedLoad:
    return ClosedLoad(port=port, requests=requests, connections=2)


def test_the_last_line_of_wrk_is_its_report():
    measured = wrk_round(f"Running 2s test\n  1000 requests in 2.00s\n{REPORT}\n")

    assert measured == LoadRound(answers=1000, seconds=2.0, p50_ms=0.5, p99_ms=1.25)
    assert measured.per_second == 500.0


@pytest.mark.parametrize("fault", [('"failures":0', '"failures":3'), ("1000", "0")])
def test_a_report_of_wrk_with_a_failure_or_without_an_answer_is_no_figure(fault):
    with pytest.raises(FailedRoundError, match="failures"):
        wrk_round(REPORT.replace(*fault))


def test_wrk_gets_each_request_with_its_size_and_its_bytes():
    with wrk_command("wrk", load(9, requests=(b"one\n", b"second")), 2.0) as command:
        assert Path(command[-1]).read_bytes() == b"4\none\n6\nsecond"
        assert "--duration=2s" in command
        assert command[-2] == "http://127.0.0.1:9"
    assert not Path(command[-1]).exists()


def test_our_own_generator_gives_the_same_kind_of_round():
    with answering(lambda body: (200, body)) as port:
        measured = load(port).send_ourselves(0.2)

    assert measured.answers > 0
    assert 0 < measured.p50_ms <= measured.p99_ms


def test_an_unexpected_status_is_no_figure():
    with answering(lambda _: (503, b"{}")) as port, pytest.raises(FailedRoundError, match="503"):
        load(port).send_ourselves(0.2)
