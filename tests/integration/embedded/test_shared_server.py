"""How processes share one embedded server: both servers, as root and as nobody."""

import os
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from checker.embedded.detached import Account
from tests.integration.embedded.embedded_users import (
    Kind,
    User,
    eventually,
    is_listened_on,
    is_running,
    listener,
    serves,
)

_LONG = "long-" * 40

Start = Callable[..., User]


@pytest.fixture
def start(kind: Kind, folder: Path, account: Account | None, users: list[User]) -> Start:
    """Start a user of the test's server, without waiting for it."""

    def start(**options: Any) -> User:
        users.append(User(kind, folder, account=account, **options))
        return users[-1]

    return start


def test_processes_that_start_at_once_share_one_server(start: Start) -> None:
    users = [start() for _ in range(4)]
    assert len({user.enter().server for user in users}) == 1


def test_the_last_to_leave_ends_the_server_and_its_socket(start: Start) -> None:
    first, last = start().enter(), start().enter()
    server = last.server
    assert first.leave() == 0
    assert last.server == server
    assert last.leave() == 0
    assert not is_running(server)
    assert not last.socket.exists()


def test_a_server_whose_only_user_was_killed_is_adopted_and_ends_with_the_next(
    start: Start,
) -> None:
    killed = start().enter()
    server = killed.server
    killed.kill()
    heir = start().enter()
    assert heir.server == server
    heir.leave()
    assert not is_running(server)


def test_a_server_outlives_the_kill_of_one_user_and_ends_with_the_other(start: Start) -> None:
    killed, other = start().enter(), start().enter()
    server = other.server
    killed.kill()
    assert other.server == server
    other.leave()
    assert not is_running(server)


def test_a_killed_server_is_started_again_for_whoever_comes_next(start: Start) -> None:
    first = start().enter()
    killed = first.server
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: not is_running(killed))
    second = start().enter()
    server = second.server
    assert server != killed
    assert first.url == second.url
    assert second.leave() == 0
    assert is_running(server)
    assert first.leave() == 0
    assert not is_running(server)


def test_a_server_that_dies_is_started_again_by_a_user_that_looks(start: Start) -> None:
    looks, other = start(revive_s=0.01).enter(), start(revive_s=0.01).enter()
    for _ in range(2):
        killed = looks.server
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda killed=killed: is_listened_on(looks.socket, but=killed))
        assert eventually(lambda: looks.kind.program.answers(looks.socket))
        assert serves(looks.url)
    server = looks.server
    assert other.leave() == 0
    assert looks.server == server
    assert looks.leave() == 0
    assert not is_running(server)
    assert not looks.socket.exists()


def test_users_and_server_killed_together_leave_nothing_that_stops_the_next(start: Start) -> None:
    first = start().enter()
    killed = first.server
    first.kill()
    os.kill(killed, signal.SIGKILL)
    second = start().enter()
    assert second.leave() == 0
    assert not second.socket.exists()


def test_a_user_that_ends_on_sigterm_ends_the_server(start: Start) -> None:
    user = start().enter()
    server = user.server
    user.process.terminate()
    assert user.wait() == 0
    assert not is_running(server)


def test_ctrl_c_at_the_terminal_of_one_user_spares_the_server(start: Start) -> None:
    starter, other = start().enter(), start().enter()
    server = other.server
    os.killpg(starter.process.pid, signal.SIGINT)
    starter.wait()
    assert other.server == server


def test_a_fork_of_a_user_that_ends_stops_nothing(start: Start) -> None:
    user = start(then="os.fork() or sys.exit(); os.wait()").enter()
    server = user.server
    second = start().enter()
    assert second.server == server
    second.leave()
    assert is_running(server)
    user.leave()
    assert not is_running(server)


def test_a_server_holds_no_lock_but_its_own(start: Start, folder: Path) -> None:
    server = start().enter().server
    held = set()
    for link in Path(f"/proc/{server}/fd").iterdir():
        with suppress(FileNotFoundError):  # a server at work opens and closes files meanwhile
            held.add(link.readlink())
    assert {path for path in held if path.suffix == ".lock"} == {folder / "server.lock"}


def test_a_server_whose_folder_was_deleted_ends_with_its_last_user(
    start: Start, folder: Path
) -> None:
    first, last = start().enter(), start().enter()
    server = last.server
    shutil.rmtree(folder)
    first.leave()
    assert is_running(server)
    last.leave()
    assert not is_running(server)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["server", _LONG])
def test_a_folder_made_anew_has_a_server_of_its_own(
    kind: Kind, home: Path, users: list[User], name: str
) -> None:
    old = User(kind, home / name).enter()
    forgotten = old.server
    shutil.rmtree(home / name)
    new = User(kind, home / name).enter()
    users += [old, new]
    server = new.server
    assert server != forgotten
    old.leave()
    assert not is_running(forgotten)
    assert new.server == server
    new.leave()
    assert not is_running(server)


@pytest.mark.parametrize("name", [_LONG, "a b, \"c\" 'd': $HOME `id` 100%+&#? 失信"])
def test_a_path_of_any_length_and_spelling_will_do(
    kind: Kind, home: Path, users: list[User], name: str
) -> None:
    users += [User(kind, home / name), User(kind, home / name)]
    first, second = (user.enter() for user in users)
    server = first.server
    assert second.server == server
    assert serves(first.url)
    first.leave()
    second.leave()
    assert not is_running(server)
    assert not first.socket.parent.exists()


def test_one_process_may_use_a_server_twice(kind: Kind, home: Path) -> None:
    with kind.use(home / "server") as outer:
        server = listener(kind.socket(outer))
        with kind.use(home / "server") as inner:
            assert inner == outer
        assert listener(kind.socket(outer)) == server
        assert serves(outer)
    assert not is_running(server)


def test_a_folder_reached_through_a_link_is_the_same_folder(kind: Kind, home: Path) -> None:
    (home / "link").symlink_to(home / "server")
    with kind.use(home / "server") as straight, kind.use(home / "link") as linked:
        assert linked == straight
