"""Who may come near an embedded server."""

import os
import subprocess
from pathlib import Path

import pytest

from checker.embedded.detached import Account
from checker.embedded.place import EmbeddedServerError, Place
from tests.integration.embedded.embedded_users import Kind, User, is_running, listener, serves


def test_a_folder_is_made_closed_to_others(kind: Kind, home: Path) -> None:
    with kind.use(home / "parent" / "server"):
        assert (home / "parent" / "server").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_enter_is_refused(kind: Kind, home: Path) -> None:
    (home / "server").mkdir()
    (home / "server").chmod(0o750)
    with pytest.raises(EmbeddedServerError, match="closed to others"), kind.use(home / "server"):
        pass


def test_a_socket_folder_that_others_may_enter_is_refused(kind: Kind, home: Path) -> None:
    place = Place.at(home / ("long-" * 40), kind.program.socket_name)
    place.socket.parent.mkdir(mode=0o755)
    try:
        with pytest.raises(EmbeddedServerError, match="somebody else"), kind.use(place.folder):
            pass
    finally:
        place.socket.parent.rmdir()


def test_a_link_in_place_of_a_socket_folder_is_refused(kind: Kind, home: Path) -> None:
    place = Place.at(home / ("long-" * 40), kind.program.socket_name)
    place.socket.parent.symlink_to(home, target_is_directory=True)
    try:
        with pytest.raises(EmbeddedServerError, match="somebody else"), kind.use(place.folder):
            pass
    finally:
        place.socket.parent.unlink()


def may_write(path: Path, account: Account) -> bool:
    """Whether a process of `account` without privileges may connect to a socket (unix(7))."""
    switch = [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    command = ["setpriv", *switch, "--inh-caps=-all", "test", "-w", str(path)]
    return subprocess.run(command, check=False).returncode == 0


if os.geteuid() == 0:

    def test_another_account_does_not_reach_the_socket(
        kind: Kind, home: Path, nobody: Account
    ) -> None:
        home.chmod(0o755)
        open_file = home / "open"
        open_file.touch()
        open_file.chmod(0o666)
        with kind.use(home / "server") as url:
            assert may_write(open_file, nobody)
            assert not may_write(kind.socket(url), nobody)

    def test_another_account_does_not_reach_a_socket_with_a_short_path(
        kind: Kind, home: Path, nobody: Account
    ) -> None:
        with kind.use(home / ("long-" * 40)) as url:
            assert not may_write(kind.socket(url), nobody)

    def test_root_beside_another_user_shares_the_server_and_spoils_nothing(
        kind: Kind, home: Path, nobody: Account, users: list[User]
    ) -> None:
        os.chown(home, nobody.uid, nobody.gid)
        (home / "server").mkdir(mode=0o700)
        os.chown(home / "server", nobody.uid, nobody.gid)
        with kind.use(home / "server") as url:
            server = listener(kind.socket(url))
            assert Path(f"/proc/{server}").stat().st_uid == nobody.uid
            owners = {path.lstat().st_uid for path in (home / "server").iterdir()}
            assert owners == {nobody.uid}
            users.append(User(kind, home / "server", account=nobody).enter())
            assert users[0].server == server
        assert is_running(server)
        assert serves(url)
        assert users[0].leave() == 0
        assert not is_running(server)
        again = User(kind, home / "server", account=nobody).enter()
        assert again.leave() == 0
