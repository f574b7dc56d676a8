"""The follower of a list and the client trust no server whose certificate is wrong.

Both trust the authorities that `SSL_CERT_FILE` names.
"""

import ssl
from contextlib import contextmanager

import httpx
import pytest

from checker.client import Client, NotAnswered, RetryPolicy, notices
from checker.connector.errors import SourceFault
from checker.connector.plan import Stamp
from checker.connector.web_source import WebSource, parse_url
from tests.support.certificates import EXPIRED, LOOPBACK, NOT_YET_VALID, NOW, Authority
from tests.support.notice_receiver import receiving

pytestmark = pytest.mark.anyio

WRONG = pytest.mark.parametrize(
    ("term", "host", "is_known"),
    [
        (EXPIRED, LOOPBACK, True),
        (NOT_YET_VALID, LOOPBACK, True),
        (NOW, "list.example", True),
        (NOW, LOOPBACK, False),
    ],
    ids=["expired", "not yet valid", "of another host", "of another authority"],
)


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """An authority that this process trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@contextmanager
def serving(authority, tmp_path, term, host, *, is_known):
    """Yield the address of a server with such a certificate, and the requests that it has read."""
    issuer = authority if is_known else Authority(tmp_path, "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issuer.issue("server", term=term, host=host))
    with receiving(tls=context) as receiver:
        port = httpx.URL(receiver.url).port
        yield f"https://{LOOPBACK}:{port}", receiver.messages


@WRONG
async def test_a_source_whose_certificate_is_wrong_is_not_read(
    authority, tmp_path, term, host, is_known
):
    with serving(authority, tmp_path, term, host, is_known=is_known) as (url, _):
        async with httpx.AsyncClient() as client:
            source = WebSource(client, parse_url(f"{url}/list.ndjson"), "token")
            with pytest.raises(SourceFault, match="a certificate that is refused"):
                async with source.look(Stamp()):
                    pass


@WRONG
async def test_a_client_sends_nothing_to_a_server_whose_certificate_is_wrong(
    authority, tmp_path, term, host, is_known
):
    with serving(authority, tmp_path, term, host, is_known=is_known) as (url, read):
        once = RetryPolicy(attempts_max=1)
        with Client(url, "ck_key", retries=once) as client, pytest.raises(NotAnswered):
            client.send(notices())
        assert read == []


async def test_the_right_certificate_is_trusted(authority, tmp_path):
    with serving(authority, tmp_path, NOW, LOOPBACK, is_known=True) as (url, _):
        async with httpx.AsyncClient() as client:
            source = WebSource(client, parse_url(f"{url}/list.ndjson"), None)
            # The receiver of the test knows POST alone.
            with pytest.raises(SourceFault, match="answers 501"):
                async with source.look(Stamp()):
                    pass
