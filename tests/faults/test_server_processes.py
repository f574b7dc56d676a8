"""A server ends and is renewed in order, whatever its callers do, and speaks TLS."""

import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.certificates import (
    DAY,
    EXPIRED,
    NOT_YET_VALID,
    Authority,
    CertificateFiles,
)
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    PATIENCE_S,
    running_service,
    start_command,
    wait_until,
)

PERSON = "陈示例"
pytestmark = pytest.mark.xdist_group("more faults")


def test_a_server_with_half_a_request_ends_without_being_killed() -> None:
    with private_folder() as folder, running_service(folder) as running:
        half = socket.create_connection(running.address)
        half.sendall(b"POST /v1/checks HTTP/1.1\r\nHost: ")
        main = psutil.Process(running.pid)
        main.send_signal(signal.SIGINT)
        assert psutil.wait_procs([main], timeout=PATIENCE_S)[1] == []
        assert half.recv(1) == b""
        half.close()
        # A process that does not end by itself within ten seconds is killed, and the log says so.
        assert "killed" not in running.log()


def test_a_server_with_an_expired_certificate_logs_the_cause_and_takes_the_renewed_one() -> None:
    with private_folder() as folder:
        authority = Authority(folder)
        files = authority.issue("server", term=EXPIRED)
        own = authority.issue(PERSON)
        admitted = blind(own)
        options = ["--tls-certificate", str(files.certificate), "--tls-key", str(files.key)]
        options += ["--tls-client-ca", str(authority.file), "--workers", "2"]
        with running_service(folder, "serve", *options, verify=admitted) as running:
            url = f"{running.url}/healthz"
            assert "the certificate of the server: has expired on " in running.log()
            with pytest.raises(httpx.ConnectError, match="certificate has expired"):
                httpx.get(url, verify=trusting(authority, own))
            for refused in refused_callers(authority, folder):
                with pytest.raises(httpx.TransportError):
                    httpx.get(url, verify=blind(refused))
            with pytest.raises(httpx.TransportError):
                httpx.get(url.replace("https", "http"))
            authority.issue("server", term=(-DAY, 60 * DAY))
            with asking_meanwhile(url, admitted) as statuses:
                psutil.Process(running.pid).send_signal(signal.SIGHUP)
                wait_until(lambda: 'all processes are replaced"' in running.log())
            assert set(statuses) == {200}
            assert httpx.get(url, verify=trusting(authority, own)).status_code == 200
            assert PERSON not in running.log(), "the log names the holder of a certificate"
            assert running.log().count("the certificate of the server") == 1


def blind(files: CertificateFiles | None) -> ssl.SSLContext:
    """A caller that trusts every server, with a certificate of its own if there are files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if files is not None:
        context.load_cert_chain(*files)
    return context


def trusting(authority: Authority, files: CertificateFiles) -> ssl.SSLContext:
    """A caller that trusts an authority, with a certificate of its own."""
    context = ssl.create_default_context(cafile=authority.file)
    context.load_cert_chain(*files)
    return context


def refused_callers(authority: Authority, folder: Path) -> list[CertificateFiles | None]:
    """No certificate, one of another authority, and two that are not valid now."""
    return [
        None,
        Authority(folder, "strange").issue("strange caller"),
        authority.issue("expired caller", term=EXPIRED),
        authority.issue("early caller", term=NOT_YET_VALID),
    ]


@contextmanager
def asking_meanwhile(url: str, caller: ssl.SSLContext) -> Iterator[list[int]]:
    """Ask again and again until the end, each time on a new connection, and on an open one."""
    statuses: list[int] = []
    is_over = threading.Event()

    def ask() -> None:
        with httpx.Client(verify=caller) as client:
            while not is_over.is_set():
                statuses.append(client.get(url).status_code)
                statuses.append(httpx.get(url, verify=caller).status_code)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield statuses
        finally:
            is_over.set()
        asking.result()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--tls-certificate", "absent.pem"], "--tls-key"),
        (["--tls-client-ca", "absent.pem"], "--tls-certificate"),
        (["--tls-certificate", "absent.pem", "--tls-key", "absent.pem"], "--tls-certificate"),
    ],
)
def test_files_of_tls_that_cannot_be_used_end_the_command_with_one_line(
    options: list[str], word: str
) -> None:
    with private_folder() as folder:
        process = start_command(folder / "data", "serve", *options)
        _, error = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert word in error.splitlines()[-1]
    assert "Traceback" not in error
