"""People, listings and questions of the registry's tests, and a deployment to ask them in."""

import base64
from datetime import UTC, datetime

import msgspec
from sqlalchemy import text

from cache.token import Tokenizer
from checker.checks.request import PreparedCheck
from checker.config import Config, ListSettings
from checker.domain.document import Document, DocumentType
from checker.domain.jurisdiction import NATION
from checker.domain.service import Air
from loadtest.document_numbers import NumberSpace

AT = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)
_TOKEN_KEY = bytes(range(32))
FINGERPRINT = Tokenizer(_TOKEN_KEY).fingerprint
ENVIRON = {
    "CHECKER_TOKEN_KEY": base64.b64encode(_TOKEN_KEY).decode(),
    "CHECKER_ENCRYPTION_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
}
COURT = "雷州市人民法院"

_numbers = NumberSpace(18)


class FixedClock(msgspec.Struct, frozen=True):
    """A clock that stands."""

    instant: datetime

    def now(self):
        return self.instant


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
    """Replace the list, and let the node know of it as one that serves soon would."""
    report = await node.feed.replace(feed_of(ndjson(listings)), **options)
    await node.publisher.look()
    return report


def check_of(number, name=None, kind="resident_id", service=None):
    return PreparedCheck(
        document=Document(type=DocumentType(kind), number=number),
        name=name,
        service=service or Air(flight="CZ3101"),
        jurisdiction=NATION,
        reference=None,
    )


async def outcomes(node, checks):
    decided = await node.checks.decide(checks)
    return [decision.outcome.value for decision in decided.decisions]


async def outcome_of(node, index):
    [outcome] = await outcomes(node, [check_of(resident_id(index), name_of(index))])
    return outcome


async def query(node, statement, **parameters):
    async with node.engine.connect() as connection:
        return (await connection.execute(text(statement), parameters)).all()


async def listings_in_force(node):
    rows = await query(node, "SELECT id FROM listing WHERE until_version IS NULL")
    return {row.id for row in rows}
