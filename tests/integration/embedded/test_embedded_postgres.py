"""What the embedded PostgreSQL is, and what is left of its data after whatever befalls it."""

import os
import signal
import subprocess
from pathlib import Path

import asyncpg
import pytest

from checker.embedded.detached import Account
from checker.embedded.place import EmbeddedServerError
from checker.embedded.postgres import embedded_postgres
from tests.integration.embedded.embedded_users import Kind, User, eventually, query

_CONNECTIONS_MAX = 100
_SETTING = "SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN ({})"


def test_it_keeps_what_it_acknowledged_and_has_no_port(home: Path) -> None:
    names = "'fsync', 'full_page_writes', 'listen_addresses', 'synchronous_commit'"
    with embedded_postgres(home / "server") as url:
        assert query(url, _SETTING.format(names)) == "on on  on"


def test_it_orders_texts_by_code_point_whatever_the_machine_s_locale(home: Path) -> None:
    order = "SELECT string_agg(t, '' ORDER BY t) FROM unnest(ARRAY['失', 'b', 'é', 'A', 'a']) t"
    with embedded_postgres(home / "server") as url:
        assert query(url, order) == "Aabé失"
        assert query(url, "SHOW server_encoding") == "UTF8"


def test_the_data_survive_a_restart(home: Path) -> None:
    with embedded_postgres(home / "server") as url:
        query(url, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('失信')")
    with embedded_postgres(home / "server") as url:
        assert query(url, "SELECT word FROM kept") == "失信"


def test_the_data_survive_a_kill_of_server_and_users(home: Path) -> None:
    user = User(Kind.POSTGRES, home / "server").enter()
    query(user.url, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('失信')")
    os.kill(user.server, signal.SIGKILL)
    user.kill()
    with embedded_postgres(home / "server") as url:
        assert query(url, "SELECT word FROM kept") == "失信"


def test_a_kill_while_the_data_folder_is_made_leaves_no_half_of_one(
    folder: Path, account: Account | None
) -> None:
    killed = User(Kind.POSTGRES, folder, account=account)
    assert eventually((folder / "data.partial" / "PG_VERSION").exists)
    killed.kill()
    heir = User(Kind.POSTGRES, folder, account=account).enter()
    assert query(heir.url, "SELECT 1") == 1
    assert not (folder / "data.partial").exists()
    assert heir.leave() == 0


def test_a_stranger_who_has_the_number_of_a_killed_server_is_neither_feared_nor_signalled(
    folder: Path, account: Account | None
) -> None:
    user = User(Kind.POSTGRES, folder, account=account).enter()
    killed = user.server
    os.kill(killed, signal.SIGKILL)
    user.kill()
    owner = (folder / "data").stat()
    # PostgreSQL fears processes of its own account alone, so the stranger is one.
    same = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, cwd="/", **same) as stranger:
        for lock in (folder / "data" / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
            lock.write_text(lock.read_text().replace(str(killed), str(stranger.pid), 1))
        heir = User(Kind.POSTGRES, folder, account=account).enter()
        assert heir.leave() == 0
        assert stranger.poll() is None


def test_a_server_started_by_hand_keeps_its_lock(home: Path) -> None:
    with embedded_postgres(home / "server") as url:
        lock = (home / "server" / "data" / "postmaster.pid").read_text()
        # As a server is that does not hold our lock: another file of that name is free.
        (home / "server" / "server.lock").rename(home / "server" / "moved.lock")
        (home / "server" / ".s.PGSQL.5432").rename(home / "server" / "moved")
        with (
            pytest.raises(EmbeddedServerError, match="already exists"),
            embedded_postgres(home / "server"),
        ):
            pass
        assert (home / "server" / "data" / "postmaster.pid").read_text() == lock
        (home / "server" / "moved").rename(home / "server" / ".s.PGSQL.5432")
        (home / "server" / "moved.lock").rename(home / "server" / "server.lock")
        assert query(url, "SELECT 1") == 1


def test_data_that_it_cannot_read_are_left_as_they_are_and_the_reason_is_told(home: Path) -> None:
    with embedded_postgres(home / "server"):
        pass
    version = home / "server" / "data" / "PG_VERSION"
    version.write_text("12\n")
    with (
        pytest.raises(EmbeddedServerError, match="incompatible with server"),
        embedded_postgres(home / "server"),
    ):
        pass
    assert version.read_text() == "12\n"


def test_a_statement_that_fails_leaves_no_word_of_itself_in_the_log(home: Path) -> None:
    with embedded_postgres(home / "server") as url:
        with pytest.raises(Exception, match="ossifrage"):
            query(url, "SELECT CAST('ossifrage' AS integer)")
        log = home / "server" / "server.log"
        assert "ready to accept connections" in log.read_text()
        assert "ossifrage" not in log.read_text()


@pytest.mark.anyio
async def test_a_server_without_room_for_one_more_client_is_not_taken_for_dead(home: Path) -> None:
    with embedded_postgres(home / "server") as url:
        clients = [
            await asyncpg.connect(host=str(home / "server"), user="postgres", database="postgres")
            for _ in range(_CONNECTIONS_MAX)
        ]
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await asyncpg.connect(host=str(home / "server"), user="postgres", database="postgres")
        with embedded_postgres(home / "server") as again:
            assert again == url
        for client in clients:
            await client.close()


if os.geteuid() == 0:

    def test_without_setpriv_a_folder_within_root_s_own_is_refused_with_the_cure(
        home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(home))
        with (
            pytest.raises(EmbeddedServerError, match="install setpriv"),
            embedded_postgres(home / "server"),
        ):
            pass
        assert (home / "server").stat().st_uid == 0
