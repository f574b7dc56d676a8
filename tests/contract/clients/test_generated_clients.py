"""Foreign generators make clients of the OpenAPI document; the clients compile and make calls.

The fixture `python_client` generates the Python client. The script `typescript` generates and
compiles the TypeScript client before the tests, as `make test` does. Without Node the script leaves
this client out, and so do these tests; under `CI=true` nothing is left out.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.documented import GOLDEN
from tests.support.private_folder import private_folder
from tests.support.running_service import RunningService, plain_environment
from tests.support.spending import listed_stranger
from tests.support.town import INNOCENT

HERE = Path(__file__).parent
PYTHON_PROGRAM = HERE / "three_calls.py"
TYPESCRIPT_PROGRAM = HERE / "generated" / "three_calls.js"
TIME_LIMIT_S = 120
LANGUAGES = ["python"]
if TYPESCRIPT_PROGRAM.exists() or os.environ.get("CI") == "true":
    LANGUAGES.append("typescript")


class PythonClient:
    """The folder of the generated package, and the operations that the generator left out."""

    def __init__(self, folder: Path, left_out: set[str]) -> None:
        self.folder = folder
        self.left_out = left_out


@pytest.fixture(scope="session")
def python_client() -> Iterator[PythonClient]:
    with private_folder() as folder:
        generate = ["-m", "openapi_python_client", "generate", "--path", str(GOLDEN)]
        generate += ["--config", str(HERE / "python_client.yaml"), "--meta", "none"]
        generate += ["--output-path", str(folder / "checker_client")]
        ended = run(sys.executable, *generate)
        warned = re.findall(r"WARNING parsing (\w+ \S+) ", ended.stdout + ended.stderr)
        yield PythonClient(folder, set(warned))


def test_the_python_generator_understands_every_operation_but_those_of_lines(
    python_client: PythonClient,
) -> None:
    assert python_client.left_out == {
        "POST /v1/reconciliations",
        "GET /v1/reconciliations/{reconciliation_id}/results",
        "PUT /v1/feed/snapshot",
        "POST /v1/feed/changes",
    }


def test_the_python_client_type_checks(python_client: PythonClient) -> None:
    folder = python_client.folder
    mypy = ["-m", "mypy", "--config-file=", "--strict", "--cache-dir", str(folder / "mypy")]
    packages = ["--package", "checker_client", "--package", PYTHON_PROGRAM.stem]
    run(sys.executable, *mypy, *packages, path=f"{folder}{os.pathsep}{HERE}")


@pytest.mark.xdist_group("contract")
@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_generated_client_checks_a_batch_and_holds(
    language: str, service: RunningService, court: httpx.Client, python_client: PythonClient
) -> None:
    listed = listed_stranger(court)
    task = {
        "url": service.url,
        "key": service.keys["institution"],
        "listed": listed.number,
        "innocent": INNOCENT,
        "hold_key": f"{listed.listing_id}-hold",
        "over_key": f"{listed.listing_id}-over",
    }
    program = {
        "python": (sys.executable, str(PYTHON_PROGRAM)),
        "typescript": ("node", str(TYPESCRIPT_PROGRAM)),
    }[language]
    ended = run(*program, path=str(python_client.folder), typed=json.dumps(task))
    assert json.loads(ended.stdout) == {
        "denied": ["deny", listed.listing_id],
        "capped": ["cap", 200_000],
        "batch": ["deny", "allow", "invalid-document"],
        "held": ["held", 50_000],
        "over": ["cap-exceeded", 150_000],
        "refused": "unauthenticated",
    }


def run(*command: str, path: str = "", typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program that finds packages in `path`, and return its end, which is a success."""
    ended = subprocess.run(
        command,
        input=typed,
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT_S,
        env=plain_environment() | {"PYTHONPATH": path, "MYPYPATH": path},
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended
