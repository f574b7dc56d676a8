"""Private folders for embedded servers, and the accounts that use them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from checker.embedded.detached import Account, Process
from checker.embedded.place import Place
from tests.integration.embedded.embedded_users import Kind, User

_NOBODY = 65534
# Only a test run by root can act as somebody else too.
_ACCOUNTS = ["self", "nobody"] if os.geteuid() == 0 else ["self"]


@pytest.fixture(params=list(Kind))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of the embedded servers."""
    return request.param


@pytest.fixture(scope="session")
def nobody() -> Account:
    """An account without privileges, save to read this checkout where it is root's alone."""
    switch = (f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
    plain = ("setpriv", *switch)
    script = "import sys, checker, cache; print(sys.base_prefix)"
    found = subprocess.run(
        [*plain, sys.executable, "-B", "-c", script], capture_output=True, text=True, check=False
    )
    if found.stdout.strip() == sys.base_prefix:
        return Account(uid=_NOBODY, gid=_NOBODY, through=plain)
    grant = ("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override")
    return Account(uid=_NOBODY, gid=_NOBODY, through=(*plain, *grant))


@pytest.fixture(params=_ACCOUNTS)
def account(request: pytest.FixtureRequest) -> Account | None:
    """Whom users run as: who runs the tests (None), and nobody where that is root."""
    return request.getfixturevalue("nobody") if request.param == "nobody" else None


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that is closed to others, with a short path; no server in it survives the test."""
    # Not tmp_path: its parents are closed to the other account, and its path is long.
    home = Path(tempfile.mkdtemp(prefix="home-", dir="/tmp"))
    yield home
    for lock in home.rglob("start.lock"):
        for each in Kind:
            server = Process.listening_on(Place.at(lock.parent, each.program.socket_name).socket)
            if server:
                server.send(signal.SIGKILL)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def folder(home: Path, account: Account | None) -> Path:
    """Where the server of a test is to live; nothing is there yet."""
    if account:
        os.chown(home, account.uid, account.gid)
    return home / "server"


@pytest.fixture
def users() -> Iterator[list[User]]:
    """The users of a test; those that it leaves behind are killed."""
    started: list[User] = []
    yield started
    for user in started:
        if user.process.poll() is None:
            user.kill()
        user.process.stdin.close()
        user.process.stdout.close()
