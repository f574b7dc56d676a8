"""How the simulation asks a node, sends it a feed, and reads what comes back."""

import asyncio
from collections import Counter

import msgspec

from checker.domain.clock import shanghai_day
from checker.domain.document import Document, normalize
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import Service
from checker.registry.prepared_check import PreparedCheck, PreparedSubject
from tests.integration.simulation.small_town import Town, ndjson
from tests.support.registry_grounds import until


class World:
    """The state that all sequences share."""

    def __init__(self, runner, nodes, clock):
        self.run, self.nodes, self.clock = runner.run, nodes, clock
        self.tally = Counter()
        self._towns = 0

    def next_town(self):
        self._towns += 1
        return Town(self._towns)


def _check(sealer, question, now):
    document = normalize(msgspec.convert(question["document"], Document), shanghai_day(now))
    name = question["name"]
    token = sealer.document_token(document)
    return PreparedCheck(
        subject=PreparedSubject(token=token, document=document, name=name),
        service=msgspec.convert(question["service"], Service),
        jurisdiction=Jurisdiction(question["jurisdiction"]),
        reference=question["reference"],
    )


async def decide(runtime, questions, now):
    checks = [_check(runtime.sealer, each, now) for each in questions]
    return await runtime.checks.decide(checks, account_id=None)


async def until_clear(runtime, questions, now):
    """Wait until the registry need not be asked: a lease may have been over in between."""

    async def is_clear():
        return not (await decide(runtime, questions, now)).from_registry

    await until(is_clear)


def shown(decision):
    """Return a decision in the form of the model; national measures come first."""
    reasons = [
        (each.code.value, each.measure, each.role.value, each.listing and each.listing.id)
        for each in decision.reasons
    ]
    places = [measure.partition("/")[0] for _, measure, *_ in reasons]
    assert places == sorted(places), "cn-2016-64 comes before leizhou"
    permit = None if decision.permit is None else decision.permit.id
    return decision.outcome.value, frozenset(reasons), permit


async def feed(lines):
    yield ndjson(lines)


async def both(sending, happening):
    sent = asyncio.ensure_future(sending)
    try:
        await happening(sent)
    finally:
        report = await sent
    return report


async def nothing(_sent):
    pass
