"""People, listings and questions of the registry's tests, and a deployment to ask them in."""

import asyncio
import base64
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime

import msgspec
from sqlalchemy import text

from cache.errors import CacheError
from cache.keys import Keys
from cache.token import Token
from checker.config import Config, ListSettings
from checker.database.token_column import TokenColumn
from checker.domain.document import Document, DocumentType
from checker.domain.jurisdiction import NATION
from checker.domain.service import Air
from checker.node.runtime import open_runtime
from checker.node.upkeep import keep_current, publisher_running
from checker.registry.prepared_check import PreparedCheck, PreparedSubject
from checker.registry.standings import find_standings
from checker.registry.versions import newest_version
from loadtest.document_numbers import NumberSpace
from tests.support.token_keys import held_keys, token_key_variable

AT = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)
_TOKEN_KEY = bytes(range(32))
TOKEN_KEYS = held_keys()
ENVIRON = {
    "CHECKER_TOKEN_KEY": token_key_variable(_TOKEN_KEY),
    "CHECKER_ENCRYPTION_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
}
FIRST_KEY_ENVIRON = ENVIRON | {"CHECKER_TOKEN_KEY": base64.b64encode(_TOKEN_KEY).decode()}
"""Of a deployment that an earlier version can go on with: it knows no further token key."""
COURT = "雷州市人民法院"

_numbers = NumberSpace(18)


PATIENCE_S = 20
LOOK_S = 0.005
"""Between two looks. A test that looks without a pause takes the processor from its servers."""


@asynccontextmanager
async def serving(config, clock, *, publish=True, environ=ENVIRON):
    """Open a node that serves, as a server's worker is; `publish`: it brings changes to the cache.

    Nobody keeps the audit and the notices here: these have grounds of their own.
    """
    async with AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(open_runtime(config, environ, clock=clock))
        await stack.enter_async_context(keep_current(runtime, publish=False))
        if publish:
            await stack.enter_async_context(publisher_running(runtime))
        yield runtime


def settle_nodes(client, *, ago_s):
    """Write the list of nodes as Redis has it `ago_s` seconds after it began to run."""
    seconds, microseconds = client.time()
    since_ms = seconds * 1000 + microseconds // 1000 - round(ago_s * 1000)
    client.hset(Keys().nodes, "!", f"{client.info('server')['run_id']}:{since_ms}")


def config_of(data_dir, database_url, redis_url):
    return Config(
        data_dir=data_dir,
        database_url=database_url,
        redis_url=redis_url,
        config_file=None,
        jurisdictions={},
        list=ListSettings(),
    )


def resident_id(index):
    return _numbers.resident_id(index, "0704")


def uscc(index):
    return _numbers.uscc(index)


def name_of(index):
    return f"示例人{index}号"


def document(number, kind="resident_id"):
    return {"type": kind, "number": number}


def person_listing(index, **changes):
    """A listing of the person with this index, as an object of the feed."""
    party = {
        "type": "person",
        "name": name_of(index),
        "documents": [document(resident_id(index))],
    }
    return {
        "id": f"listing-{index}",
        "case_number": f"（2026）粤0882执{index}号",
        "court": COURT,
        "published_on": "2026-01-01",
        "party": party,
    } | changes


def masked_listing(index, name):
    """The listing of a person who is shown under this name, with a masked number."""
    number = resident_id(index)
    documents = [document(number[:10] + "****" + number[14:])]
    listing = person_listing(index)
    return listing | {"party": listing["party"] | {"name": name, "documents": documents}}


def company_listing(index, *officers, **changes):
    """A listing of a company and its officers, each a pair of role and person's index."""
    party = {
        "type": "organization",
        "name": f"示例{index}有限公司",
        "documents": [document(uscc(index), "uscc")],
    }
    rows = [
        {
            "role": role,
            "name": name_of(person),
            "documents": [document(resident_id(person))],
        }
        for role, person in officers
    ]
    return person_listing(index, party=party, officers=rows) | changes


def ndjson(listings):
    return b"".join(msgspec.json.encode(listing) + b"\n" for listing in listings)


async def feed_of(*chunks):
    for chunk in chunks:
        yield chunk


async def publish(node, listings, **options):
    """Replace the list; when this returns the new one is in force, whatever a node may hold."""
    return await node.feed.replace(feed_of(ndjson(listings)), **options)


async def apply(node, *operations, **options):
    """Send operations; when this returns what was accepted is in force."""
    return await node.changes.apply(feed_of(ndjson(operations)), **options)


async def accepted(node, *operations):
    """Send operations of which none may be rejected; give the version that they led to."""
    report = await apply(node, *operations)
    assert report.rejected == (), report.rejected
    return report.version


async def until(condition):
    """Wait for a condition to come true, and give its value; a defect ends the wait."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if value := await condition():
                return value
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await asyncio.Event().wait()


async def settled(node):
    """Wait until the node answers from what it holds itself: the newest list, cache and replica."""

    async def is_settled():
        async with node.engine.connect() as connection:
            newest = await newest_version(connection)
        try:
            lookup = await node.cache.lookup(())
        except CacheError:
            return False
        held = node.replica.position
        return (
            node.replica.holds_lease and newest.version == held.version == lookup.position.version
        )

    await until(is_settled)
    return node


def document_of(number, kind="resident_id"):
    return Document(type=DocumentType(kind), number=number)


def check_of(number, name=None, kind="resident_id", service=None, reference=None):
    """Return a check whose token is not made yet: each deployment has a key of its own."""
    return PreparedCheck(
        subject=PreparedSubject(token=Token(b""), document=document_of(number, kind), name=name),
        service=service or Air(flight="CZ3101"),
        jurisdiction=NATION,
        reference=reference,
    )


def with_token(sealer, check):
    token = sealer.document_token(check.document)
    subject = msgspec.structs.replace(check.subject, token=token)
    return msgspec.structs.replace(check, subject=subject)


async def decide(node, *checks, account_id=None):
    prepared = [with_token(node.sealer, check) for check in checks]
    return await node.checks.decide(prepared, account_id=account_id)


async def decision_of(node, check):
    [decision] = (await decide(node, check)).decisions
    return decision


async def outcomes(node, checks):
    decided = await decide(node, *checks)
    return [decision.outcome.value for decision in decided.decisions]


async def outcome_of(node, index):
    [outcome] = await outcomes(node, [check_of(resident_id(index), name_of(index))])
    return outcome


async def standing_then(node, document, version, **options):
    """Return the standing of a document's holder on the list of `version`."""
    subject = PreparedSubject(token=node.sealer.document_token(document), document=document)
    findings = await find_standings(node.engine, node.sealer, [subject], version=version, **options)
    assert findings.version.version == version
    return findings.standings[0]


async def query(node, statement, **parameters):
    """Return the rows of a statement, in which columns with the name of a token have tokens."""
    typed = text(statement).columns(**dict.fromkeys(("token", "name_token"), TokenColumn))
    async with node.engine.connect() as connection:
        return (await connection.execute(typed, parameters)).all()


async def listings_in_force(node):
    rows = await query(node, "SELECT id FROM listing WHERE until_version IS NULL")
    return {row.id for row in rows}


def generations(client):
    """The ids of all generations of which Redis holds a key."""
    keys = Keys()
    return {keys.generation_of(key.decode()) for key in client.scan_iter(keys.any_generation)}
