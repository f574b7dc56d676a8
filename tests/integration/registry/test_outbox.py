"""The outbox returns every change since a version, or says that some are lost."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select

from checker.publication.outbox import KEPT_VERSIONS, prune_outbox, read_since
from checker.registry.schema import change, outbox
from tests.support.positions import OTHER_LINE, position
from tests.support.token_keys import open_registry

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 23, tzinfo=UTC)
ANNA, BO, CHEN = (bytes([number]) * 16 for number in (1, 2, 3))


@pytest.fixture
async def registry(anyio_backend, database_url):
    async with open_registry(database_url) as engine, engine.begin() as connection:
        yield connection


async def changed(registry, version, outlines=None, kind="changes"):
    at = position(version)
    row = {"version": version, "kind": kind, "at": AT, "accepted": 1, "rejected": 0}
    row |= {"change_id": UUID(at.change_id), "history": UUID(at.history)}
    await registry.execute(insert(change).values(row))
    for token, outline in (outlines or {}).items():
        await registry.execute(insert(outbox).values(version=version, token=token, outline=outline))


async def test_before_any_list_there_is_nothing_to_tell(registry):
    assert await read_since(registry, None) is None


async def test_of_a_token_that_changed_twice_the_latest_outline_is_told(registry):
    await changed(registry, 1, {ANNA: b"first", BO: b"only"})
    await changed(registry, 2, {ANNA: None, CHEN: b"new"})

    pending = await read_since(registry, None)

    assert pending.newest.version == 2
    assert pending.outlines == {ANNA: None, BO: b"only", CHEN: b"new"}


async def test_only_what_came_after_the_version_is_told(registry):
    await changed(registry, 1, {ANNA: b"first"})
    await changed(registry, 2, {BO: b"second"})

    assert (await read_since(registry, position(1))).outlines == {BO: b"second"}
    assert (await read_since(registry, position(2))).outlines == {}


async def test_a_change_that_moved_no_outline_still_has_its_version(registry):
    await changed(registry, 1)

    pending = await read_since(registry, None)

    assert (pending.newest.version, pending.outlines) == (1, {})


@pytest.mark.parametrize("kind", ["snapshot", "demo"])
async def test_past_a_whole_list_nothing_is_told_token_by_token(registry, kind):
    await changed(registry, 1, {ANNA: b"first"})
    await changed(registry, 2, kind=kind)
    await changed(registry, 3, {BO: b"third"})

    assert (await read_since(registry, position(1))).outlines is None
    assert (await read_since(registry, position(2))).outlines == {BO: b"third"}


async def test_who_is_behind_what_is_kept_is_told_nothing_token_by_token(registry):
    await changed(registry, 1, {ANNA: b"first"})
    await changed(registry, KEPT_VERSIONS + 1, {BO: b"last"})

    assert (await read_since(registry, None)).outlines is None
    assert (await read_since(registry, position(1))).outlines == {BO: b"last"}


@pytest.mark.parametrize("held", [position(2, line=OTHER_LINE), position(3)])
async def test_who_holds_a_change_that_the_registry_lacks_is_foreign_to_it(registry, held):
    await changed(registry, 1, {ANNA: b"first"})
    await changed(registry, 2, {BO: b"second"})

    pending = await read_since(registry, held)

    assert pending.is_foreign
    assert pending.outlines is None
    assert not (await read_since(registry, position(1))).is_foreign


async def test_pruning_removes_only_what_nobody_is_told(registry):
    await changed(registry, 1, {ANNA: b"first"})
    await changed(registry, 2, {ANNA: b"second"})
    await changed(registry, KEPT_VERSIONS + 1, {BO: b"last"})
    told = await read_since(registry, position(1))

    await prune_outbox(registry)

    assert await read_since(registry, position(1)) == told
    rows = await registry.execute(select(func.count()).select_from(outbox))
    assert rows.scalar_one() == 2
