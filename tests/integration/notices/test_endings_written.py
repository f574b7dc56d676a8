"""The endings that changes write are those that a naive reading of the record finds."""

from collections import Counter

import pytest
from alembic import command
from sqlalchemy import text

from checker.database.upgrade import alembic_config
from tests.integration.notices.notice_grounds import granted, lifted
from tests.integration.notices.random_world import HOTELS, PEOPLE, WideWorld
from tests.integration.notices.record_oracle import Oracle, written
from tests.support.operation_lines import delist, list_, officers, permit
from tests.support.registry_grounds import (
    company_listing,
    document,
    name_of,
    person_listing,
    publish,
    query,
    resident_id,
)

pytestmark = pytest.mark.anyio

STEPS = 120
AT = "2026-11-23T01:02:03.456Z"


async def live(town, seed, *, asks=False, binds=True):
    """Let a wide world go its way, and return nothing: the record has it."""
    world = WideWorld(town, seed, binds=binds)
    await town.publish(*map(person_listing, PEOPLE))
    if not binds:
        await world.bind_some()
    for _ in range(STEPS):
        await world.step()
        if asks:
            await world.ask()


async def test_each_change_writes_the_endings_that_an_oracle_finds_in_the_record(town, seed):
    await live(town, seed)
    found = Counter(await written(town.node))
    assert found == Counter((await Oracle.read(town.node)).endings())
    grounds = Counter(ground for _, _, ground, *_ in found)
    assert len(grounds) > 6, grounds


async def test_an_upgrade_writes_the_endings_of_changes_under_way_and_of_no_others(town, seed):
    await live(town, seed, asks=True, binds=False)
    before = Counter(await written(town.node))
    newest = max(version for version, *_ in before)
    await town.tell()
    await set_again(town, newest // 2)
    await rewind(town)
    after = Counter(await written(town.node))
    assert after == Counter({one: count for one, count in before.items() if one[0] > newest // 2})
    assert after


async def test_a_writer_that_is_behind_tells_the_same_after_an_upgrade(town, seed):
    await live(town, seed, asks=True, binds=False)
    at_once = {name: await town.told(name) for name in HOTELS}
    async with town.node.work_engine.begin() as connection:
        await connection.execute(text("DELETE FROM notice"))
        await connection.execute(text("UPDATE notice_progress SET version = 0, instant = NULL"))
    await rewind(town)
    assert {name: await town.told(name) for name in HOTELS} == at_once
    assert sum(map(len, at_once.values())) > 3


async def test_an_upgrade_between_the_two_passes_repeats_no_notice(town, seed):
    await live(town, seed, asks=True, binds=False)
    await town.tell()
    told = await query(town.node, "SELECT count(*) AS notices FROM notice")
    await set_again(town, 0)
    await rewind(town)
    await town.tell_again()
    assert await query(town.node, "SELECT count(*) AS notices FROM notice") == told


async def set_again(town, version):
    """Have the second pass begin after a version."""
    async with town.node.work_engine.begin() as connection:
        await connection.execute(
            text("UPDATE notice_progress SET version = :v, instant = NULL WHERE pass = 'again'"),
            {"v": version},
        )


async def rewind(town):
    """Take the schema back to the one before endings, and upgrade it again."""

    def there_and_back(connection):
        command.downgrade(alembic_config(connection), "0012")
        command.upgrade(alembic_config(connection, seal=town.node.sealer.vault.seal), "head")

    # That schema does not know the documents of decisions, so they are put back.
    async with town.node.work_engine.begin() as connection:
        await connection.execute(text("CREATE TABLE kept AS SELECT id, subject FROM decision"))
        await connection.run_sync(there_and_back)
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(
            text("UPDATE decision d SET subject = k.subject FROM kept k WHERE k.id = d.id")
        )
        await connection.execute(text("DROP TABLE kept"))


# A change is made at an instant and committed later. Meanwhile a day may begin, or a permit.
async def test_a_delisting_that_is_committed_after_its_day_began_is_told(town):
    decision_id = await refused_before_midnight(town)
    await town.do(delist(1, on="2026-11-24"))
    [told] = await town.told("hotel")
    assert (told["ground"], told["ended_on"]) == ("fulfilled", "2026-11-24")
    assert told["decision_ids"] == [decision_id]


async def test_an_expiry_that_is_committed_after_its_day_began_is_told(town):
    await refused_before_midnight(town)
    await town.do(list_(person_listing(1, expires_on="2026-11-24")))
    [told] = await town.told("hotel")
    assert (told["ground"], told["ended_on"]) == ("expired", "2026-11-24")


async def test_a_permit_that_is_committed_after_it_began_is_told(town):
    await refused_before_midnight(town)
    await town.do(permit(valid_from="2026-11-24"))
    [told] = await town.told("hotel")
    assert (told["ground"], told["ended_at"]) == ("permit", "2026-11-23T16:00:00.000Z")


async def refused_before_midnight(town):
    """Refuse somebody, take both passes past midnight, and set the clock back before it."""
    await town.publish(person_listing(1))
    decision_id = await town.refused("hotel", 1)
    town.clock.move(hours=15)
    assert await town.told("hotel") == []
    town.clock.move(hours=-1)
    return decision_id


async def test_a_snapshot_that_replaces_a_party_by_a_masked_namesake_ends_nothing(town):
    await town.publish(person_listing(1))
    await town.refused("hotel", 1)
    party = {
        "type": "person",
        "name": name_of(1),
        "documents": [{"type": "resident_id", "number": "4408821893****0012"}],
    }
    await publish(town.node, [person_listing(1, party=party)])
    assert await town.told("hotel") == []


def officer(role, index):
    return {"role": role, "name": name_of(index), "documents": [document(resident_id(index))]}


# A decision keeps the role of its day.
async def test_an_officer_who_had_another_role_before_has_left_that_role_too(town):
    await town.publish(company_listing(1, ("principal", 4)))
    decision_id = await town.refused("hotel", 4)
    await town.do(officers(1, [officer("actual_controller", 4)]))
    await town.do(officers(1, [officer("principal", 5)]))
    assert await town.told("hotel") == [
        lifted("listing-1", [decision_id], "officer_left", ended_at=AT)
    ]


async def test_a_permit_is_told_to_whoever_was_told_of_an_earlier_role_of_its_holder(town):
    await town.publish(company_listing(1, ("principal", 4)))
    decision_id = await town.refused("airline", 4)
    await town.do(officers(1, [officer("actual_controller", 4)]))
    await town.do(permit(index=4))
    assert await town.told("airline") == [granted("listing-1", [decision_id], at=AT)]
