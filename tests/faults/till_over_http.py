"""A till that sends orders over a connection of its own, and now and then hangs up too early."""

import asyncio
import json
from contextlib import suppress
from random import Random
from typing import Any

from tests.support.spending_crowd import AnswerLost, Said, Told
from tests.support.town import document, resident_id

DROPPED_SHARE = 0.01
ANSWER_S_MAX = 20.0

_END_OF_HEAD = b"\r\n\r\n"


def person_number(person: int) -> str:
    """The resident ID of somebody of the crowd."""
    return resident_id("440882", "18660606", person)


class TillOverHttp:
    """One connection at a time, opened anew whenever it was lost."""

    def __init__(self, port: int, keys: list[str], seed: int) -> None:
        self._port = port
        self._keys = keys
        self._rng = Random(seed)
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.dropped = 0

    async def send(self, said: Said) -> Told:
        """Send an order. Raises AnswerLost, also where the server says that it cannot answer."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                status, body = await self._exchange(_request(said, self._keys[said.merchant]))
        except (OSError, asyncio.IncompleteReadError) as error:
            await self.aclose()
            raise AnswerLost from error
        told = Told(status=status, body=json.loads(body))
        if status == 503:
            raise AnswerLost
        return told

    async def aclose(self) -> None:
        """Hang up."""
        if self._line is not None:
            _, writer = self._line
            self._line = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._line
        writer.write(request)
        if self._rng.random() < DROPPED_SHARE:
            await writer.drain()
            self.dropped += 1
            raise ConnectionAbortedError
        head = await reader.readuntil(_END_OF_HEAD)
        [length] = [
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        return int(head[9:12]), await reader.readexactly(length)


def _request(said: Said, key: str) -> bytes:
    path = "/v1/spending/authorizations"
    body: dict[str, Any] = {}
    if said.move == "authorize":
        assert said.person is not None
        service = {"type": "resort", "venue": "rated_resort", "amount_fen": said.amount_fen}
        body = {"subject": {"document": document(person_number(said.person))}, "service": service}
        if said.hold_seconds is not None:
            body["hold_seconds"] = said.hold_seconds
    else:
        path += f"/{said.authorization_id}/{said.move}"
        if said.amount_fen is not None:
            body = {"amount_fen": said.amount_fen}
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Idempotency-Key: {said.key}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
