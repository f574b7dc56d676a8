"""Past sales of the registry's tests, and how they are reconciled."""

from datetime import timedelta

import msgspec

from checker.accounts.keys import AccountRole, Caller
from checker.accounts.scope import Scope, limits_of
from checker.domain.clock import instant_text
from checker.errors import InvalidRequest
from checker.formats.lines import cut_lines
from checker.reconciliation.batches import in_batches
from checker.reconciliation.job import ReconciliationStatus
from checker.reconciliation.past_sale import SalesFormat, SalesReader
from tests.integration.registry.correction_filings import SELLER
from tests.support.registry_grounds import AT, document, person_listing, publish, resident_id

HOURS = 8


def caller(account_id=SELLER, quota=0, key_pk=1):
    return Caller(
        key_pk=key_pk,
        account_id=account_id,
        name=account_id,
        role=AccountRole.INSTITUTION,
        services=None,
        jurisdiction=None,
        limits=limits_of(key_pk, Scope(items_per_minute=quota), account_id, Scope()),
    )


async def two_listed(node):
    """Put two persons on the list at `AT`, and make a seller's account."""
    await publish(node, [person_listing(1), person_listing(2)])
    async with node.engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO account (id, name, role) VALUES ($1, $1, 'institution')", (SELLER,)
        )
    return node


def sale(index, *, hours, number=None, kind="resident_id", **more):
    """A flight that somebody was sold so many hours after `AT`."""
    subject = {"document": document(number or resident_id(index), kind)}
    return {
        "subject": subject,
        "service": {"type": "air", "flight": "CZ3101"},
        "sold_at": instant_text(AT + timedelta(hours=hours)),
    } | more


async def chunks_of(sales, *, cut=False):
    for each in sales:
        yield msgspec.json.encode(each) + b"\n"
    if cut:
        raise InvalidRequest("cut off")


async def begin(node, sales, *, by, cut=False):
    reader = SalesReader(SalesFormat.NDJSON, by, node.clock.now(), node.sealer.document_token)
    lines = cut_lines(chunks_of(sales, cut=cut))
    await reader.open(lines)
    opened = await node.reconciliations.open(by)
    return opened, by, reader, in_batches(lines)


async def reconcile(node, *sales, by=None):
    """Reconcile sales; gives the reconciliation and its results by line."""
    works = node.reconciliations
    done = await works.work(*await begin(node, sales, by=by or caller()))
    assert done.status is ReconciliationStatus.DONE
    return done, {each.line: each for each in await works.results(done.number, 0, 10_000)}


async def outcomes_of(node, *sales):
    """Return, line by line, the answer of the list of that time."""
    _, results = await reconcile(node, *sales)
    return [
        (results[line].decision or results[line].error["code"]) if line in results else "allow"
        for line in range(1, len(sales) + 1)
    ]


async def by_hour(node, index, **more):
    return await outcomes_of(node, *(sale(index, hours=each, **more) for each in range(HOURS)))
