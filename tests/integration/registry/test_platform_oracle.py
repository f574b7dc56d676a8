"""A whole platform file through the real command, and ten thousand checks against an oracle.

The oracle (`naive_platform`) reads the same file and shares no code with the service.
`PLATFORM_RECORDS=100000` sets the number of records in the file.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import msgspec
import pytest

from checker.accounts.keys import AccountRole, Caller
from checker.checks.batch_request import BATCH_ITEMS_MAX, open_batch
from checker.checks.turns import give_way
from checker.domain.clock import shanghai_day
from loadtest.population import Population
from tests.integration.registry.naive_platform import SERVICES, Platform
from tests.integration.registry.platform_crowd import crowd
from tests.support.registry_grounds import AT, ENVIRON, decide, settled, until

pytestmark = pytest.mark.anyio

RECORDS = int(os.environ.get("PLATFORM_RECORDS", "30000"))
TODAY = shanghai_day(AT)
CALLER = Caller(
    key_pk=1,
    account_id="counter",
    name="counter",
    role=AccountRole.INSTITUTION,
    services=None,
    jurisdiction=None,
)


async def test_ten_thousand_checks_of_a_platform_file_agree_with_a_naive_reading(
    node, config, seed
):
    population = Population(seed, RECORDS, today=TODAY)
    file = config.data_dir / "platform.ndjson"
    with file.open("wb") as stream:
        stream.writelines(population.zxgk_lines())
    report = await asyncio.to_thread(_import, file, config)
    platform = Platform(file)
    assert report["accepted"] == platform.readable
    assert report["accepted"] + report["rejected_count"] == RECORDS

    questions = crowd(platform, population, Random(seed), BATCH_ITEMS_MAX)
    expected = [platform.answer(question, TODAY) for question in questions]
    answered = await _ask(node, questions)

    wrong = [
        (question, told, wanted)
        for question, told, wanted in zip(questions, answered, expected, strict=True)
        if told != wanted
    ]
    assert not wrong, f"{len(wrong)} differ, the first: {wrong[0]}"
    _assert_telling(expected)


def _assert_telling(expected):
    """The crowd meets every decision, code and role often enough for agreement to mean much."""
    decisions = Counter(decision for decision, _ in expected)
    assert min(decisions[decision] for decision in ("allow", "review", "deny")) > 500
    codes = Counter(reason[0] for _, reasons in expected for reason in reasons)
    assert set(codes) == {
        "restricted",
        "name_mismatch",
        "masked_match",
        "cap_unset",
        "threshold_unset",
    }
    roles = Counter(reason[2] for _, reasons in expected for reason in reasons)
    assert len(roles) == 5
    assert min(*codes.values(), *roles.values()) > 50


def _import(file, config):
    """Take the list in by the command that an operator would use."""
    environ = ENVIRON | {
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
    }
    command = [Path(sys.executable).with_name("checker"), "import", file, "--format", "zxgk"]
    done = subprocess.run(
        [*command, "--json", "--allow-rejected", "--data-dir", config.data_dir],
        env=os.environ | environ,
        check=False,
        stdout=subprocess.PIPE,
    )
    assert done.returncode in {0, 4}, "some of the records cannot stand"
    return json.loads(done.stdout)


async def _ask(node, questions):
    bodies = [
        {
            "subject": _subject(question),
            "service": SERVICES[question.service][0],
            "jurisdiction": question.place,
        }
        for question in questions
    ]
    body = msgspec.json.encode({"checks": bodies})
    opened = await open_batch(body, CALLER, TODAY, node.sealer)
    checks = (await opened.read_all(give_way)).checks

    async def by_the_cache():
        # So many take a busy machine longer than a lease lasts: then the registry is asked, which
        # is not what is tested here.
        await settled(node)
        decided = await decide(node, *checks)
        return decided if decided.from_registry < len(questions) * 3 / 4 else None

    decided = await until(by_the_cache)
    return [
        (
            decision.outcome.value,
            sorted(
                (reason.code.value, reason.measure, reason.role.value, reason.listing.case_number)
                for reason in decision.reasons
            ),
        )
        for decision in decided.decisions
    ]


def _subject(question):
    document = {"type": question.kind, "number": question.number}
    named = {} if question.name is None else {"name": question.name}
    return {"document": document} | named
