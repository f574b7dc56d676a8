"""The verdict of a soak: a leak is seen, and noise is none."""

import os
import subprocess
import sys
from math import pi, sin
from random import Random

import pytest

from loadtest.bench_report import describe, keep
from loadtest.process_samples import OTHERS, ProcessSample, sample, working_in
from loadtest.soak_report import SoakGroup, SoakReport
from loadtest.trend import BLOCKS, Trend
from tests.unit.loadtest.known_origin import ORIGIN

SECONDS = [10.0 * place for place in range(270)]
SAWTOOTH_S = 300.0


def noisy(seed, per_hour):
    rng = Random(seed)
    return [
        90 + per_hour * second / 3600 + 2 * sin(2 * pi * second / SAWTOOTH_S) + rng.gauss(0, 1)
        for second in SECONDS
    ]


def test_a_figure_that_only_goes_up_and_down_is_flat(seed):
    assert Trend.of(SECONDS, noisy(seed, 0)).is_flat


def test_a_leak_of_five_in_an_hour_is_seen_through_the_noise(seed):
    leaking = Trend.of(SECONDS, noisy(seed, 5))

    assert not leaking.is_flat
    assert leaking.per_hour == pytest.approx(5, abs=3)


def test_a_figure_that_shrinks_is_flat(seed):
    assert Trend.of(SECONDS, noisy(seed, -20)).is_flat


def test_a_constant_figure_is_flat_and_has_no_error():
    constant = Trend.of(SECONDS, [40.0] * len(SECONDS))

    assert constant.is_flat
    assert constant.error_per_hour == pytest.approx(0, abs=1e-6)


def test_too_few_samples_have_no_trend():
    with pytest.raises(ValueError, match=f"needs {BLOCKS} samples"):
        Trend.of(SECONDS[: BLOCKS - 1], SECONDS[: BLOCKS - 1])


def test_processes_are_summed_by_groups_and_workers_have_their_own(tmp_path):
    waits = [sys.executable, "-c", "input()"]
    with (
        subprocess.Popen(waits, stdin=subprocess.PIPE) as worker,
        subprocess.Popen(waits, stdin=subprocess.PIPE, cwd=tmp_path) as other,
    ):
        beside = [*working_in(tmp_path)]
        found = dict(sample(os.getpid(), {worker.pid}, tmp_path, 7.0))
        for process in (worker, other):
            process.communicate(b"\n")

    assert beside == [other.pid]
    assert found["worker 1"].processes == 1
    assert found["worker 1"].seconds == 7.0
    assert found[OTHERS].processes >= 2
    assert found[OTHERS].handles > 0
    assert found[OTHERS].pss_mib > 0


def test_the_report_names_a_group_that_grows(tmp_path):
    grows = Trend(mean=90.0, per_hour=5.0, error_per_hour=0.5)
    flat = Trend(mean=40.0, per_hour=0.0, error_per_hour=0.0)
    taken = ProcessSample(seconds=0.0, pss_mib=90.0, handles=40, processes=1)
    report = SoakReport(
        origin=ORIGIN,
        workers=2,
        users=12,
        seconds=3600.0,
        warm_up_seconds=900.0,
        requests=360_000,
        failures=0,
        p50_ms=3.0,
        p99_ms=80.0,
        rebuilds=11,
        changes=5_000,
        decisions=4_000,
        errors_logged=0,
        groups=(SoakGroup(name="worker 1", memory=grows, handles=flat, samples=(taken,)),),
        faults=("worker 1 grows",),
    )
    text = describe(report)

    assert "360000 requests (100 a second), 0 failed" in text
    assert "+5.00 ± 0.50 an hour: GROWS" in text
    assert "handles, +0.00 ± 0.00 an hour: flat" in text
    assert text.endswith("FAILED    worker 1 grows")
    assert keep(report, tmp_path).name.endswith("-soak.json")
