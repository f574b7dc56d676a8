"""The questions of benchmarks as bytes, and the proof that a service answers them rightly.

All servers of a comparison get the same bytes: the contract's check, with a key. A baseline reads
the document in the body and ignores the rest.
"""

import http.client
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any

import msgspec

from loadtest.answers import WrongAnswersError
from loadtest.crowd import CrowdSubject, ListForm
from loadtest.generator import LOOPBACK, post
from loadtest.holders import Organization
from loadtest.population import Population

CHECKS = "/v1/checks"
BATCH = "/v1/checks/batch"
CROWD = 2000
VERIFIED = 200
"""Half of them are listed, so that all decisions come up."""

SERVICE = {"type": "air", "flight": "CZ3101"}
"""A service that is closed to all five roles."""

_DENIED_SECONDS_MAX = 60.0


def innocents(population: Population, size: int = CROWD) -> list[CrowdSubject]:
    """Return subjects that are on no list; each is asked about without a name."""
    crowd = population.crowd(size, 0.0, form=ListForm.ZXGK)
    return [msgspec.structs.replace(subject, name=None) for subject in crowd]


def named(subjects: Iterable[CrowdSubject]) -> list[CrowdSubject]:
    """Return the same subjects, each with the name of its holder."""
    return [msgspec.structs.replace(subject, name=subject.holder.name) for subject in subjects]


def persons_alone(subjects: Iterable[CrowdSubject]) -> Iterator[CrowdSubject]:
    """Yield the subjects that are natural persons."""
    return (subject for subject in subjects if not isinstance(subject.holder, Organization))


def check_body(subject: CrowdSubject) -> bytes:
    """Return the body of a check of a service that is closed to all five roles."""
    return msgspec.json.encode({"subject": subject.request(), "service": SERVICE})


def check_request(subject: CrowdSubject, key: str) -> bytes:
    """Return the bytes of a check by the contract."""
    return post(CHECKS, check_body(subject), key=key)


def batch_body(subjects: Sequence[CrowdSubject]) -> bytes:
    """Return the body of a batch of one service."""
    asked = {"service": SERVICE, "subjects": [subject.request() for subject in subjects]}
    return msgspec.json.encode(asked)


def batches(
    population: Population, key: str, *, persons: int, requests: int, path: str = BATCH
) -> list[bytes]:
    """Return batches of innocent persons; nobody is in two of them."""
    crowd = iter(innocents(population, persons * requests))
    return [post(path, batch_body(list(islice(crowd, persons))), key=key) for _ in range(requests)]


def denied(population: Population, today: date) -> list[CrowdSubject]:
    """Return subjects of the list that have to be denied."""
    crowd = population.crowd(CROWD, 1.0, form=ListForm.ZXGK)
    return [subject for subject in crowd if subject.expected(today) == "deny"]


def verify(population: Population, port: int, key: str, today: date) -> None:
    """Compare answers with the truth.

    Raises:
        WrongAnswersError: the text has the number of wrong answers, and names nobody.
    """
    wrong: list[str] = []
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    for subject in population.crowd(VERIFIED, 0.5, form=ListForm.ZXGK):
        content = _asked(connection, CHECKS, check_body(subject), key)
        expected, given = subject.expected(today), content.get("decision", content.get("status"))
        if given != expected:
            wrong.append(f"{given} instead of {expected}")
    connection.close()
    if wrong:
        raise WrongAnswersError(f"{len(wrong)} of {VERIFIED} answers are wrong: {set(wrong)}")


def verify_denied(subjects: Sequence[CrowdSubject], port: int, key: str) -> None:
    """Ask about all subjects once, in a batch.

    Raises:
        WrongAnswersError: a subject is not denied.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_DENIED_SECONDS_MAX)
    results = _asked(connection, BATCH, batch_body(subjects), key).get("results", [])
    connection.close()
    wrong = [each for each in results if each.get("decision") != "deny"]
    if wrong or len(results) != len(subjects):
        raise WrongAnswersError(f"{len(wrong)} of {len(subjects)} are not denied")


def _asked(
    connection: http.client.HTTPConnection, path: str, body: bytes, key: str
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", path, body=body, headers=headers)
    content: dict[str, Any] = msgspec.json.decode(connection.getresponse().read())
    return content
