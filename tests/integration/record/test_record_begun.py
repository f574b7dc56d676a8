"""The journal of a deployment that was there before it: what stands there is entered once."""

import asyncio
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text

from checker.errors import ConfigurationError
from checker.node.record import begin_record
from checker.registry.sealing import PARTY_NAME
from tests.integration.record.record_grounds import SEALER, chain

pytestmark = pytest.mark.anyio

BEFORE = ("DELETE FROM journal", "UPDATE deployment SET journaled_at = NULL")
KEY = bytes(range(32, 64))
"""The encryption key of `record_grounds.SEALER`."""


def sealed_as_before(opened, place):
    nonce = os.urandom(12)
    return b"\x01" + nonce + AESGCM(KEY).encrypt(nonce, opened.encode(), place.encode())


async def begin(record):
    await begin_record(record.engine, SEALER, record.clock)


async def test_what_stood_there_before_is_entered_and_verifies(record):
    entered = (await record.verified()).journal.rows
    await record.tamper(*BEFORE)
    await begin(record)
    await chain(record.engine)

    told = await record.verified()
    assert await record.faults() == []
    assert told.journal.rows == entered
    assert told.journal.since == record.clock.now().isoformat()


async def test_values_that_an_older_version_sealed_verify_and_show_a_swap_afterwards(record):
    rows = await record.query("SELECT pk, id, party_name FROM listing")
    async with record.engine.begin() as connection:
        for row in rows:
            name = SEALER.vault.open(row.party_name, PARTY_NAME, row.id)
            sealed = sealed_as_before(name, PARTY_NAME)
            statement = text("UPDATE listing SET party_name = :sealed WHERE pk = :pk")
            await connection.execute(statement, {"sealed": sealed, "pk": row.pk})
    await record.tamper(*BEFORE)
    await begin(record)
    assert await record.faults() == []
    await record.tamper(
        "UPDATE listing AS one SET party_name = other.party_name FROM listing AS other"
        " WHERE one.id = 'listing-1' AND other.id = 'listing-2'"
    )
    faults = await record.faults()
    assert len(faults) == 1
    assert faults[0].startswith("listing listing-1#")
    assert faults[0].endswith("a token is not the one of its name")


async def test_a_journal_is_begun_once_by_however_many_processes_start(record):
    await record.tamper(*BEFORE)
    await asyncio.gather(*(begin(record) for _ in range(4)))
    await begin(record)

    assert await record.faults() == []


async def test_a_journal_that_somebody_has_begun_anew_shows_that(record):
    await record.tamper("UPDATE deployment SET journaled_at = NULL")
    await begin(record)

    assert any("begun more than once" in fault for fault in await record.faults())


async def test_a_row_that_cannot_be_read_stops_the_beginning_and_is_named(record):
    await record.tamper(*BEFORE, "UPDATE listing SET party_name = '\\x00' WHERE id = 'listing-2'")
    with pytest.raises(ConfigurationError, match="listing listing-2#"):
        await begin(record)
