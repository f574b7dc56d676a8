"""A Redis whose certificate is refused is an outage, whose error has a class of its own."""

import asyncio
import ssl

import pytest

from cache.errors import CacheUnavailable
from cache.redis_pipe import CertificateRefused, Pipe
from tests.support.certificates import EXPIRED, LOOPBACK, NOT_YET_VALID, NOW, Authority

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("term", "host", "is_known"),
    [
        (EXPIRED, LOOPBACK, True),
        (NOT_YET_VALID, LOOPBACK, True),
        (NOW, "redis.example", True),
        (NOW, LOOPBACK, False),
    ],
    ids=["expired", "not yet valid", "of another host", "of another authority"],
)
async def test_a_certificate_that_cannot_be_trusted_is_refused(tmp_path, term, host, is_known):
    authority = Authority(tmp_path)
    trusted = authority if is_known else Authority(tmp_path, "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("redis", term=term, host=host))

    async def converse(_reader, writer):
        writer.close()

    async with await asyncio.start_server(converse, LOOPBACK, 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"rediss://{LOOPBACK}:{port}/0?ssl_ca_certs={trusted.file}"
        with pytest.raises(CertificateRefused) as refused:
            await Pipe(url, "checker", timeout_s=2.0).ask([("PING",)])
    assert isinstance(refused.value, CacheUnavailable)
