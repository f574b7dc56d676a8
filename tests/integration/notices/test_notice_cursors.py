"""A cursor leaves no notice out, also after a failover has given its number to another notice."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert

from checker.accounts.account_keys import AccountKeys
from checker.accounts.keys import AccountRole
from checker.domain.clock import SystemClock
from checker.errors import InvalidRequest
from checker.notices.feed import OVERLAP, NoticeFeed
from checker.notices.schema import notice
from checker.operators.action import AT_THE_SERVER
from checker.registry.schema import metadata
from checker.vault import Vault
from tests.support.token_keys import open_registry

pytestmark = pytest.mark.anyio

VAULT = Vault(bytes(32))
AT = datetime(2026, 11, 23, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def engine(anyio_backend, database_url):
    async with open_registry(database_url) as opened:
        yield opened


@pytest.fixture
async def hotel(engine):
    keys = AccountKeys(engine, VAULT, SystemClock())
    await keys.create_named(name="hotel", role=AccountRole.INSTITUTION, by=AT_THE_SERVER)
    async with engine.connect() as connection:
        account = metadata.tables["account"]
        return (await connection.execute(account.select())).one().id


async def noted(engine, hotel, number, event, at=AT):
    """Write a notice under a number, as the writer does."""
    row = {"pk": number, "id": str(uuid4()), "account_id": hotel, "listing_id": "1"}
    row |= {"ending": "e", "is_final": True, "decision_ids": [], "event": event, "at": at}
    async with engine.begin() as connection:
        await connection.execute(insert(notice).values(row))


async def fail_over(engine, *, above):
    async with engine.begin() as connection:
        await connection.execute(delete(notice).where(notice.c.pk > above))


async def read(engine, hotel, after=None):
    page = await NoticeFeed(engine).read(hotel, after, 10)
    return page.events, page.next


async def test_a_cursor_goes_on_behind_the_notice_that_it_names(engine, hotel):
    await noted(engine, hotel, 1, "first")
    events, cursor = await read(engine, hotel)
    await noted(engine, hotel, 2, "second")
    assert events == ["first"]
    events, cursor = await read(engine, hotel, cursor)
    assert events == ["second"]
    assert await read(engine, hotel, cursor) == ([], cursor)


async def test_a_notice_that_takes_the_number_of_a_lost_one_is_not_left_out(engine, hotel):
    await noted(engine, hotel, 1, "long ago", AT - OVERLAP - A_MINUTE)
    await noted(engine, hotel, 2, "lost")
    await noted(engine, hotel, 3, "lost too")
    _, cursor = await read(engine, hotel)
    await fail_over(engine, above=1)
    await noted(engine, hotel, 2, "later", AT + A_MINUTE)
    await noted(engine, hotel, 3, "later still", AT + A_MINUTE)
    events, cursor = await read(engine, hotel, cursor)
    assert events == ["later", "later still"]
    assert await read(engine, hotel, cursor) == ([], cursor)


async def test_a_cursor_of_a_lost_notice_finds_nothing_while_there_is_nothing_new(engine, hotel):
    await noted(engine, hotel, 1, "long ago", AT - OVERLAP - A_MINUTE)
    await noted(engine, hotel, 2, "lost")
    _, cursor = await read(engine, hotel)
    await fail_over(engine, above=1)
    assert await read(engine, hotel, cursor) == ([], cursor)


async def test_a_cursor_of_the_first_format_goes_on_behind_its_number(engine, hotel):
    await noted(engine, hotel, 1, "first")
    await noted(engine, hotel, 2, "second")
    cursor = base64.urlsafe_b64encode(b"n1:1").decode().rstrip("=")
    assert (await read(engine, hotel, cursor))[0] == ["second"]


@pytest.mark.parametrize(
    "told", [b"", b"n1:", b"n1:-1", b"n3:1", b"n2:1", b"n2:1:x:1", b"n2:1:" + b"a" * 32 + b":1e5"]
)
async def test_a_text_that_is_no_cursor_is_refused(engine, hotel, told):
    with pytest.raises(InvalidRequest):
        await read(engine, hotel, base64.urlsafe_b64encode(told).decode().rstrip("="))
