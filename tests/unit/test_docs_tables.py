"""The tables of docs/ name what the program has: exit codes, problems, metrics and settings."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from checker.api.problems import ALL_KINDS, PRECONDITION_STATUS
from checker.cli.endings import EndingCode, ExitCode
from checker.config import Config, load_config
from checker.domain.settings import Settings

ROOT = Path(__file__).parents[2]
TABLES = (
    "policy",
    "list",
    "decisions",
    "retention",
    "receipts",
    "fishing",
    "notices",
    "redis",
    "postgresql",
    "server",
)
METRIC = re.compile(r'\b(Counter|Gauge|Histogram)\(\s*"(checker_\w+)"')
VARIABLE = re.compile(r'"((?:CHECKER|OTEL)_[A-Z_]+|DATABASE_(?:POOLER_)?URL|REDIS_URL)"')


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def section(name: str, title: str) -> str:
    return page(name).partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all rows of the tables in a text, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not set(row[0]) <= {"-"}]


def sources() -> list[str]:
    files = [*(ROOT / "checker").rglob("*.py"), *(ROOT / "cache").rglob("*.py")]
    return [file.read_text(encoding="utf-8") for file in files]


def words(text: str) -> list[str]:
    return re.findall(r"`([^`{]*)[^`]*`", text)


def test_the_exit_codes_of_the_page_are_those_of_the_commands() -> None:
    shown = {
        int(code)
        for row in rows(section("problems.md", "Exit codes"))[1:]
        for code in numbers(row[1])
    }
    assert shown == {int(code) for code in ExitCode}


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def test_the_codes_of_errors_on_the_command_line_are_in_the_page() -> None:
    shown = set(words(section("problems.md", "Errors as JSON")))
    assert {code.value for code in EndingCode} <= shown


def test_the_problems_of_the_page_are_those_of_the_service() -> None:
    shown = {
        (row[0].strip("`"), int(row[1])) for row in rows(section("problems.md", "Problems"))[1:]
    }
    kinds = {(kind.code, kind.status) for kind in ALL_KINDS}
    assert shown == kinds | {("conflict", PRECONDITION_STATUS)}


def test_the_metrics_of_the_page_are_those_of_the_service() -> None:
    shown = {
        name for row in rows(page("metrics.md"))[1:] for name in re.findall(r"checker_\w+", row[0])
    }
    made = {
        f"{name}_total" if kind == "Counter" else name
        for source in sources()
        for kind, name in METRIC.findall(source)
    }
    assert shown == made


def test_the_variables_of_the_page_are_those_of_the_service() -> None:
    shown = {
        name for row in rows(section("settings.md", "Environment"))[1:] for name in words(row[0])
    }
    assert shown == {name for source in sources() for name in VARIABLE.findall(source)}


def test_the_config_file_of_the_page_has_every_setting_with_its_default(tmp_path: Path) -> None:
    [block] = re.findall(r"```toml\n(.*?)```", page("settings.md"), re.DOTALL)
    shown = tomllib.loads(block)
    config = load_config({}, data_dir=tmp_path)
    assert {name: shown[name] for name in TABLES} == defaults(config)
    assert set(shown["log"]) == set(config.log.__struct_fields__)
    of_places = {key for place in shown["jurisdiction"].values() for key in place}
    assert of_places == set(Settings.__struct_fields__)
    assert set(shown) == {*TABLES, "log", "jurisdiction"}


def defaults(config: Config) -> dict[str, Any]:
    settings = {name: getattr(config, name) for name in TABLES}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
    return plain
