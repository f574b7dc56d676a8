"""A small mixed load on a server in one situation, and what its callers saw, in closed words.

Five callers ask all the time, each over connections that any worker may serve: about an innocent,
about a listed person, a court that feeds a change and looks whether it is in force, a merchant that
holds money, and a balancer that looks at `/readyz`. They begin before the situation does, so that
requests are under way when it comes.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from enum import StrEnum

import httpx
from msgspec import Struct

from tests.support.asking import FLIGHT, problem, question
from tests.support.running_service import RunningService
from tests.support.spending import hold
from tests.support.town import DEBTOR, INNOCENT, document, listing, ndjson, person, resident_id

BEFORE_S = 0.3
SETTLED_S = 1.5
"""A lease from before the situation holds no longer: what is asked from here on is the outcome."""

ANSWER_S_MAX = 1.0
IN_FORCE_S_MAX = 3.0
LASTS_S = 2.4
CONNECTIONS = 4
PAUSE_S = 0.01
"""Between two questions of a caller: the load is small."""

_numbers = itertools.count()


class Column(StrEnum):
    """Who asks."""

    INNOCENT = "an innocent"
    LISTED = "a listed person"
    FEED = "a court's feed"
    HOLD = "a hold"
    READYZ = "`/readyz`"


class Word(StrEnum):
    """What a caller saw, and the bound that each such answer kept."""

    ALLOW = "allow in under 1 s"
    DENY = "deny in under 1 s"
    HELD = "held in under 1 s"
    IN_FORCE = "in force in under 3 s"
    REFUSED = "503 in under 1 s"
    LEASE = "allow for at most 1.5 s, then 503 in under 1 s"
    READY = "200 `ready`"
    DEGRADED = "200 `degraded`"
    UNREADY = "503"
    AWAY = "503 `away`"
    FULL = "503 `full`"
    READ_ONLY = "503 `read-only`"


WRONG = {Column.INNOCENT: Word.DENY, Column.LISTED: Word.ALLOW}
"""What nobody may ever see, not for a moment."""

BOUNDS_S = {Word.IN_FORCE: IN_FORCE_S_MAX}


class Seen(Struct, frozen=True):
    """One answer; times are in seconds since the situation began."""

    sent_at: float
    answered_at: float
    word: Word

    @property
    def waited_s(self) -> float:
        """How long the caller waited in this situation."""
        return self.answered_at - max(self.sent_at, 0.0)


class Late(AssertionError):
    """An answer took longer than its word allows."""


class Callers:
    """The five callers of one server."""

    def __init__(self, service: RunningService) -> None:
        self._service = service
        self._asks: dict[Column, tuple[str | None, Callable[[httpx.Client], Word]]] = {
            Column.INNOCENT: ("institution", lambda client: _check(client, INNOCENT)),
            Column.LISTED: ("institution", lambda client: _check(client, DEBTOR)),
            Column.FEED: ("court", self._feed),
            Column.HOLD: ("institution", _hold),
            Column.READYZ: (None, _readiness),
        }

    def see(self, situation: AbstractContextManager[None]) -> dict[Column, list[Seen]]:
        """Ask before the situation, through its beginning, and until it has settled."""
        seen: dict[Column, list[Seen]] = {column: [] for column in Column}
        began = threading.Event()
        ended = threading.Event()
        pace = threading.Event()  # nobody sets it: it only paces the load
        faults: list[BaseException] = []
        began_at = [float("inf")]

        def ask_on(column: Column) -> None:
            key, ask = self._asks[column]
            try:
                with self._clients(key) as clients:
                    for client in clients:
                        sent_at = time.monotonic()
                        word = ask(client)
                        answered_at = time.monotonic()
                        if began.is_set():
                            zero = began_at[0]
                            seen[column].append(Seen(sent_at - zero, answered_at - zero, word))
                        if ended.is_set() and _steady(seen[column]):
                            return
                        pace.wait(PAUSE_S)
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=ask_on, args=(column,)) for column in Column]
        for thread in threads:
            thread.start()
        threads[0].join(BEFORE_S)
        with situation:
            began_at[0] = time.monotonic()
            began.set()
            threads[0].join(LASTS_S)
            ended.set()
            for thread in threads:
                thread.join()
        if faults:
            raise faults[0]
        return seen

    @contextmanager
    def _clients(self, key: str | None) -> Iterator[Iterator[httpx.Client]]:
        with ExitStack() as stack:
            token = None if key is None else self._service.keys[key]
            yield itertools.cycle(
                [stack.enter_context(self._service.client(token)) for _ in range(CONNECTIONS)]
            )

    def _feed(self, court: httpx.Client) -> Word:
        """List somebody new, and look whether the next answer knows it."""
        number = next(_numbers)
        born = f"{1850 + number // 900}0101"
        listed = resident_id("330106", born, 1 + number % 900)
        entry = listing(f"outage-{number}", person("孙停摆", document(listed)))
        line = {"op": "list", "listing": entry}
        response = court.post("/v1/feed/changes", content=ndjson([line]))
        if response.status_code == 503:
            return _refused(response)
        assert response.json()["accepted"] == 1, response.text
        with self._service.client(self._service.keys["institution"]) as client:
            assert _check(client, listed) in {Word.DENY, Word.REFUSED}
        return Word.IN_FORCE


def words(seen: dict[Column, list[Seen]]) -> dict[Column, str]:
    """Return the cell of each column: what was seen once the situation had settled.

    Raises:
        AssertionError: an answer was wrong.
        Late: an answer took longer than its word allows.
    """
    cells = {}
    for column, answers in seen.items():
        assert all(one.word is not WRONG.get(column) for one in answers), column
    for column, answers in seen.items():
        late = [one for one in answers if one.waited_s > BOUNDS_S.get(one.word, ANSWER_S_MAX)]
        if late:
            raise Late(column, late)
        steady = {one.word for one in _steady(answers)}
        if column is Column.INNOCENT and steady == {Word.REFUSED}:
            steady = {Word.LEASE}
        cells[column] = " or ".join(sorted(steady))
    return cells


def _steady(answers: list[Seen]) -> list[Seen]:
    return [one for one in answers if one.sent_at >= SETTLED_S]


def _check(client: httpx.Client, number: str) -> Word:
    response = client.post("/v1/checks", json=question(number, FLIGHT))
    if response.status_code == 503:
        return _refused(response)
    return {"allow": Word.ALLOW, "deny": Word.DENY}[response.json()["decision"]]


def _hold(client: httpx.Client) -> Word:
    response = hold(client, DEBTOR, 1)
    if response.status_code == 503:
        return _refused(response)
    assert response.json()["status"] == "held", response.text
    return Word.HELD


def _readiness(client: httpx.Client) -> Word:
    response = client.get("/readyz")
    if response.status_code == 200:
        return Word(f"200 `{response.json()['status']}`")
    _refused(response)
    outage = response.json().get("outage")
    return Word.UNREADY if outage is None else Word(f"503 `{outage}`")


def _refused(response: httpx.Response) -> Word:
    problem(response, 503, "unavailable")
    assert int(response.headers["retry-after"]) > 0
    return Word.REFUSED
