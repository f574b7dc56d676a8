"""No endpoint leads into the deployment's own network, however its address is written."""

import socket
from ipaddress import ip_address

import httpcore
import pytest

from checker.errors import InvalidRequest
from checker.notices.endpoint import EndpointRules, is_public, read_url
from checker.notices.guarded_network import GuardedNetwork
from checker.notices.network import (
    AddressRefused,
    CannotResolve,
    permitted_addresses,
    resolve,
)

pytestmark = pytest.mark.anyio

STRICT = EndpointRules()
OPEN = EndpointRules(allow_http=True, allow_private_addresses=True)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "198.18.0.1",
        "192.0.2.1",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "fec0::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a00:1::1",
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_refused(address):
    assert not is_public(ip_address(address))
    assert not STRICT.permits(address)
    assert OPEN.permits(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]
)
def test_an_address_of_the_public_internet_is_permitted(address):
    assert STRICT.permits(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hotel",
        "//hotel.example/",
        "http://hotel.example/",
        "ftp://hotel.example/",
        "https://",
        "https:///notices",
        "https://user:pass@hotel.example/",
        "https://hotel.example/#part",
        "https://hotel.example:0/",
        "https://hotel.example:99999/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0x7f.0.0.1/",
        "https://127.0.0.1./",
        "https://xn--)/",
        "https://hotel.example/\n",
        "https://hotel.example/" + "a" * 2_000,
    ],
)
def test_what_is_no_https_url_with_a_plain_host_is_refused_without_being_repeated(url):
    with pytest.raises(InvalidRequest) as refused:
        read_url(url, STRICT)
    [fault] = refused.value.faults
    assert fault.pointer == "/url"
    assert not url or url not in f"{refused.value} {fault.detail}"


def test_plain_http_is_read_where_the_operator_allows_it():
    assert read_url("http://hotel.example:8080/notices?key=1", OPEN).port == 8080
    assert read_url("https://hotel.example/", STRICT).host == "hotel.example"


def answering(*addresses):
    """A resolver that gives these addresses one after the other, the last for good."""
    given = list(addresses)

    async def resolve_host(_host, _port):
        return given.pop(0) if len(given) > 1 else given[0]

    return resolve_host


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "017700000001", "::1"]
)
async def test_every_way_to_write_this_machine_leads_to_an_address_that_is_refused(host):
    with pytest.raises(AddressRefused):
        await permitted_addresses(host, 443, STRICT)


async def test_a_name_of_which_one_address_is_private_is_refused():
    mixed = answering(["93.184.216.34", "10.0.0.1"])
    with pytest.raises(AddressRefused):
        await permitted_addresses("hotel.example", 443, STRICT, mixed)


async def test_a_name_that_leads_nowhere_is_told_apart():
    with pytest.raises(CannotResolve):
        await resolve("nobody.invalid", 443)


async def test_a_name_that_leads_elsewhere_when_it_is_connected_to_is_refused():
    """DNS rebinding: public when it is put, private when it is connected to."""
    rebound = answering(["93.184.216.34"], ["127.0.0.1"])
    await permitted_addresses("hotel.example", 443, STRICT, rebound)
    with pytest.raises(AddressRefused):
        await GuardedNetwork(STRICT, rebound).connect_tcp("hotel.example", 443, timeout=1)


async def test_a_connection_goes_to_the_very_address_that_was_looked_at():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        # Nobody else knows this name, so whoever resolved it again would fail.
        network = GuardedNetwork(OPEN, answering(["127.0.0.1"]))
        stream = await network.connect_tcp("nobody.invalid", port, timeout=5)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
        await stream.aclose()


async def test_a_name_without_an_address_cannot_be_connected_to():
    with pytest.raises(httpcore.ConnectError):
        await GuardedNetwork(STRICT).connect_tcp("nobody.invalid", 443, timeout=1)
