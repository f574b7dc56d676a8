"""A process of a server imports at its start only the libraries that its start needs."""

import subprocess
import sys

import pytest

LATE = {"httpx", "httpcore", "rich", "pygments", "alembic", "opentelemetry.sdk.trace"}


@pytest.mark.parametrize("module", ["checker.api.app", "checker.serving.publishing_process"])
def test_a_process_of_a_server_starts_without_the_libraries_of_rare_works(module):
    script = f"import {module}, sys; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not LATE & set(done.stdout.split())
