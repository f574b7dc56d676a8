"""A transfer that ends in the middle is no end of the list: nothing changes."""

import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, ask
from tests.support.running_service import PATIENCE_S, RunningService
from tests.support.town import DEBTOR, INNOCENT, OTHER_NAME, TOWN, document, listing, ndjson, person

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

LINES = ndjson([listing("99", person(OTHER_NAME, document(INNOCENT)))])


def send_and_hang_up(service: RunningService, head: str, body: bytes) -> None:
    """Send a request by hand and close the sending side; whatever is answered is read."""
    lines = (
        "PUT /v1/feed/snapshot?allow_shrink=true HTTP/1.1",
        f"host: {service.address[0]}",
        f"authorization: Bearer {service.keys['court']}",
        head,
    )
    with socket.create_connection(service.address, PATIENCE_S) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"content-length: {len(LINES) + 1}", LINES),
        (f"content-length: {2 * len(LINES)}", LINES[:50]),
        ("transfer-encoding: chunked", b"%x\r\n%b\r\n" % (len(LINES), LINES)),
        ("transfer-encoding: chunked", b"%x\r\n%b" % (len(LINES) + 9, LINES)),
    ],
    ids=["one byte short", "in a line", "no last chunk", "in a chunk"],
)
def test_a_transfer_that_was_cut_off_changes_nothing(
    service: RunningService,
    institution: httpx.Client,
    put_snapshot: Callable[..., dict[str, Any]],
    head: str,
    body: bytes,
) -> None:
    version = put_snapshot(list(TOWN))["version"]
    send_and_hang_up(service, head, body)
    # A feed waits for the one before it, so what was cut off has been decided by now.
    assert put_snapshot(list(TOWN))["version"] == version + 1
    assert ask(institution, INNOCENT, FLIGHT)["decision"] == "allow"
    assert ask(institution, DEBTOR, FLIGHT)["decision"] == "deny"


def test_a_whole_transfer_sent_by_hand_is_taken_in(
    service: RunningService,
    institution: httpx.Client,
    put_snapshot: Callable[..., dict[str, Any]],
) -> None:
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(LINES), LINES)
    for head, body in (
        (f"content-length: {len(LINES)}", LINES),
        ("transfer-encoding: chunked", chunks),
    ):
        put_snapshot(list(TOWN))
        with socket.create_connection(service.address, PATIENCE_S) as connection:
            request = (
                "PUT /v1/feed/snapshot?allow_shrink=true HTTP/1.1\r\n"
                "host: x\r\nconnection: close\r\n"
                f"authorization: Bearer {service.keys['court']}\r\n{head}\r\n\r\n"
            )
            connection.sendall(request.encode() + body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        assert ask(institution, INNOCENT, FLIGHT)["decision"] == "deny"
    put_snapshot(list(TOWN))
