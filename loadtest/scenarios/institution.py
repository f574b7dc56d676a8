"""A seller as a user of locust: asks, retries, makes mistakes, and judges each answer."""

import os
from datetime import UTC, date, datetime
from itertools import count, islice
from random import Random
from urllib.parse import urlsplit

import gevent
from locust import FastHttpUser
from locust.exception import StopTest

from checker.domain.clock import shanghai_day
from loadtest.generator import LOOPBACK
from loadtest.scenarios.sales import (
    Sale,
    fault_of_sale,
    fault_of_sales,
    mistake_in,
    queue,
    sale_of,
)

KEY_VARIABLE = "CHECKER_KEY"
MISTAKES_SHARE = 0.01
LOST_ANSWERS_SHARE = 0.01
RETRIES_MAX = 3
RETRY_SECONDS_MAX = 5.0
_CHECKS = "/v1/checks"
_BATCH = "/v1/checks/batch"
_TRY_AGAIN = frozenset({429, 503})
_user_numbers = count()


class Institution(FastHttpUser):
    """A seller with a key, and people who queue at its counter."""

    abstract = True

    def on_start(self) -> None:
        """Give the user its queue and its key; refuse a host on another machine."""
        if urlsplit(self.host or "").hostname != LOOPBACK:
            raise StopTest(f"load goes to {LOOPBACK} alone")
        number = next(_user_numbers)
        self.rng = Random(number)
        self.queue = queue(number)
        self.headers = {
            "Authorization": f"Bearer {os.environ[KEY_VARIABLE]}",
            "Content-Type": "application/json",
        }

    @property
    def today(self) -> date:
        """The day in Shanghai."""
        return shanghai_day(datetime.now(UTC))

    def sales(self, kind: str, size: int) -> list[Sale]:
        """Return sales of a kind to the next people of the queue."""
        return [sale_of(kind, each, self.today, self.rng) for each in islice(self.queue, size)]

    def sell(self, kind: str, name: str) -> None:
        """Ask about the next of the queue.

        One in a hundred requests has a mistake. After one in a hundred answers the seller asks
        again, as if the answer was lost.
        """
        [sale] = self.sales(kind, 1)
        if self.rng.random() < MISTAKES_SHARE:
            self._make_a_mistake(sale, name)
        self.ask(sale, name)
        if self.rng.random() < LOST_ANSWERS_SHARE:
            self.ask(sale, f"{name}, again")

    def ask(self, sale: Sale, name: str) -> None:
        """Ask one question; a refusal for now is asked again after the pause that it names."""
        for _ in range(RETRIES_MAX):
            with self.client.post(
                _CHECKS, json=sale.body(), headers=self.headers, name=name, catch_response=True
            ) as response:
                if response.status_code == 200 and (fault := fault_of_sale(sale, response.json())):
                    response.failure(fault)
            if response.status_code not in _TRY_AGAIN:
                return
            pause = float(response.headers.get("Retry-After", "1"))
            gevent.sleep(min(pause, RETRY_SECONDS_MAX))

    def ask_many(self, sales: list[Sale], name: str) -> None:
        """Ask about all sales of a booking at once, each with its own service."""
        body = {"checks": [sale.body() for sale in sales]}
        with self.client.post(
            _BATCH, json=body, headers=self.headers, name=name, catch_response=True
        ) as response:
            if response.status_code == 200 and (fault := fault_of_sales(sales, response.json())):
                response.failure(fault)

    def _make_a_mistake(self, sale: Sale, name: str) -> None:
        mistake = mistake_in(sale, self.rng)
        headers = self.headers if mistake.has_key else {"Content-Type": "application/json"}
        with self.client.post(
            _CHECKS,
            data=mistake.content,
            headers=headers,
            name=f"{name}, by mistake",
            catch_response=True,
        ) as response:
            if response.status_code == mistake.status:
                response.success()
            else:
                given = response.status_code
                response.failure(
                    f"wrong answer: {given} instead of {mistake.status} to {mistake.name}"
                )
