"""Decisions are kept only if the list and the token key by which they were made still stand."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from checker.audit.decisions import keep_if_newest
from tests.integration.audit.audit_grounds import decision
from tests.support.token_keys import TESTED

pytestmark = pytest.mark.anyio


async def test_a_decision_by_another_list_or_token_key_is_not_kept(ground):
    [[change_id]] = await ground.query("SELECT change_id FROM change")
    stands = {"change_id": change_id.hex, "token_key": TESTED}
    async with ground.engine.begin() as connection:
        for past in ({"token_key": TESTED + 1}, {"change_id": str(uuid4())}):
            assert not await keep_if_newest(connection, [decision()], **stands | past)
        kept = decision()
        assert await keep_if_newest(connection, [kept], **stands)
        rows = await connection.execute(text("SELECT id FROM decision"))
        assert [str(row.id) for row in rows] == [kept.id]
