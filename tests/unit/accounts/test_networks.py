"""Networks in CIDR form, and the addresses that lie in them."""

from ipaddress import ip_network

import pytest

from checker.accounts.scope import NETWORKS_MAX, is_within, read_networks
from checker.errors import InvalidRequest

OFFICE = ("192.0.2.0/24", "2001:db8::/48")


def test_networks_are_read_in_their_order_and_each_is_kept_once():
    assert read_networks((*OFFICE, "192.0.2.0/24", "198.51.100.7")) == (
        ip_network("192.0.2.0/24"),
        ip_network("2001:db8::/48"),
        ip_network("198.51.100.7/32"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.1/24",
        "192.0.2.0/33",
        "192.0.2.0/255.255.255.0",
        "192.0.2.0/",
        " 192.0.2.0/24",
        "192.0.2.0/24/8",
        "0192.0.2.0/24",
        "fe80::%eth0/64",
        "::ffff:192.0.2.0/120",
        "2001:db8::1/48",
        "example.com",
        "１９２.0.2.0/24",
    ],
)
def test_a_text_that_is_no_network_is_refused_by_its_place_and_not_repeated(text):
    with pytest.raises(InvalidRequest) as refused:
        read_networks(["192.0.2.0/24", text])
    [fault] = refused.value.faults
    assert fault.pointer == "/networks/1"
    assert not text or text not in f"{refused.value} {fault.detail}"


def test_the_number_of_networks_is_bounded():
    texts = [f"10.{number}.0.0/16" for number in range(NETWORKS_MAX)]
    assert len(read_networks(texts)) == NETWORKS_MAX
    with pytest.raises(InvalidRequest) as refused:
        read_networks([*texts, "192.0.2.0/24"])
    assert [fault.pointer for fault in refused.value.faults] == ["/networks"]


@pytest.mark.parametrize(
    ("address", "lies_within"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::7", True),
        ("2001:db8::7%eth0", True),
        ("192.0.3.7", False),
        ("2001:db9::7", False),
        ("", False),
        ("testclient", False),
    ],
)
def test_an_address_lies_within_a_network_whatever_its_form(address, lies_within):
    assert is_within(address, read_networks(OFFICE)) is lies_within
