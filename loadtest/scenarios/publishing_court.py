"""A court that lists and delists persons while sellers ask; each change is verified by a check."""

import os

import msgspec
from locust import between, task

from loadtest.bench_changes import FEED, MeasuredChange
from loadtest.questions import SERVICE
from loadtest.scenarios.institution import Institution
from loadtest.scenarios.sales import Sale, court_changes

COURT_KEY_VARIABLE = "CHECKER_COURT_KEY"


class PublishingCourt(Institution):
    """A court: one person a change, and a seller who asks about the person at once."""

    fixed_count = 1
    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        """Give the court its persons and its key."""
        super().on_start()
        self.changes = court_changes(self.today)
        self.court_headers = {
            "Authorization": f"Bearer {os.environ[COURT_KEY_VARIABLE]}",
            "Content-Type": "application/x-ndjson",
        }

    @task
    def list_and_delist(self) -> None:
        """List a person, then delist the person; after each answer the change is in force."""
        for _ in range(2):
            self._publish(self.changes.next())

    def _publish(self, change: MeasuredChange) -> None:
        kind = "list" if change.is_listing else "delist"
        with self.client.post(
            FEED,
            data=change.line,
            headers=self.court_headers,
            name=f"court: {kind}",
            catch_response=True,
        ) as response:
            if response.status_code != 200:
                return
            told = msgspec.json.decode(response.content)
            if told["accepted"] != 1:
                response.failure(f"wrong answer: {told['accepted']} changes accepted")
                return
        self.changes.settled(change)
        sale = Sale(subject=change.subject, service=SERVICE, decision=change.decision)
        self.ask(sale, f"court: a check after {kind}")
