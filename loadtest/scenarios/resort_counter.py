"""A rated resort that sells to people under a cap: holds, captures, refunds and voids."""

from datetime import date
from functools import cache
from typing import Any
from uuid import uuid4

import msgspec
from locust import between, task

from loadtest.answers import WrongAnswersError
from loadtest.document_numbers import SyntheticDocument
from loadtest.draw import pick
from loadtest.merchants import (
    AMOUNT_FEN,
    AUTHORIZATIONS,
    MORE_THAN_ANY_CAP_FEN,
    MerchantAnswer,
    authorization_body,
    debtors,
    held_within,
)
from loadtest.scenarios.institution import Institution
from loadtest.scenarios.sales import WRONG, population

_OK, _CREATED, _CONFLICT = 200, 201, 409
_SHOWS_SUMS = frozenset({_CREATED, _CONFLICT})


class ResortCounter(Institution):
    """A resort's counter. Every sale is given back, so no cap is ever used up."""

    weight = 1
    wait_time = between(0.2, 1.0)

    def on_start(self) -> None:
        """Give the counter its key and its guests."""
        super().on_start()
        self.people = _debtors(self.today)

    @task(4)
    def sell_and_give_back(self) -> None:
        """Hold a sum, capture it, and refund it."""
        if (held := self._hold()) and self._move(held, "capture"):
            self._move(held, "refund")

    @task(2)
    def let_a_hold_go(self) -> None:
        """Hold a sum, and void the hold."""
        if held := self._hold():
            self._move(held, "void")

    @task(1)
    def ask_for_too_much(self) -> None:
        """Order more than any cap. The refusal shows the sums."""
        body = authorization_body(pick(self.rng, self.people), MORE_THAN_ANY_CAP_FEN, "TOO-MUCH")
        self._order(AUTHORIZATIONS, body, "resort: too much", _CONFLICT)

    def _hold(self) -> MerchantAnswer | None:
        body = authorization_body(pick(self.rng, self.people), AMOUNT_FEN, "ORDER")
        return self._order(AUTHORIZATIONS, body, "resort: hold", _CREATED)

    def _move(self, order: MerchantAnswer, move: str) -> MerchantAnswer | None:
        body = b"" if move == "void" else msgspec.json.encode({"amount_fen": AMOUNT_FEN})
        return self._order(f"{AUTHORIZATIONS}/{order.id}/{move}", body, f"resort: {move}", _OK)

    def _order(self, path: str, body: bytes, name: str, right: int) -> MerchantAnswer | None:
        """Send an order, and return its answer; None: it was answered otherwise than it should."""
        headers: dict[str, Any] = {**self.headers, "Idempotency-Key": str(uuid4())}
        with self.client.post(
            path, data=body.decode(), headers=headers, name=name, catch_response=True
        ) as response:
            if response.status_code != right:
                response.failure(f"answered {response.status_code} instead of {right}")
                return None
            told = msgspec.json.decode(response.content, type=MerchantAnswer)
            if right in _SHOWS_SUMS:
                try:
                    held_within(told.spending)
                except WrongAnswersError as error:
                    response.failure(f"{WRONG}: {error}")
                    return None
            response.success()
            return told


@cache
def _debtors(today: date) -> list[SyntheticDocument]:
    return debtors(population(), today)
