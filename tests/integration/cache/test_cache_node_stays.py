"""Who has stayed in the list of nodes: what a lease rests on."""

import json

import pytest

from tests.integration.cache.cache_grounds import KEYS, opened, position

pytestmark = pytest.mark.anyio

NODE = "node"
AT = position(1)
OTHER_RUN = "0" * 40


async def test_a_node_stays_from_its_second_word_on_until_it_leaves(ground):
    async with opened(ground.replica_source()) as replica_source:
        assert [await replica_source.acknowledge(NODE, AT) for _ in range(3)] == [False, True, True]
        await replica_source.leave(NODE)
        assert not await replica_source.acknowledge(NODE, AT)


async def test_a_node_that_another_run_of_the_store_had_on_its_list_has_not_stayed(ground):
    async with opened(ground.replica_source()) as replica_source:
        assert [await replica_source.acknowledge(NODE, AT) for _ in range(2)] == [False, True]
        held = json.loads(ground.field(KEYS.nodes, NODE.encode()))
        brought_back = json.dumps(held | {"run": OTHER_RUN}).encode()
        ground.put_field(KEYS.nodes, NODE.encode(), brought_back)
        assert [await replica_source.acknowledge(NODE, AT) for _ in range(2)] == [False, True]
