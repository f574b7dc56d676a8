"""Benchmarks: figures with their origin, wrong answers found, children ended."""

import signal
import sys
from datetime import UTC, date, datetime

import msgspec
import pytest

from loadtest.answers import WrongAnswersError
from loadtest.bench_import import PeakMemory
from loadtest.children import ChildError, finished, free_port, listens, started
from loadtest.closed_load import FailedRoundError
from loadtest.crowd import ListForm
from loadtest.figures import Figures
from loadtest.generator import LoadReport
from loadtest.origin import Origin, cpu_model
from loadtest.population import Population
from loadtest.questions import check_request, innocents, named, verify
from loadtest.service import service_environment
from tests.unit.loadtest.answering import answering

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
TODAY = date(2026, 11, 23)
POPULATION = Population(1, 200, today=TODAY)
WAITER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]


def round_of(per_second: float, **changes: object) -> LoadReport:
    figures = {
        "answers": int(per_second),
        "seconds": 1.0,
        "per_second": per_second,
        "statuses": {200: 10},
        "lost_connections": 0,
        "p50_ms": per_second / 10,
        "p90_ms": 2.0,
        "p99_ms": per_second,
        "max_ms": per_second,
    }
    return msgspec.convert({**figures, **changes}, LoadReport)


def oracle(decide):
    return answering(lambda body: (200, msgspec.json.encode({"decision": decide(body)})))


def test_a_service_that_says_what_the_list_says_is_verified():
    truths = {
        check_request(one, "k").partition(b"\r\n\r\n")[2]: one.expected(TODAY)
        for one in POPULATION.crowd(200, 0.5, form=ListForm.ZXGK)
    }
    with oracle(truths.__getitem__) as port:
        verify(POPULATION, port, "k", TODAY)


def test_a_service_that_allows_everybody_is_no_service_to_time():
    with oracle(lambda _: "allow") as port, pytest.raises(WrongAnswersError) as caught:
        verify(POPULATION, port, "k", TODAY)
    assert "allow instead of deny" in str(caught.value)


def test_a_named_check_is_about_the_same_document():
    subjects = innocents(POPULATION, 20)
    for plain, with_name in zip(subjects, named(subjects), strict=True):
        assert plain.document == with_name.document
        assert plain.name is None
        assert with_name.name == plain.holder.name


def test_the_service_is_measured_on_its_own_servers():
    named = {"REDIS_URL": "a", "DATABASE_URL": "b", "CHECKER_DATA_DIR": "c", "PATH": "d"}
    assert service_environment(named) == {"PATH": "d"}


def test_figures_are_the_medians_of_the_rounds():
    figures = Figures.of([round_of(10.0), round_of(30.0), round_of(20.0)])
    assert (figures.per_second, figures.p50_ms, figures.p99_ms) == (20.0, 2.0, 20.0)
    assert figures.rounds_per_second == (10.0, 30.0, 20.0)


@pytest.mark.parametrize("fault", [{"statuses": {200: 9, 503: 1}}, {"lost_connections": 1}])
def test_a_round_with_a_failure_gives_no_figures(fault):
    with pytest.raises(FailedRoundError, match="a round with"):
        Figures.of([round_of(10.0), round_of(10.0, **fault)])


def test_this_machine_can_be_described():
    here = Origin.here(NOW)
    assert here.cores >= 1
    assert here.commit


def test_a_processor_without_a_name_reads_unknown():
    assert cpu_model("processor : 0\nmodel name\t: Some CPU @ 2 GHz\n") == "Some CPU @ 2 GHz"
    assert cpu_model("") == "unknown"


def test_a_child_is_ended_though_the_block_fails(tmp_path):
    log = tmp_path / "log"
    children = []

    def fail_beside_a_child():
        with started(WAITER, log) as child:
            children.append(child)
            child.wait_until(lambda: b"up" in log.read_bytes(), what="up", seconds=20)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_beside_a_child()
    assert children[0].process.returncode == -signal.SIGTERM


def test_a_child_that_ends_too_soon_is_told_with_its_log(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no port')"]
    with (
        pytest.raises(ChildError, match="no port"),
        started(command, tmp_path / "log") as child,
    ):
        child.wait_until(lambda: False, what="ready", seconds=20)


def test_a_child_that_is_not_ready_in_time_is_told(tmp_path):
    with (
        pytest.raises(ChildError, match="not ready within"),
        started(WAITER, tmp_path / "log") as child,
    ):
        child.wait_until(lambda: False, what="ready", seconds=0.0)


def test_a_command_that_fails_is_told():
    assert finished([sys.executable, "-c", "print(1)"], seconds=20) == "1\n"
    with pytest.raises(ChildError, match="no such list"):
        finished([sys.executable, "-c", "raise SystemExit('no such list')"], seconds=20)


def test_nobody_listens_on_a_free_port():
    assert not listens(free_port())


def test_peak_memory_outlives_what_was_freed(tmp_path):
    hungry = "import signal; b = bytearray(b'x' * 90_000_000); del b; print('up', flush=True)"
    log = tmp_path / "log"
    with started([sys.executable, "-c", f"{hungry}; signal.pause()"], log) as child:
        child.wait_until(lambda: b"up" in log.read_bytes(), what="up", seconds=20)
        memory = PeakMemory(child.process.pid)
        memory.look()
    assert memory.kib > 80_000
    before = memory.kib
    memory.look()
    assert memory.kib == before
