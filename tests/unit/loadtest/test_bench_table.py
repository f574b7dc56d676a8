"""The table of `make bench`: its rows and goals, its page, its chart, and the servers' turns."""

from datetime import date, timedelta
from xml.etree import ElementTree

import msgspec
import pytest

from loadtest.chart import chart_sides, write_chart
from loadtest.closed_load import LoadRound
from loadtest.rows.row import Row, RowPlan, RowSide, RowUnit, Spread, against, in_rounds, ratios
from loadtest.table import (
    DOCS,
    PAGE,
    TableReport,
    keep_table,
    kept_tables,
    newest_rows,
    table_markdown,
    table_text,
    write_between_markers,
)
from tests.unit.loadtest.known_origin import ORIGIN

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
PLAN = RowPlan(
    seed=1,
    listings=10,
    rounds=3,
    round_seconds=2.0,
    connections=16,
    before=None,
    today=date(2026, 11, 23),
)


def rounds(*per_second: int) -> list[LoadRound]:
    return [LoadRound(answers=each, seconds=1.0, p50_ms=0.5, p99_ms=1.5) for each in per_second]


FASTAPI = against(
    "innocent, against FastAPI + Redis GET",
    ("checker", rounds(9000, 8000, 10_000)),
    ("FastAPI + Redis GET", rounds(1000, 1000, 2000)),
    at_least=9.0,
)
NGINX = against(
    "innocent, against nginx", ("checker", rounds(9000)), ("nginx", rounds(10_000)), at_least=1.1
)
NO_NGINX = Row(title=NGINX.title, lacks="the Debian packages nginx-light")
CHANGE = Row(
    title="p99 of a change",
    unit=RowUnit.MILLISECONDS,
    value=Spread(median=20.0, low=18.0, high=22.0),
    at_most=25.0,
)


def report(*rows: Row, days: int = 0, commit: str = "abc") -> TableReport:
    at = ORIGIN.measured_at + timedelta(days=days)
    return TableReport(
        origin=msgspec.structs.replace(ORIGIN, measured_at=at, commit=commit),
        generator="wrk",
        listings=20_000,
        connections=16,
        rounds=3,
        round_seconds=2.0,
        rows=rows,
    )


def test_a_ratio_is_of_the_medians_and_its_spread_of_rounds_in_turn():
    assert ratios(rounds(9000, 8000, 10_000), rounds(1000, 1000, 2000)) == Spread(
        median=9.0, low=5.0, high=9.0
    )


def test_servers_take_turns_in_each_round():
    sent: list[tuple[str, float]] = []

    def server(name: str):
        def send(seconds: float) -> LoadRound:
            sent.append((name, seconds))
            return rounds(1)[0]

        return send

    ours, theirs = in_rounds(PLAN, [server("ours"), server("theirs")])

    assert sent == [("ours", 1.0), ("theirs", 1.0), *[("ours", 2.0), ("theirs", 2.0)] * 3]
    assert len(ours) == len(theirs) == 3


def test_a_goal_is_met_missed_or_not_there():
    assert FASTAPI.is_met
    assert NGINX.is_met is False
    assert CHANGE.is_met
    assert NO_NGINX.is_met is None


def test_the_text_has_values_spreads_goals_and_both_servers():
    text = table_text(report(FASTAPI, NGINX, CHANGE))

    assert "a CPU, 2 cores" in text
    assert "FastAPI + Redis GET: 9 (5 to 9), goal ≥ 9: met" in text
    assert "nginx: 0.9, goal ≥ 1.1: missed" in text
    assert "p99 of a change: 20 (18 to 22) ms, goal ≤ 25: met" in text
    assert "checker: 9 000 (8 000 to 10 000)/s, p50 0.50 ms, p99 1.50 ms" in text


def test_a_row_that_was_not_measured_says_what_is_missing():
    assert "because the Debian packages nginx-light is missing" in table_text(report(NO_NGINX))
    assert "| not measured: the Debian packages nginx-light is missing |" in table_markdown(
        [report(NO_NGINX)]
    )


def test_the_page_shows_each_row_by_its_newest_measurement():
    old, new = report(FASTAPI, NGINX, commit="old"), report(NO_NGINX, CHANGE, days=1, commit="new")

    found = {dated.row.title: dated.origin.commit for dated in newest_rows([old, new])}

    assert found == {CHANGE.title: "new", NGINX.title: "old", FASTAPI.title: "old"}
    lines = table_markdown([old, new]).splitlines()
    assert any("**0.9**" in line and "**missed**" in line and "`old`" in line for line in lines)


def test_a_kept_table_reads_back_as_it_was(tmp_path):
    later, sooner = report(CHANGE, days=1), report(FASTAPI)
    keep_table(later, tmp_path)
    keep_table(sooner, tmp_path)

    assert kept_tables(tmp_path) == [sooner, later]


def test_only_the_text_between_the_markers_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_between_markers(page, "bench", "new")

    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


@pytest.mark.parametrize("content", ["", f"{BEGIN} {BEGIN}", f"{END} {BEGIN}"])
def test_a_page_without_both_markers_is_left_as_it_is(tmp_path, content):
    page = tmp_path / "page.md"
    page.write_text(content, encoding="utf-8")

    with pytest.raises(ValueError, match="markers"):
        write_between_markers(page, "bench", "new")
    assert page.read_text(encoding="utf-8") == content


def test_the_chart_has_our_worker_first_and_then_the_fastest():
    sides = chart_sides(newest_rows([report(FASTAPI, NGINX, CHANGE)]))

    assert [side.name for side in sides] == ["checker", "nginx", "FastAPI + Redis GET"]
    assert chart_sides(newest_rows([report(CHANGE)])) == []


def test_the_chart_is_an_svg_with_colours_for_light_and_dark_and_no_script(tmp_path):
    file = tmp_path / "chart.svg"
    write_chart(newest_rows([report(FASTAPI, NGINX)]), file)

    text = file.read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in text
    assert "<script" not in text
    assert "9 000" in text


def test_a_side_has_the_medians_of_its_rounds():
    side = RowSide.of("checker", rounds(1, 3, 2))

    assert side.per_second == Spread(median=2.0, low=1.0, high=3.0)
    assert (side.p50_ms, side.p99_ms) == (0.5, 1.5)


def test_the_page_of_performance_has_the_markers_of_both_tables(tmp_path):
    page = tmp_path / PAGE
    page.write_text((DOCS / PAGE).read_text(encoding="utf-8"), encoding="utf-8")

    for name in ("bench", "where"):
        write_between_markers(page, name, f"the table {name}")

    text = page.read_text(encoding="utf-8")
    assert "the table bench" in text
    assert "the table where" in text
