"""What the embedded Redis is, and what happens when it hangs."""

import os
import signal
import sys
from pathlib import Path

import pytest
import redis

from checker.embedded.place import EmbeddedServerError
from checker.embedded.redis import RedisProgram, embedded_redis
from checker.embedded.shared import shared
from tests.integration.embedded.embedded_users import Kind, User, is_running, listener


def test_it_saves_nothing_evicts_nothing_and_has_no_port(home: Path) -> None:
    with embedded_redis(home / "server") as url, redis.Redis.from_url(url) as client:
        settings = {
            name: client.config_get(name)[name]
            for name in ("save", "appendonly", "maxmemory-policy", "port", "dir")
        }
    assert settings == {
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "port": "0",
        "dir": str(home / "server"),
    }


def test_it_is_the_process_that_redis_itself_names(home: Path) -> None:
    with embedded_redis(home / "server") as url, redis.Redis.from_url(url) as client:
        assert listener(Kind.REDIS.socket(url)) == client.info("server")["process_id"]


def test_an_old_redis_on_the_path_is_passed_over(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded_redis(home / "first") as url, redis.Redis.from_url(url) as client:
        recent = client.info("server")["executable"]
    programs = home / "programs"
    programs.mkdir()
    old = programs / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=6.0.16 sha=00000000:0 malloc=libc bits=64'\n")
    old.chmod(0o755)
    (programs / "valkey-server").symlink_to(recent)
    monkeypatch.setenv("PATH", str(programs))
    with embedded_redis(home / "second") as url, redis.Redis.from_url(url) as client:
        assert client.info("server")["executable"] == str(programs / "valkey-server")


def redis_that_says(what: str, folder: Path) -> None:
    """Put a program in `folder` that passes for Redis until it is started."""
    program = folder / "redis-server"
    version = "'Redis server v=7.2.0' if '--version' in sys.argv"
    program.write_text(f"#!{sys.executable}\nimport os, sys\nprint({version} else {what})\n")
    program.chmod(0o755)


def test_one_that_does_not_start_says_why_and_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_that_says("'boom'", home)
    monkeypatch.setenv("PATH", str(home))
    with (
        pytest.raises(EmbeddedServerError, match=r"Redis did not start\. boom"),
        embedded_redis(home / "server"),
    ):
        pass
    assert not (home / "server" / "redis.sock").exists()


def test_it_is_given_nothing_of_its_user_s_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_that_says("dict(os.environ)", home)
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.setenv("SECRET", "ossifrage")
    with pytest.raises(EmbeddedServerError, match="PATH") as told, embedded_redis(home / "server"):
        pass
    assert "ossifrage" not in str(told.value)


def test_one_that_hangs_and_has_no_user_is_replaced(home: Path) -> None:
    left = User(Kind.REDIS, home / "server").enter()
    hanging = left.server
    left.kill()
    os.kill(hanging, signal.SIGSTOP)
    with shared(home / "server", RedisProgram(), start_s_max=0.1, stop_s_max=0.1) as url:
        assert not is_running(hanging)
        assert listener(Kind.REDIS.socket(url)) != hanging


def test_one_that_hangs_under_another_user_is_left_alone(home: Path) -> None:
    other = User(Kind.REDIS, home / "server").enter()
    hanging = other.server
    os.kill(hanging, signal.SIGSTOP)
    with (
        pytest.raises(EmbeddedServerError, match="does not answer"),
        shared(home / "server", RedisProgram(), start_s_max=0.1, stop_s_max=0.1),
    ):
        pass
    os.kill(hanging, signal.SIGCONT)
    assert other.server == hanging
    assert other.leave() == 0
    assert not is_running(hanging)
