"""A command imports only the libraries that it needs, so that it starts at once."""

import subprocess
import sys

import pytest

from checker.cli.main import COMMANDS, SUMMARIES, main

SERVICE = ("sqlalchemy", "redis", "httpx", "asyncio", "uvloop")
# redis-py imports OpenTelemetry's metrics where they are installed; the service does not use them.
SERVER = ("litestar", "uvicorn", "alembic", "opentelemetry.sdk.trace", "opentelemetry.exporter")
SCRIPT = """
import sys
from checker.cli.main import main
main(sys.argv[1:], standalone_mode=False)
print("imported:", *sys.modules)
"""


def imported_by(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("imported:")[2].split())


def test_the_list_of_commands_is_shown_without_the_service():
    imported = imported_by("--help")
    assert not imported & {*SERVICE, *SERVER, "opentelemetry"}
    assert not {module for module in imported if module.startswith("checker.node")}


def test_a_check_needs_no_http_server_no_migrations_and_no_traces():
    assert not imported_by("check", "--help") & {*SERVER}


def test_a_batch_imports_the_reader_of_workbooks_only_when_it_reads_one():
    assert not imported_by("batch", "--help") & {*SERVER, "python_calamine", "openpyxl"}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_line_that_fits_on_a_terminal(name):
    assert len(f"  {name:<14}  {SUMMARIES[name]}") <= 80
    assert SUMMARIES[name].endswith(".")


def test_no_line_is_left_of_a_command_that_is_gone():
    assert SUMMARIES.keys() == COMMANDS.keys()
    assert all(main.get_command(None, name).name == name for name in COMMANDS)
