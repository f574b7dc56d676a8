"""A server ends and is renewed in order, whatever its callers do, and speaks TLS."""

import signal
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.private_folder import private_folder
from tests.support.running_service import (
    PATIENCE_S,
    running_service,
    start_command,
)

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


def certificate(folder: Path, name: str, issuer: "tuple[x509.Certificate, Key] | None") -> "Pair":
    """Write a certificate and its key as `<name>.pem` and `<name>.key`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(key if issuer is None else issuer[1], hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return built, key


Key = ec.EllipticCurvePrivateKey
Pair = tuple[x509.Certificate, Key]


def test_a_server_with_tls_admits_only_callers_with_a_certificate_of_its_authority() -> None:
    with private_folder() as folder:
        authority = certificate(folder, "authority", None)
        certificate(folder, "server", authority)
        certificate(folder, "caller", authority)
        certificate(folder, "stranger", None)
        options = ["--tls-certificate", "server.pem", "--tls-key", "server.key"]
        options += ["--tls-client-ca", "authority.pem"]
        paths = [str(folder / word) if "." in word else word for word in options]
        trusting = ssl.create_default_context(cafile=str(folder / "authority.pem"))
        trusting.load_cert_chain(folder / "caller.pem", folder / "caller.key")
        with running_service(folder, "serve", *paths, verify=trusting) as running:
            assert running.url.startswith("https://")
            assert httpx.get(f"{running.url}/healthz", verify=trusting).status_code == 200
            for name in (None, "stranger"):
                other = ssl.create_default_context(cafile=str(folder / "authority.pem"))
                if name is not None:
                    other.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
                with pytest.raises(httpx.TransportError):
                    httpx.get(f"{running.url}/healthz", verify=other)
            with pytest.raises(httpx.TransportError):
                httpx.get(running.url.replace("https", "http") + "/healthz")


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
