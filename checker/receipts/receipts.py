"""Issues receipts; of them, as of whom they are about, the service keeps nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from checker.domain.clock import Clock
from checker.receipts.keys import ReceiptKey
from checker.receipts.receipt import Receipt, Statement, claims_of, new_opening
from checker.receipts.signature import base64url, sign

AT_ONCE: Final = 25
"""Receipts that are signed in a row, in 2 ms or so; then others of the process have a turn."""

_encode = msgspec.json.Encoder().encode


async def _give_way() -> None:
    await asyncio.sleep(0)


class Receipts:
    """Signs what was answered; waits for nothing and nobody."""

    def __init__(self, signing: Callable[[], ReceiptKey], *, issuer: str, clock: Clock) -> None:
        """`signing` returns the key that signs now, or raises Unavailable."""
        self._signing = signing
        self._issuer = issuer
        self._clock = clock

    def issue(self, statement: Statement) -> Receipt:
        """Sign one answer."""
        return self._issue(statement, self._signing(), self._clock.now())

    async def issue_all(
        self,
        statements: Sequence[Statement | None],
        pace: Callable[[], Awaitable[None]] = _give_way,
    ) -> list[Receipt | None]:
        """Sign the answers of a batch in their order, by one key; None where none is wanted.

        `pace` is awaited after each slice.
        """
        receipts: list[Receipt | None] = [None] * len(statements)
        wanted = [(place, each) for place, each in enumerate(statements) if each is not None]
        if not wanted:
            return receipts
        key, at = self._signing(), self._clock.now()
        for done, (place, statement) in enumerate(wanted, 1):
            receipts[place] = self._issue(statement, key, at)
            if done % AT_ONCE == 0:
                await pace()
        return receipts

    def _issue(self, statement: Statement, key: ReceiptKey, at: datetime) -> Receipt:
        opening = new_opening()
        claims = claims_of(statement, issuer=self._issuer, at=at, opening=opening)
        return Receipt(
            jws=sign(_encode(claims), key.key, key.kid),
            opening=base64url(opening),
        )
