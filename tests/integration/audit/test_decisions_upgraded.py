"""Decisions that were kept before there were months and a chain come along with the upgrade."""

import json

import pytest
from alembic import command
from sqlalchemy import text

from checker.audit.chain import extend_decisions
from checker.audit.chain_verification import verify_chain
from checker.database.engine import open_engine
from checker.database.upgrade import alembic_config, upgrade
from tests.integration.audit.audit_grounds import AT

pytestmark = pytest.mark.anyio

BEFORE = "0003"
DECISION = "01a20891-65c0-72fe-8692-dd0694adf326"
LISTING = (
    "INSERT INTO listing (id, digest, case_number, court, public, party_type, party_name,"
    " from_version, until_version)"
    " VALUES (:id, '', 'x', 'y', :public, 'person', '', :since, :until)"
)


def reason(listing_id):
    return {
        "code": "restricted",
        "measure": "cn-2016-64/2.7.1",
        "role": "debtor",
        "listing": {"id": listing_id, "case_number": "x", "court": "y", "published_on": None},
        "remedy": {"court": "y", "apply_within_days": 10, "review_within_days": 3},
    }


async def kept_before(engine):
    """A decision by two listings of version 1, of which one is not public."""
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), BEFORE))
        for version in (1, 2):
            await connection.execute(
                text("INSERT INTO change VALUES (:version, 'snapshot', :at, 1, 0)"),
                {"version": version, "at": AT},
            )
        for listing_id, public, since, until in (
            ("open", True, 1, 2),
            ("open", False, 2, None),  # what it became later says nothing of the answer
            ("hidden", False, 1, None),
        ):
            row = {"id": listing_id, "public": public, "since": since, "until": until}
            await connection.execute(text(LISTING), row)
        await connection.execute(
            text(
                "INSERT INTO decision (id, at, service, jurisdiction, outcome, reasons,"
                " list_version) VALUES (:id, :at, 'air', 'CN', 'deny', :reasons, 1)"
            ),
            {
                "id": DECISION,
                "at": AT,
                "reasons": json.dumps([reason("open"), reason("hidden"), reason("unknown")]),
            },
        )


async def test_it_is_chained_and_shows_no_listing_that_the_answer_did_not(bare_database_url):
    async with open_engine(bare_database_url, timeout_s=None) as engine:
        await kept_before(engine)
        await upgrade(engine)
        async with engine.connect() as connection:
            row = (await connection.execute(text("SELECT * FROM decision"))).one()
        assert str(row.id) == DECISION
        assert row.listings == ["hidden", "open", "unknown"]
        assert [(each["listing"]["id"], each["is_public"]) for each in row.reasons] == [
            ("open", True),
            ("hidden", False),
            ("unknown", False),
        ]
        assert await extend_decisions(engine) == 1
        assert (await verify_chain(engine)).faults == ()
