"""The service runs with the documented rights on Redis alone, and over TLS."""

import asyncio
import re
import subprocess
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest
import redis

from cache.keys import KeyFamily
from cache.redis_cluster import stem_at
from cache.redis_pipe import Pipe
from tests.faults.faulty_service import RIGHT, change, in_force, is_ready, outcomes, shield
from tests.support.certificates import EXPIRED, Authority
from tests.support.left_out import program
from tests.support.postgres_server import primary
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    OUTAGE_SETTINGS,
    PATIENCE_S,
    free_port,
    run_command,
    running_service,
    wait_until,
)
from tests.support.shaken_cluster import shaken_cluster
from tests.support.spending import hold
from tests.support.town import DEBTOR

pytestmark = pytest.mark.xdist_group("more faults")

PAGE = Path(__file__).parents[2] / "docs" / "deployment.md"
PASSWORD = "secret"
HELD_FEN = 1_000


def test_the_documented_rights_are_enough_and_a_refused_certificate_is_an_outage() -> None:
    with private_folder() as folder:
        authority = Authority(folder)
        authority.issue("tls")
        (folder / "data").mkdir(mode=0o700)
        with primary(folder) as server, _guarded_redis(folder) as port:
            named = {
                "DATABASE_URL": server.url,
                "REDIS_URL": f"rediss://checker:{PASSWORD}@127.0.0.1:{port}/0"
                f"?ssl_ca_certs={folder / 'authority.pem'}",
            }
            with running_service(folder, settings=OUTAGE_SETTINGS, named=named) as service:
                in_force(service)
                wait_until(lambda: is_ready(service))
                change(service, shield(), shield("unshield"))
                assert outcomes(service) == RIGHT
                with service.client(service.keys["institution"]) as client:
                    assert hold(client, DEBTOR, HELD_FEN).status_code == 201
                rebuilt = run_command(service.data_dir, "rebuild", named=named)
                assert rebuilt.returncode == 0, rebuilt.stderr
                assert outcomes(service) == RIGHT
                with _operator(folder, port) as client:
                    authority.issue("tls", term=EXPIRED)
                    _take_certificate(client, folder)
                    wait_until(lambda: "CertificateRefused" in service.log())
                    assert outcomes(service) == RIGHT
                    change(service, shield(), shield("unshield"))
                    assert outcomes(service) == RIGHT
                    authority.issue("tls")
                    _take_certificate(client, folder)
                wait_until(lambda: is_ready(service))
                assert outcomes(service) == RIGHT
            with _operator(folder, port) as client:
                assert [each["object"] for each in client.acl_log()] == []


def test_a_cluster_over_tls_is_found_and_asked_over_tls() -> None:
    found = program("redis-server")
    assert found is not None
    with private_folder() as folder:
        authority = Authority(folder)
        authority.issue("tls")
        with shaken_cluster(folder, replicas=0, program=Path(found), tls=folder) as cluster:
            url = cluster.url.replace("redis+", "rediss+")
            url += f"?ssl_ca_certs={authority.file}"
            for family in KeyFamily:
                stem = stem_at(url, "checker", family)
                assert asyncio.run(_kept(url, stem)) == [b"OK", b"1"]
            assert [server.ask("DBSIZE") for server in cluster.servers] == [1, 1, 1]


async def _kept(url: str, stem: str) -> list[bytes]:
    async with aclosing(Pipe(url, stem, timeout_s=5)) as pipe:
        return await pipe.ask([("SET", f"{stem}:a", "1"), ("GET", f"{stem}:a")])


def _take_certificate(client: redis.Redis, folder: Path) -> None:
    """Let Redis read its certificate again, and end the connections of everybody else."""
    files = {"tls-cert-file": str(folder / "tls.pem"), "tls-key-file": str(folder / "tls.key")}
    client.execute_command("CONFIG", "SET", *(each for pair in files.items() for each in pair))
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def _rights() -> list[str]:
    [rights] = re.findall(r"ACL SETUSER checker (.+)\n", PAGE.read_text(encoding="utf-8"))
    return str(rights).replace("PASSWORD", PASSWORD).split()


@contextmanager
def _guarded_redis(folder: Path) -> Iterator[int]:
    port = free_port()
    tls = ["--tls-port", str(port), "--port", "0", "--tls-auth-clients", "no"]
    tls += ["--tls-cert-file", str(folder / "tls.pem"), "--tls-key-file", str(folder / "tls.key")]
    tls += ["--tls-ca-cert-file", str(folder / "authority.pem")]
    usual = ["--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD, "--dir", str(folder)]
    # The program in the wheel has no TLS.
    found = program("redis-server")
    assert found is not None
    command = [found, *tls, *usual]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(folder, port))
        with _operator(folder, port) as client:
            client.execute_command("ACL", "SETUSER", "checker", *_rights())
        yield port
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def _operator(folder: Path, port: int) -> redis.Redis:
    return redis.Redis(
        port=port,
        host="127.0.0.1",
        password=PASSWORD,
        ssl=True,
        ssl_ca_certs=str(folder / "authority.pem"),
        decode_responses=True,
    )


def _answers(folder: Path, port: int) -> bool:
    try:
        with _operator(folder, port) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
