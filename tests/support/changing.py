"""Changes of the list over HTTP: operations are sent, and strangers to the town are asked about.

Operations on a listing, a document or a permit outlive the next snapshot, so each test has people
and ids of its own.
"""

import itertools
import json
from typing import Any

import httpx

from tests.support.asking import FLIGHT, ask
from tests.support.town import (
    STRANGERS_NAME,
    STRANGERS_NUMBER,
    STRANGERS_PASSPORT,
    Line,
    document,
    listing,
    person,
    resident_id,
)

CHANGES = "/v1/feed/changes"
CONNECTIONS = 8
"""Asked so often on connections of their own, both workers are met but for once in 128 times."""

_numbers = itertools.count(1)


class Stranger:
    """Somebody whom no other test knows, with a listing of their own."""

    def __init__(self) -> None:
        self.sequence = next(_numbers)
        self.number = resident_id(STRANGERS_NUMBER[:6], STRANGERS_NUMBER[6:], self.sequence)
        self.passport = f"{STRANGERS_PASSPORT}{self.sequence:05d}"
        self.name = f"{STRANGERS_NAME}{self.sequence}"
        self.listing_id = f"stranger-{self.sequence}"

    def listing(self, **more: Any) -> Line:
        return listing(self.listing_id, person(self.name, document(self.number)), **more)

    def listed(self, **more: Any) -> Line:
        return {"op": "list", "listing": self.listing(**more)}

    def about(self, op: str, **more: Any) -> Line:
        return {"op": op, "listing_id": self.listing_id, **more}

    def permit(self, permit_id: str, **more: Any) -> Line:
        fields = {
            "id": f"{permit_id}-{self.sequence}",
            "document": document(self.number),
            "services": ["air"],
            "valid_from": "2026-01-01",
            "valid_until": "2099-01-01",
            "uses": None,
            "court": "雷州市人民法院",
            "ground": "就医",
        }
        return {"op": "permit", "permit": fields | more}


class Court:
    """Sends operations, each of which must be answered."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def say(self, *lines: Line | str, **parameters: str) -> dict[str, Any]:
        """Send lines as one feed; gives the report."""
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        response = self.client.post(CHANGES, content="\n".join(texts).encode(), params=parameters)
        assert response.status_code == 200, response.text
        report: dict[str, Any] = response.json()
        assert report["rejected_count"] == len(report["rejected"])
        return report

    def do(self, *lines: Line) -> int:
        """Send lines all of which must stand; gives the version."""
        report = self.say(*lines)
        assert report["rejected"] == []
        assert report["accepted"] == len(lines)
        version: int = report["version"]
        return version

    def rejections(self, *lines: Line | str, **parameters: str) -> list[tuple[int, str]]:
        """Send lines; gives the number and code of those that were rejected."""
        report = self.say(*lines, **parameters)
        return [(line["line"], line["code"]) for line in report["rejected"]]


def outcome(client: httpx.Client, number: str, asked: dict[str, Any] = FLIGHT, **more: Any) -> str:
    told: str = ask(client, number, asked, **more)["decision"]
    return told


def ask_everywhere(
    service: Any, number: str, asked: dict[str, Any] = FLIGHT, **more: Any
) -> dict[str, Any]:
    """Ask on connections of their own, so that different workers answer; all must agree.

    Gives the last answer; of what each has of its own, its id, nothing is compared.
    """
    answers = []
    for _ in range(CONNECTIONS):
        with service.client(service.keys["institution"]) as client:
            answers.append(ask(client, number, asked, **more))
    told = [{name: each[name] for name in ("decision", "reasons", "permit")} for each in answers]
    assert all(each == told[-1] for each in told), told
    return answers[-1]


def outcome_everywhere(
    service: Any, number: str, asked: dict[str, Any] = FLIGHT, **more: Any
) -> str:
    told: str = ask_everywhere(service, number, asked, **more)["decision"]
    return told
