"""The closed form of the scale, the sources of its figures, and its page."""

from pathlib import Path

import msgspec
import pytest

from loadtest.scale.capacity import Rates, bounds_of, lay_out, wait_of
from loadtest.scale.day import ScaleFailure
from loadtest.scale.inputs import ASSUMED, Assumptions, load_measured, values_of
from loadtest.scale.page import PAGE, sections
from loadtest.scale.registers import REGISTERS
from loadtest.table import DOCS

DEFAULTS = Assumptions()
FIGURES = load_measured()
MEASURED = values_of(FIGURES)
REPORT = '{"origin": {"commit": "abc"}, "speed": {"p50": 4.0}, "count": 2}'


@pytest.fixture(name="measured_file")
def _measured_file(tmp_path: Path) -> Path:
    (tmp_path / "one.json").write_text(REPORT, encoding="utf-8")
    return tmp_path / "measured.toml"


def figure(file: Path, text: str) -> None:
    head = '[reports]\none = "one.json"\n[figure.x]\nmeans = "a figure"\nunit = "ms"\n'
    file.write_text(head + text, encoding="utf-8")


def test_each_measured_figure_has_a_source_and_a_commit() -> None:
    assert all(each.source and each.commit != "unknown" for each in FIGURES.values())
    assert all(each.value >= 0 for each in FIGURES.values())


def test_a_figure_is_read_from_its_report(measured_file: Path) -> None:
    figure(measured_file, 'report = "one"\nfield = "speed.p50"\nper = "count"\ntimes = 10.0')
    [read] = load_measured(measured_file, measured_file.parent).values()
    assert (read.value, read.commit) == (20.0, "abc")
    assert read.source == "`one.json`: `speed.p50`"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "value = 1.0",
        'value = 1.0\nsource = "a page"',
        'value = 1.0\ncommit = "abc"',
        'report = "one"',
        'report = "two"\nfield = "speed.p50"',
        'report = "one"\nfield = "speed.p99"',
        'report = "one"\nfield = "speed"',
        'report = "one"\nfield = "speed.p50"\nvalue = 1.0',
        'value = 1.0\nsource = "a page"\ncommit = "abc"\nguessed = true',
    ],
)
def test_a_figure_without_its_source_is_refused(measured_file: Path, text: str) -> None:
    figure(measured_file, text)
    with pytest.raises(ValueError, match=r"x|guessed"):
        load_measured(measured_file, measured_file.parent)


def test_the_page_has_the_tables_of_the_command() -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    for name, text in sections(FIGURES, DEFAULTS).items():
        assert f"<!-- {name}:begin -->\n{text}\n<!-- {name}:end -->" in page, (
            f"run `python -m loadtest.scale --write`: {name} has changed"
        )


def test_each_assumption_has_its_words() -> None:
    assert set(ASSUMED) == set(Assumptions.__struct_fields__)


def test_each_failure_is_in_the_page() -> None:
    table = sections(FIGURES, DEFAULTS)["scale-failures"]
    assert all(table.count(f"| {failure} |") == len(REGISTERS) for failure in ScaleFailure)


@pytest.mark.parametrize("register", REGISTERS, ids=lambda each: each.name)
def test_a_layout_bears_the_peak_with_a_machine_lost(register) -> None:
    layout = lay_out(register, MEASURED, DEFAULTS)
    left = layout.workers - DEFAULTS.cores_per_machine
    assert wait_of(Rates.at_peak(register), left, MEASURED).busy <= DEFAULTS.utilisation_max


@pytest.mark.parametrize("register", REGISTERS, ids=lambda each: each.name)
def test_more_workers_wait_less(register) -> None:
    rates = Rates.at_peak(register)
    waits = [wait_of(rates, workers, MEASURED).p99_ms for workers in range(1, 200)]
    assert waits == sorted(waits, reverse=True)


def test_a_worker_that_is_always_busy_waits_for_ever() -> None:
    rates = Rates(innocent=1e9, adverse=0, spending=0)
    assert wait_of(rates, 1, MEASURED).mean_ms == float("inf")


def test_the_wait_is_that_of_a_queue_with_one_server() -> None:
    """M/D/1 at a half: the mean wait is half a service."""
    costs = dict.fromkeys(MEASURED, 0.0) | {"innocent_worker_us": 1000.0}
    wait = wait_of(Rates(innocent=500, adverse=0, spending=0), 1, costs)
    assert wait.busy == pytest.approx(0.5)
    assert wait.mean_ms == pytest.approx(0.5)


@pytest.mark.parametrize("register", REGISTERS, ids=lambda each: each.name)
def test_the_first_bound_has_the_least_headroom(register) -> None:
    layout = lay_out(register, MEASURED, DEFAULTS)
    bounds = bounds_of(register, layout, MEASURED, DEFAULTS)
    assert [bound.headroom for bound in bounds] == sorted(bound.headroom for bound in bounds)


def test_dearer_cores_make_dearer_checks() -> None:
    dear = msgspec.structs.replace(DEFAULTS, core_month_yuan=2 * DEFAULTS.core_month_yuan)
    for register in REGISTERS:
        usual = lay_out(register, MEASURED, DEFAULTS).million_checks_yuan
        assert lay_out(register, MEASURED, dear).million_checks_yuan > usual


def test_the_checks_of_a_day_follow_its_hours() -> None:
    for register in REGISTERS:
        usual = msgspec.structs.replace(register, rush=None)
        total = sum(usual.checks_at(minute) * 60 for minute in range(1440))
        assert total == pytest.approx(usual.checks_a_day)
        assert usual.checks_of_the_year == pytest.approx(usual.checks_a_day * 365)
