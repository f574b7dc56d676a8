"""Shapes of masked numbers: a node asks for a shape as soon as, and not before, the list has it."""

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from checker.database.upgrade import alembic_config
from checker.domain.masking import ORGANIZATION_SHAPE, SHAPES
from checker.journal.faults import Faults
from checker.publication.outlines_verified import verify_outlines
from checker.registry.shape_markers import MARKER_OUTLINE, MARKERS
from tests.support.registry_grounds import (
    FIRST_KEY_ENVIRON,
    accepted,
    check_of,
    decide,
    document,
    name_of,
    outcome_of,
    person_listing,
    publish,
    query,
    resident_id,
    serving,
    settled,
)

pytestmark = pytest.mark.anyio

PERSONAL = [each for each in SHAPES if each is not ORGANIZATION_SHAPE]
EVERY = range(len(PERSONAL))
MANY = 120
"""Checks of a batch that the replica is asked about in slices."""


def masked_listing(index, shape, **changes):
    number = resident_id(index)
    hidden = number[: shape.first] + "*" * (shape.past - shape.first) + number[shape.past :]
    if shape.first == 0:
        hidden = "*" * 8 + number[8:]
    listing = person_listing(index, **changes)
    return listing | {"party": listing["party"] | {"documents": [document(hidden)]}}


@pytest.mark.parametrize("place", EVERY, ids=lambda place: SHAPES[place].name)
async def test_the_first_listing_of_a_shape_is_found_and_the_last_one_ends(node, place):
    await publish(node, [person_listing(1)])
    await settled(node)
    assert node.replica.marked == ()
    assert await outcome_of(node, 2) == "allow"
    await accepted(node, {"op": "list", "listing": masked_listing(2, SHAPES[place])})
    await settled(node)
    assert node.replica.marked == (place,)
    assert await outcome_of(node, 2) == "review"
    assert await batch_outcomes(node) == {2: "review", 1: "deny"}
    await accepted(node, {"op": "delist", "listing_id": "listing-2", "ground": "settled"})
    await settled(node)
    assert await outcome_of(node, 2) == "allow"
    await accepted(node, {"op": "list", "listing": masked_listing(3, SHAPES[place])})
    assert await outcome_of(node, 3) == "review"


async def test_a_snapshot_brings_all_shapes_and_the_next_one_ends_them(node):
    await publish(node, [masked_listing(each, SHAPES[each]) for each in EVERY])
    await settled(node)
    assert node.replica.marked == tuple(EVERY)
    assert [await outcome_of(node, each) for each in EVERY] == ["review"] * len(EVERY)
    await publish(node, [person_listing(9)], allow_shrink=True)
    await settled(node)
    assert [await outcome_of(node, each) for each in EVERY] == ["allow"] * len(EVERY)
    await publish(node, [masked_listing(each, SHAPES[each]) for each in EVERY])
    assert [await outcome_of(node, each) for each in EVERY] == ["review"] * len(EVERY)


async def test_a_process_that_knows_no_shape_cannot_list_a_masked_number(node):
    await publish(node, [masked_listing(1, SHAPES[0])])
    with pytest.raises(IntegrityError, match="ck_document_shape"):
        await write(node, "UPDATE document SET shape = NULL")


async def test_a_process_that_knows_no_marker_cannot_delete_one(node):
    await publish(node, [masked_listing(1, SHAPES[0]), person_listing(2)])
    await write(node, "DELETE FROM outline")
    rows = await query(node, "SELECT token FROM outline")
    assert [row.token for row in rows] == [MARKERS[0]]


async def test_masked_numbers_from_before_the_shapes_stand_for_every_shape(node):
    await publish(node, [masked_listing(1, SHAPES[0])])
    await write(node, "UPDATE document SET shape = 'any'")
    await accepted(node, {"op": "shield", "listing_id": "listing-1"})
    await settled(node)
    assert node.replica.marked == tuple(EVERY)
    async with node.work_engine.connect() as connection:
        faults = Faults()
        await verify_outlines(connection, faults)
    assert faults.first == []


@pytest.fixture
async def older_node(anyio_backend, config, clock):
    async with serving(config, clock, environ=FIRST_KEY_ENVIRON) as runtime:
        yield runtime


async def test_an_upgrade_writes_every_marker_for_the_masked_numbers_that_it_finds(older_node):
    node = older_node
    await publish(node, [person_listing(1), masked_listing(2, SHAPES[0])])
    before = await query(node, "SELECT token, outline FROM outline ORDER BY token")
    async with node.work_engine.begin() as connection:
        await connection.run_sync(_there_and_back)
    after = await query(node, "SELECT token, outline FROM outline ORDER BY token")
    markers = {(MARKERS[each], MARKER_OUTLINE) for each in EVERY}
    assert set(map(tuple, after)) == set(map(tuple, before)) | markers
    assert [row.shape for row in await query(node, "SELECT shape FROM document")] == ["any"] * 2
    await accepted(node, {"op": "list", "listing": masked_listing(3, SHAPES[1])})
    await settled(node)
    assert await outcome_of(node, 2) == await outcome_of(node, 3) == "review"


def _there_and_back(connection):
    command.downgrade(alembic_config(connection), "0014")
    command.upgrade(alembic_config(connection), "head")


async def batch_outcomes(node):
    """The outcomes of a batch that are no `allow`, by person."""
    checks = [check_of(resident_id(each), name_of(each)) for each in range(MANY)]
    decided = await decide(node, *checks)
    outcomes = [decision.outcome.value for decision in decided.decisions]
    return {each: outcome for each, outcome in enumerate(outcomes) if outcome != "allow"}


async def write(node, statement):
    async with node.work_engine.begin() as connection:
        await connection.execute(text(statement))
