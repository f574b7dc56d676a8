"""Keys in force, at an end, rotated and revoked, as every node sees them after one refresh."""

import asyncio
from datetime import timedelta

import pytest

from checker.accounts.account_keys import KEYS_MAX
from checker.accounts.accounts import AccountChanges
from checker.accounts.keys import SHOWN_LENGTH, AccountRole
from checker.accounts.scope import Scope, read_networks
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType
from checker.errors import Conflict, InvalidRequest, NotFound, OutOfScope, Unavailable
from checker.operators.action import AT_THE_SERVER
from tests.integration.accounts.access_grounds import AT

pytestmark = pytest.mark.anyio

RAIL = frozenset({ServiceType.RAIL})
NOWHERE = "00000000-0000-4000-8000-000000000000"


async def test_a_revoked_key_is_none_on_every_node_after_a_refresh(access):
    made = await access.key(await access.account())
    other = access.another_node()
    await other.refresh()
    assert await access.caller(made.key, other) is not None
    await access.keys.revoke(made.state.account_id, made.state.id, by=AT_THE_SERVER)
    for ring in (access.ring, other):
        await ring.refresh()
        assert await access.caller(made.key, ring) is None


async def test_a_key_expires_by_the_clock_though_nobody_is_asked(access):
    made = await access.key(await access.account(), expires_at=AT + timedelta(seconds=10))
    access.clock.move(seconds=9, milliseconds=999)
    assert await access.caller(made.key) is not None
    access.clock.move(milliseconds=1)
    assert await access.caller(made.key) is None


async def test_while_postgresql_is_away_known_keys_work_until_they_expire(access):
    account = await access.account()
    lasting = await access.key(account)
    ending = await access.key(account, expires_at=AT + timedelta(seconds=10))
    access.node_is_cut_off = True
    assert await access.caller(ending.key) is not None
    access.clock.move(seconds=10)
    assert await access.caller(lasting.key) is not None
    assert await access.caller(ending.key) is None
    assert await access.caller("ck_forged") is None
    with pytest.raises(Unavailable):
        await access.caller("ck_" + "x" * 43)


async def test_a_rotated_key_and_its_successor_work_together_until_the_overlap_ends(access):
    account = await access.account(services=RAIL)
    old = await access.key(account, jurisdiction=Jurisdiction("4408"), items_per_minute=5)
    new = await access.keys.rotate(
        account.id, old.state.id, overlap=timedelta(hours=1), by=AT_THE_SERVER
    )
    await access.ring.refresh()
    first, second = await access.caller(old.key), await access.caller(new.key)
    assert (first.services, first.jurisdiction) == (second.services, second.jurisdiction)
    assert new.state.scope == old.state.scope
    assert new.state.expires_at is None
    access.clock.move(hours=1)
    assert await access.caller(old.key) is None
    assert await access.caller(new.key) is not None


async def test_the_successor_lives_as_long_as_the_old_key_was_made_to(access):
    account = await access.account()
    old = await access.key(account, expires_at=AT + timedelta(days=90))
    access.clock.move(days=80)
    new = await access.keys.rotate(
        account.id, old.state.id, overlap=timedelta(days=30), by=AT_THE_SERVER
    )
    assert new.state.expires_at == AT + timedelta(days=170)
    # An overlap never lengthens a life.
    [shown, _] = await access.keys.page(account.id, after=0, limit=9)
    assert (shown.rotated_at, shown.expires_at) == (
        AT + timedelta(days=80),
        AT + timedelta(days=90),
    )


async def test_what_has_ended_or_has_a_successor_is_not_rotated(access):
    account = await access.account()
    rotated, revoked = await access.key(account), await access.key(account)
    expired = await access.key(account, expires_at=AT + timedelta(seconds=1))
    await access.keys.rotate(
        account.id, rotated.state.id, overlap=timedelta(days=1), by=AT_THE_SERVER
    )
    await access.keys.revoke(account.id, revoked.state.id, by=AT_THE_SERVER)
    access.clock.move(seconds=1)
    for key in (rotated, revoked, expired):
        with pytest.raises(Conflict):
            await access.keys.rotate(
                account.id, key.state.id, overlap=timedelta(0), by=AT_THE_SERVER
            )


async def test_two_rotations_at_once_make_one_successor(access):
    account = await access.account()
    old = await access.key(account)
    results = await asyncio.gather(
        *(
            access.keys.rotate(account.id, old.state.id, overlap=timedelta(0), by=AT_THE_SERVER)
            for _ in range(4)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert len(await access.keys.page(account.id, after=0, limit=9)) == 2


async def test_a_key_of_another_account_is_not_found(access):
    own, other = await access.account("own"), await access.account("other")
    key = await access.key(other)
    for account_id, key_id in (
        (own.id, key.state.id),
        (other.id, NOWHERE),
        (NOWHERE, key.state.id),
        (other.id, "x"),
        (other.id, key.state.id.upper()),
    ):
        with pytest.raises(NotFound):
            await access.keys.revoke(account_id, key_id, by=AT_THE_SERVER)
        with pytest.raises(NotFound):
            await access.keys.rotate(account_id, key_id, overlap=timedelta(0), by=AT_THE_SERVER)
    assert await access.caller(key.key) is not None


async def test_a_wider_key_is_not_made(access):
    account = await access.account(services=RAIL)
    with pytest.raises(InvalidRequest):
        await access.key(account, services=frozenset({ServiceType.AIR}))
    with pytest.raises(InvalidRequest):
        await access.keys.create_named(
            name=account.name,
            role=AccountRole.INSTITUTION,
            scope=Scope(services=frozenset({ServiceType.AIR})),
            by=AT_THE_SERVER,
        )
    assert await access.keys.page(account.id, after=0, limit=9) == ()


async def test_a_narrowed_account_narrows_the_keys_that_it_has(access):
    account = await access.account()
    made = await access.key(account)
    await access.accounts.change(
        account.id, AccountChanges(scope={"services": RAIL}), by=AT_THE_SERVER
    )
    await access.ring.refresh()
    assert (await access.caller(made.key)).services == RAIL


async def test_the_keys_of_a_disabled_account_are_none_until_it_is_enabled(access):
    account = await access.account()
    made = await access.key(account)
    disabled = await access.accounts.change(
        account.id, AccountChanges(disabled=True), by=AT_THE_SERVER
    )
    await access.ring.refresh()
    assert await access.caller(made.key) is None
    for make in (
        access.keys.create(account.id, Scope(), None, by=AT_THE_SERVER),
        access.keys.create_named(name=account.name, role=AccountRole.INSTITUTION, by=AT_THE_SERVER),
    ):
        with pytest.raises(Conflict):
            await make
    access.clock.move(hours=1)
    again = await access.accounts.change(
        account.id, AccountChanges(disabled=True), by=AT_THE_SERVER
    )
    assert again.disabled_at == disabled.disabled_at == AT
    await access.accounts.change(account.id, AccountChanges(disabled=False), by=AT_THE_SERVER)
    await access.ring.refresh()
    assert await access.caller(made.key) is not None


async def test_an_account_with_networks_calls_from_these_alone_on_every_node(access):
    account = await access.account(networks=read_networks(["192.0.2.0/24"]))
    made = await access.key(account)
    assert (await access.accounts.find(account.id)).scope == account.scope
    other = access.another_node()
    await other.refresh()
    for ring in (access.ring, other):
        assert (await ring.caller(f"Bearer {made.key}", "192.0.2.7")).account_id == account.id
        for address in ("192.0.3.7", "2001:db8::7", ""):
            with pytest.raises(OutOfScope):
                await ring.caller(f"Bearer {made.key}", address)


async def test_a_call_from_elsewhere_is_no_use_of_the_key(access):
    account = await access.account(networks=read_networks(["192.0.2.0/24"]))
    made = await access.key(account)
    with pytest.raises(OutOfScope):
        await access.caller(made.key)
    await access.ring.uses.flush()
    assert (await access.keys.find(made.state.id)).last_used_at is None


async def test_networks_are_changed_and_taken_away_again(access):
    account = await access.account()
    made = await access.key(account)
    for networks in (read_networks(["192.0.2.0/24"]), None):
        await access.accounts.change(
            account.id, AccountChanges(scope={"networks": networks}), by=AT_THE_SERVER
        )
        await access.ring.refresh()
        assert (await access.accounts.find(account.id)).scope.networks == networks
        caller = await access.ring.caller(f"Bearer {made.key}", "192.0.2.7")
        assert caller.account_scope.networks == networks
    assert await access.caller(made.key) is not None


async def test_keys_in_force_at_once_are_bounded(access):
    account = await access.account()
    made = [
        await access.keys.create(account.id, Scope(), None, by=AT_THE_SERVER)
        for _ in range(KEYS_MAX)
    ]
    for make in (
        access.keys.create(account.id, Scope(), None, by=AT_THE_SERVER),
        access.keys.create_named(name=account.name, role=AccountRole.INSTITUTION, by=AT_THE_SERVER),
    ):
        with pytest.raises(Conflict):
            await make
    await access.keys.revoke(account.id, made[0].state.id, by=AT_THE_SERVER)
    await access.keys.create(account.id, Scope(), None, by=AT_THE_SERVER)


async def test_a_page_of_keys_tells_no_key(access):
    account = await access.account()
    made = [await access.key(account) for _ in range(3)]
    first = await access.keys.page(account.id, after=0, limit=2)
    rest = await access.keys.page(account.id, after=first[-1].number, limit=2)
    shown = [*first, *rest]
    assert [key.id for key in shown] == [each.state.id for each in made]
    assert [key.prefix for key in shown] == [each.key[:SHOWN_LENGTH] for each in made]
    assert not [each for each in made if each.key[SHOWN_LENGTH:] in repr(shown)]


async def test_the_last_use_is_shown_to_about_a_minute(access):
    account = await access.account()
    made, unused = await access.key(account), await access.key(account)
    await access.caller(made.key)
    await access.ring.uses.flush()
    access.clock.move(seconds=59)
    await access.caller(made.key)
    await access.ring.uses.flush()
    assert (await access.keys.find(made.state.id)).last_used_at == AT
    access.clock.move(seconds=1)
    await access.ring.uses.flush()
    assert (await access.keys.find(made.state.id)).last_used_at == AT + timedelta(minutes=1)
    assert (await access.keys.find(unused.state.id)).last_used_at is None


async def test_a_use_makes_no_node_read_its_keys_anew(access):
    made = await access.key(await access.account())
    known = await access.caller(made.key)
    await access.ring.uses.flush()
    await access.ring.refresh()
    assert await access.caller(made.key) is known


async def test_names_of_accounts_are_taken_once(access):
    first, second = await access.account("first"), await access.account("second")
    with pytest.raises(Conflict):
        await access.account("first")
    with pytest.raises(Conflict):
        await access.accounts.change(second.id, AccountChanges(name="first"), by=AT_THE_SERVER)
    renamed = await access.accounts.change(first.id, AccountChanges(name="third"), by=AT_THE_SERVER)
    assert await access.accounts.named("third") == renamed == await access.accounts.find(first.id)
    with pytest.raises(NotFound):
        await access.accounts.named("first")
