"""The large benchmark's pure parts: memory and metrics read, reports told."""

import os

import msgspec
import pytest

from loadtest.bench_report import (
    ChangesReport,
    LargeReport,
    Report,
    describe,
    keep,
)
from loadtest.figures import Figures
from loadtest.memory import Memory, children_of, memory_of, read_memory
from loadtest.paced import Latencies
from loadtest.workers import replica_versions
from tests.unit.loadtest.known_origin import ORIGIN

STATUS = "Name:\tpython\nVmPeak:\t  999999 kB\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n"
ROLLUP = "55d0-7ffc ---p 0 00:00 0 [rollup]\nRss: 102400 kB\nPss:  51200 kB\nPss_Anon: 1 kB\n"


def memory(rss_mib: float) -> Memory:
    return Memory(rss_mib=rss_mib, pss_mib=rss_mib - 20, peak_rss_mib=rss_mib + 20)


def latencies(p99_ms: float) -> Latencies:
    return Latencies(count=1000, p50_ms=1.0, p99_ms=p99_ms, max_ms=p99_ms + 1)


def figures(per_second: float) -> Figures:
    return Figures(
        per_second=per_second, p50_ms=1.0, p99_ms=2.0, rounds_per_second=(per_second,) * 3
    )


LARGE = LargeReport(
    origin=ORIGIN,
    persons=1000,
    small_listings=10,
    tokens=1011,
    fill_seconds=1.0,
    redis_bytes_per_token=31.84,
    redis_peak_mib=62.0,
    filter_mib=1.9,
    worker_before=memory(121.0),
    worker_after=memory(124.0),
    worker_in_the_end=memory(125.5),
    publisher_peak_mib=123.0,
    first_build_seconds=2.0,
    rebuild_seconds=3.0,
    checks_per_second=500.0,
    before=latencies(2.0),
    during=latencies(2.5),
    connections=16,
    round_seconds=3.0,
    large=figures(970.0),
    small=figures(1000.0),
    probes=1_000_000,
    false_positive_rate=0.00088,
    expected_false_positive_rate=0.00080,
)
CHANGES = ChangesReport(
    origin=ORIGIN,
    listings=100,
    servers=2,
    workers=2,
    rate=100.0,
    seconds=30.0,
    connections=16,
    verified_answers=3000,
    listed=latencies(20.0),
    delisted=latencies(30.0),
    all=latencies(25.0),
    cold=latencies(300.0),
)


def test_memory_is_read_as_the_kernel_writes_it():
    assert read_memory(STATUS, ROLLUP) == Memory(rss_mib=100, pss_mib=50, peak_rss_mib=200)


def test_memory_that_the_kernel_does_not_tell_is_no_zero():
    with pytest.raises(ValueError, match="VmRSS"):
        read_memory("Name:\tpython\n", ROLLUP)


def test_a_process_of_this_machine_has_memory_and_children():
    assert 0 < memory_of(os.getpid()).pss_mib <= memory_of(os.getpid()).rss_mib
    assert os.getpid() in children_of(os.getppid())


def test_workers_are_found_by_what_the_metrics_say_of_their_replicas():
    metrics = (
        "# HELP checker_replica_version Version of the list that the worker's replica holds.\n"
        'checker_replica_version{pid="41"} 7.0\n'
        'checker_replica_version{pid="42"} 1.0e+01\n'
        'checker_replica_lease{pid="43"} 1.0\n'
    )

    assert replica_versions(metrics) == {41: 7, 42: 10}


def test_metrics_without_a_replica_are_no_reason_to_wait():
    with pytest.raises(ValueError, match="no replica"):
        replica_versions("checker_list_version 1.0\n")


def test_a_large_report_tells_what_it_is_measured_for():
    text = describe(LARGE)

    assert "31.8 bytes each" in text
    assert "+4.5 MiB" in text
    assert "rebuild   3.0 s" in text
    assert "1.25 of the p99 before" in text
    assert "ratio     0.970" in text
    assert "1.100" in text


def test_a_report_of_changes_tells_listings_and_delistings_apart():
    text = describe(CHANGES)

    assert "p99 20.00 ms" in text.splitlines()[2]
    assert "p99 30.00 ms" in text.splitlines()[3]
    assert "p99 25.00 ms" in text.splitlines()[4]


@pytest.mark.parametrize("report", [LARGE, CHANGES], ids=["large", "changes"])
def test_the_new_reports_read_back_as_they_were(report, tmp_path):
    path = keep(report, tmp_path / "reports")

    assert msgspec.json.decode(path.read_bytes(), type=Report) == report
