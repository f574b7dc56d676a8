"""A receiver with an untrusted certificate gets no notice; one with a trusted certificate does."""

import ssl
from contextlib import contextmanager

import httpx
import pytest

from checker.notices.endpoint import EndpointRules
from checker.notices.post import open_postman
from tests.support.certificates import EXPIRED, NOT_YET_VALID, Authority
from tests.support.notice_receiver import receiving

pytestmark = pytest.mark.anyio

OPEN = EndpointRules(allow_private_addresses=True)
NAME = "hotel.example"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@contextmanager
def receiving_over_tls(files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    with receiving(tls=context) as receiver:
        yield receiver


async def here(_host, _port):
    return ["127.0.0.1"]


async def posted(url, context):
    async with open_postman(httpx.URL(url), OPEN, context, resolve_host=here) as postman:
        return await postman.post("{}", {"webhook-id": "1"})


async def test_the_name_of_the_url_is_verified_and_not_the_address(authority):
    with receiving_over_tls(authority.issue(NAME, host=NAME)) as receiver:
        port = httpx.URL(receiver.url).port
        unknown = await posted(f"https://{NAME}:{port}/", httpx.create_ssl_context())
        trusting = ssl.create_default_context(cafile=authority.file)
        other = await posted(f"https://other.example:{port}/", trusting)
        assert receiver.messages == []
        right = await posted(f"https://{NAME}:{port}/", trusting)
    assert (unknown.failure, other.failure, right.failure) == ("tls", "tls", None)
    assert [each.headers["host"] for each in receiver.messages] == [f"{NAME}:{port}"]


@pytest.mark.parametrize("term", [EXPIRED, NOT_YET_VALID], ids=["expired", "not yet valid"])
async def test_a_receiver_whose_certificate_is_not_valid_now_gets_no_notice(authority, term):
    trusting = ssl.create_default_context(cafile=authority.file)
    with receiving_over_tls(authority.issue(NAME, host=NAME, term=term)) as receiver:
        port = httpx.URL(receiver.url).port
        refused = await posted(f"https://{NAME}:{port}/", trusting)
    assert (refused.failure, receiver.messages) == ("tls", [])
