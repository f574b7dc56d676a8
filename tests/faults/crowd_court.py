"""Those who change the list: snapshots, operations, swaps and rebuilds, each in a loop."""

import asyncio
from itertools import groupby
from random import Random

import httpx

from checker.intake.removals_first import FREEING_OPERATIONS
from tests.faults.crowd_list import (
    ASKED,
    COMPANIES,
    MANY,
    PARTIES,
    bindings,
    entry_of,
    entry_of_company,
    officers_of,
    permit_for,
)
from tests.faults.crowd_record import FeedCall, now
from tests.faults.crowd_run import PAIR, Run
from tests.support.running_service import CHECKER, plain_environment
from tests.support.town import Line, ndjson

CHANGES_BETWEEN_SNAPSHOTS = 12
OPERATIONS = ("list", "list", "delist", "shield", "unshield", "officers", "permit")
OPERATIONS_MAX = 6
BIG = 0.15
"""The share of swaps that come with a change of many."""


class Court:
    """Sends through one node."""

    def __init__(self, run: Run, node: httpx.AsyncClient) -> None:
        self._run = run
        self._node = node
        self._granted: list[str] = []

    async def begin(self, draw: Random) -> None:
        await self._replace(draw)
        await self._change(bindings())
        await self._change([*map(_listed, (*PAIR, *MANY)), _delisted(PAIR[0])])

    async def keep_replacing(self, draw: Random) -> None:
        while not self._run.is_over:
            await self._run.await_changes(CHANGES_BETWEEN_SNAPSHOTS)
            await self._replace(draw)

    async def keep_changing(self, draw: Random, half: int) -> None:
        """Change what has every second number: no two change the same listing."""
        while not self._run.is_over:
            count = draw.randint(1, OPERATIONS_MAX)
            await self._change([self._operation(draw, half) for _ in range(count)])
        await self._run.tell_of_change()

    async def keep_swapping(self, draw: Random) -> None:
        while not self._run.is_over:
            ends, begins = draw.sample(PAIR, 2)
            lines = [_listed(begins), _delisted(ends)]
            if draw.random() < BIG:
                lines += map(draw.choice((_listed, _delisted)), MANY)
            await self._change(lines)

    async def _replace(self, draw: Random) -> None:
        listed = [draw.choice(PAIR), *draw.sample(range(2, PARTIES), draw.randint(100, 180))]
        companies = draw.sample(range(COMPANIES), draw.randint(COMPANIES // 2, COMPANIES))
        lines = [entry_of(index) for index in listed]
        lines += [entry_of_company(index, _some_officers(draw)) for index in companies]
        draw.shuffle(lines)
        sent_at = now()
        answer = await self._node.put(
            "/v1/feed/snapshot", content=ndjson(lines), params={"allow_shrink": "true"}
        )
        self._take_in(answer, sent_at, lines, is_snapshot=True)
        self._run.happened["replaced"] += 1

    async def _change(self, lines: list[Line]) -> None:
        # Strict: however long it is, it is one version.
        is_big = len(lines) > len(MANY)
        if is_big:
            await self._send(lines, is_big=True)
            return
        # Of a mixed file the lines that free people would be a version of their own.
        for _, alike in groupby(lines, lambda line: line["op"] in FREEING_OPERATIONS):
            await self._send(list(alike), is_big=False)

    async def _send(self, lines: list[Line], *, is_big: bool) -> None:
        sent_at = now()
        answer = await self._node.post(
            "/v1/feed/changes",
            content=ndjson(lines),
            params={"strict": "true"} if is_big else {},
        )
        self._take_in(answer, sent_at, lines, is_snapshot=False)
        self._run.happened["changed"] += 1
        self._run.happened["big"] += is_big
        await self._run.tell_of_change()

    def _take_in(
        self, answer: httpx.Response, sent_at: float, lines: list[Line], *, is_snapshot: bool
    ) -> None:
        assert answer.status_code == 200, answer.text
        told = answer.json()
        rejected = [(line["line"], line["code"]) for line in told["rejected"]]
        call = FeedCall(sent_at, now(), told["version"], lines, rejected, is_snapshot)
        self._run.record.take_in(call)

    def _operation(self, draw: Random, half: int) -> Line:
        index = draw.randrange(1, PARTIES // 2) * 2 + half
        self._run.heat(index)
        match draw.choice(OPERATIONS):
            case "list":
                return _listed(index)
            case "delist":
                return _delisted(index)
            case "officers":
                company = draw.randrange(COMPANIES // 2) * 2 + half
                officers = _some_officers(draw)
                for each in officers:
                    self._run.heat(each)
                name = f"c{company}"
                return {"op": "officers", "listing_id": name, "officers": officers_of(officers)}
            case "permit" if not self._granted or draw.random() < 0.5:
                self._granted.append(f"p{half}-{now()}")
                return permit_for(self._granted[-1], index)
            case "permit":
                return {"op": "withdraw_permit", "permit_id": self._granted.pop()}
            case other:
                return {"op": other, "listing_id": f"d{index}"}


async def keep_rebuilding(run: Run) -> None:
    while not run.is_over:
        process = await asyncio.create_subprocess_exec(
            CHECKER,
            "rebuild",
            "--data-dir",
            str(run.nodes[0].data_dir),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=plain_environment(),
        )
        told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()
        # A snapshot's generation fulfils the wish too, and is no rebuild.
        logs = [node.log() for node in run.nodes]
        run.happened["rebuilt"] = sum(log.count("rebuilt the cache") for log in logs)


def _listed(index: int) -> Line:
    return {"op": "list", "listing": entry_of(index)}


def _delisted(index: int) -> Line:
    return {"op": "delist", "listing_id": f"d{index}", "ground": "settled"}


def _some_officers(draw: Random) -> list[int]:
    return draw.sample(range(2, ASKED), draw.randint(0, 4))
