"""A big change comes to Redis in slices, each of which stands on those before it."""

import pytest

from cache.errors import ChangeRefused
from cache.list_writer import SLICE_TOKENS, slices
from cache.redis_list_writer import RedisListWriter
from cache.redis_pipe import Pipe
from tests.integration.cache.cache_grounds import (
    KEYS,
    TOKEN_KEYS,
    RedisGround,
    people,
    put_in_force,
    state_of,
    step,
)

pytestmark = pytest.mark.anyio

LISTED = people(range(100))
MANY = people(range(1_000, 1_000 + 3 * SLICE_TOKENS))


class SetBackPipe(Pipe):
    """After a number of slices Redis comes back as it was before them, under the same version."""

    def __init__(self, url, client, after):
        super().__init__(url, "checker", timeout_s=5)
        self._client, self._left = client, after
        self._saved = {key: client.dump(key) for key in client.scan_iter(KEYS.any_generation)}

    async def ask(self, commands):
        replies = await super().ask(commands)
        self._left -= commands[0][0] == "EVAL"
        if self._left == 0:
            self._left = -1
            for key, held in self._saved.items():
                self._client.restore(key, 0, held, replace=True)
        return replies


@pytest.mark.parametrize("after", [1, 2])
async def test_a_slice_is_refused_by_a_redis_that_has_lost_those_before_it(redis_url, after):
    ground = RedisGround(redis_url)
    store = ground.store()
    live = await put_in_force(store, ground, LISTED)
    pipe = SetBackPipe(redis_url, ground.client, after)
    list_writer = RedisListWriter(pipe, KEYS, clock=lambda: 0.0, token_keys=TOKEN_KEYS)
    with pytest.raises(ChangeRefused):
        await list_writer.apply(live, step(1, MANY), live=True)
    assert (await state_of(ground)).head.version == 1
    await list_writer.apply(live, step(1, MANY), live=True)
    assert (await state_of(ground)).head.version == 2
    await list_writer.aclose()
    await store.aclose()


def test_each_slice_asks_for_the_one_before_it_and_the_last_leaves_nothing_open():
    first, second, third = slices(step(1, MANY), TOKEN_KEYS.first)
    assert (first.before, second.before, third.before) == ("", first.after, second.after)
    assert first.after != second.after
    assert third.after == ""
