"""A session ends by idleness, by age, by signing out, and with the key or the scope behind it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import redis

from checker.accounts.accounts import AccountChanges
from checker.accounts.keys import AccountRole, digest_of
from checker.domain.service import ServiceType
from checker.errors import Unauthenticated
from checker.node.runtime import Runtime
from checker.operators.action import AT_THE_SERVER
from checker.web.sessions import HOURS_MAX, IDLE_S, Sessions, new_cookie
from tests.integration.checks.doors import open_doors_with
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

ADDRESS = "127.0.0.1"


class SessionGround(NamedTuple):
    """The sessions of one node, whose clock the tests set."""

    sessions: Sessions
    runtime: Runtime
    key: str
    clock: FakeClock


@pytest.fixture
async def ground(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[SessionGround]:
    async with open_doors_with(tmp_path, database_url, redis_url) as (lane, keys):
        runtime = lane.routed.state.runtime
        await runtime.key_ring.refresh()
        sessions = Sessions(
            store=runtime.sessions,
            key_ring=runtime.key_ring,
            sealer=runtime.sealer,
            clock=runtime.clock,
        )
        yield SessionGround(sessions, runtime, keys[AccountRole.INSTITUTION], runtime.clock)


async def test_a_session_is_found_by_its_cookie_until_it_is_signed_out(
    ground: SessionGround,
) -> None:
    begun = await ground.sessions.sign_in(ground.key, ADDRESS)
    found = await ground.sessions.find(begun.cookie, ADDRESS)
    assert found is not None
    assert found.caller.role is AccountRole.INSTITUTION
    await ground.sessions.remember(found, "rail")
    again = await ground.sessions.find(begun.cookie, ADDRESS)
    assert again is not None
    assert again.content.last_service == "rail"
    await ground.sessions.sign_out(begun.cookie)
    assert await ground.sessions.find(begun.cookie, ADDRESS) is None


async def test_redis_holds_neither_cookie_nor_key_and_drops_an_idle_session(
    ground: SessionGround, redis_url: str
) -> None:
    begun = await ground.sessions.sign_in(ground.key, ADDRESS)
    with redis.Redis.from_url(redis_url) as client:
        [name] = client.keys("*:session:*")
        value = client.get(name)
        left_s = client.ttl(name)
    for secret in (begun.cookie.encode(), ground.key.encode(), digest_of(ground.key)):
        assert secret not in name
        assert secret not in value
    assert IDLE_S - 5 <= left_s <= IDLE_S


async def test_a_poll_of_a_script_does_not_lengthen_a_session(
    ground: SessionGround, redis_url: str
) -> None:
    begun = await ground.sessions.sign_in(ground.key, ADDRESS)
    with redis.Redis.from_url(redis_url) as client:
        [name] = client.keys("*:session:*")
        client.expire(name, 60)
        assert await ground.sessions.find(begun.cookie, ADDRESS, is_poll=True) is not None
        assert client.ttl(name) <= 60
        assert await ground.sessions.find(begun.cookie, ADDRESS) is not None
        assert client.ttl(name) > 60


async def test_a_session_ends_after_twelve_hours(ground: SessionGround) -> None:
    begun = await ground.sessions.sign_in(ground.key, ADDRESS)
    ground.clock.instant += HOURS_MAX - timedelta(seconds=1)
    assert await ground.sessions.find(begun.cookie, ADDRESS) is not None
    ground.clock.instant += timedelta(seconds=1)
    assert await ground.sessions.find(begun.cookie, ADDRESS) is None


async def test_a_session_ends_with_its_key(ground: SessionGround) -> None:
    made = await ground.runtime.account_keys.create_named(
        name="short", role=AccountRole.INSTITUTION, by=AT_THE_SERVER
    )
    begun = await ground.sessions.sign_in(made.key, ADDRESS)
    await ground.runtime.account_keys.revoke(
        begun.caller.account_id, made.state.id, by=AT_THE_SERVER
    )
    await ground.runtime.key_ring.refresh()
    assert await ground.sessions.find(begun.cookie, ADDRESS) is None


async def test_a_session_ends_with_the_scope_of_its_account(ground: SessionGround) -> None:
    begun = await ground.sessions.sign_in(ground.key, ADDRESS)
    changes = AccountChanges(scope={"services": frozenset({ServiceType.AIR})})
    await ground.runtime.accounts.change(begun.caller.account_id, changes, by=AT_THE_SERVER)
    await ground.runtime.key_ring.refresh()
    assert await ground.sessions.find(begun.cookie, ADDRESS) is None


async def test_nobody_signs_in_without_a_key_in_force(ground: SessionGround) -> None:
    for key in ("", "ck_short", "ck_" + "a" * 43, "陈示例"):
        with pytest.raises(Unauthenticated):
            await ground.sessions.sign_in(key, ADDRESS)


async def test_a_form_token_belongs_to_one_browser(ground: SessionGround) -> None:
    one, other = new_cookie(), new_cookie()
    token = ground.sessions.form_token(one)
    assert ground.sessions.is_form_token(token, one)
    assert not ground.sessions.is_form_token(token, other)
    assert not ground.sessions.is_form_token(token, None)
    assert not ground.sessions.is_form_token("", one)
    assert not ground.sessions.is_form_token("é", one)
