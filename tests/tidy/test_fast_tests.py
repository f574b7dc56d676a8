"""`make test-fast` runs unit, property and tidy tests, and none of them starts a server."""

import re
import subprocess
import sys

import pytest

from tests.support.fast_tests import FOLDERS, ServerStarted
from tests.tidy.source_tree import ROOT, read


@pytest.mark.parametrize(
    "command",
    [
        ["redis-server", "--version"],
        ["/usr/bin/postgres", "--version"],
        ["checker", "serve"],
        [sys.executable, "-m", "checker", "serve"],
        [sys.executable, "-m", "uvicorn"],
        "redis-server --version",
    ],
)
def test_a_fast_test_that_starts_a_server_fails(command):
    with pytest.raises(ServerStarted, match="starts no server"):
        subprocess.run(command, check=False, shell=isinstance(command, str))


def test_a_fast_test_may_start_a_python_of_a_few_lines():
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0


def test_make_test_fast_runs_the_folders_that_are_watched():
    [recipe] = re.findall(r"^test-fast:.*\n((?:\t.*\n)+)", read(ROOT / "Makefile"), re.MULTILINE)

    assert re.findall(r"tests/\w+", recipe) == [*FOLDERS]
