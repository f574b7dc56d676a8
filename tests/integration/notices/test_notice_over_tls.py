"""A receiver with an untrusted certificate gets no notice; one with a trusted certificate does."""

import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from checker.notices.endpoint import EndpointRules
from checker.notices.post import open_postman
from tests.support.notice_receiver import receiving

pytestmark = pytest.mark.anyio

OPEN = EndpointRules(allow_private_addresses=True)
NAME = "hotel.example"


@pytest.fixture
def certificate(tmp_path):
    """A certificate for the name alone, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@contextmanager
def receiving_over_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(tls=context) as receiver:
        yield receiver


async def here(_host, _port):
    return ["127.0.0.1"]


async def posted(url, context):
    async with open_postman(httpx.URL(url), OPEN, context, resolve_host=here) as postman:
        return await postman.post("{}", {"webhook-id": "1"})


async def test_the_name_of_the_url_is_verified_and_not_the_address(certificate):
    with receiving_over_tls(certificate) as receiver:
        port = httpx.URL(receiver.url).port
        unknown = await posted(f"https://{NAME}:{port}/", httpx.create_ssl_context())
        trusting = ssl.create_default_context(cafile=certificate)
        other = await posted(f"https://other.example:{port}/", trusting)
        assert receiver.messages == []
        right = await posted(f"https://{NAME}:{port}/", trusting)
    assert (unknown.failure, other.failure, right.failure) == ("tls", "tls", None)
    assert [each.headers["host"] for each in receiver.messages] == [f"{NAME}:{port}"]
