"""Every shell block of the README and of docs/ runs against the demo, and answers as it says.

A comment `# → 409 cap-exceeded` in a block is the status and the word of one curl's answer, in the
order of the calls.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.private_folder import private_folder
from tests.support.running_service import (
    CHECKER,
    RunningService,
    printed_keys,
    running_service,
)

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"# → (\d{3})(?: ([\w-]+))?$", re.MULTILINE)
DEMO_URL = "http://127.0.0.1:8000"
# README's first block starts a service and runs the tests, as CI does.
STARTS = "make run"
# These pages end the listing that others ask about, so each has a demo of its own.
ENDS_A_LISTING = {"tutorial-court.md", "tutorial-corrections.md"}
CURL = """#!/bin/bash
set -e
body=$(mktemp -p "$ANSWERS")
status=$(%s -o "$body" -w '%%{http_code}' "$@")
echo "$status $body" >> "$ANSWERS/order"
cat "$body"
"""

pytestmark = pytest.mark.xdist_group("contract-docs")


def blocks(page: Path) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [block for block in found if STARTS not in block]


WITH_BLOCKS = [page for page in PAGES if blocks(page)]


@pytest.fixture(scope="module")
def shared_demo() -> Iterator[RunningService]:
    with private_folder() as folder, running_service(folder, "demo") as demo:
        yield demo


@pytest.fixture
def demo(request: pytest.FixtureRequest, page: Path) -> Iterator[RunningService]:
    if page.name not in ENDS_A_LISTING:
        yield request.getfixturevalue("shared_demo")
        return
    with private_folder() as folder, running_service(folder, "demo") as own:
        yield own


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.name)
def test_each_shell_block_answers_as_the_page_says(
    page: Path, demo: RunningService, tmp_path: Path
) -> None:
    script = "\n".join(blocks(page)).replace(DEMO_URL, demo.url)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment(demo, tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers = list(answers_in(tmp_path))
    expected = EXPECTED.findall(script)
    assert [status for status, _ in answers] == [status for status, _ in expected]
    for (_, word), (_, words) in zip(expected, answers, strict=True):
        assert not word or word in words


def test_pages_with_shell_blocks_are_found() -> None:
    assert {"README.md", "tutorial-resort.md"} <= {page.name for page in WITH_BLOCKS}


def test_every_path_that_a_page_names_is_there() -> None:
    dead = [
        f"{page.name}: {path}"
        for page in [*PAGES, ROOT / "CONTRIBUTING.md"]
        for path in re.findall(
            r"`((?:checker|cache|loadtest|tests|docs)/[\w/.-]+)`", page.read_text(encoding="utf-8")
        )
        if not (ROOT / path).exists()
    ]
    assert dead == []


def environment(demo: RunningService, folder: Path) -> dict[str, str]:
    """Return an environment with the demo's keys, the checker, and a curl that takes notes."""
    keys = printed_keys(demo.log())
    real = shutil.which("curl")
    assert real is not None, "curl is not installed"
    programs = folder / "bin"
    programs.mkdir()
    noting = programs / "curl"
    noting.write_text(CURL % real, encoding="utf-8")
    noting.chmod(0o700)
    return {
        "PATH": f"{programs}:{Path(CHECKER).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ANSWERS": str(folder),
        "CHECKER_DATA_DIR": str(demo.data_dir),
        "KEY": keys["institution"],
        "COURT_KEY": keys["court"],
        "OPERATOR_KEY": keys["operator"],
    }


def answers_in(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Return each answer's status, and the words it says: decision, status, code."""
    order = folder / "order"
    for line in order.read_text(encoding="utf-8").splitlines() if order.exists() else []:
        status, _, body = line.partition(" ")
        try:
            answer = json.loads(Path(body).read_bytes())
        except ValueError:
            answer = {}
        yield status, {answer[name] for name in ("decision", "status", "code") if name in answer}
