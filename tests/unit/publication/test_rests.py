"""A gentle rebuild rests after each slice, longer where the slice was slow."""

import pytest

from checker.publication.outline_slices import REST_S_MAX, REST_SHARE, with_rests
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio


async def slices_of(number):
    for _ in range(number):
        yield [(b"token", b"outline")]


async def rests_of(*seconds):
    """Return the rests of a reader that takes so many seconds for each slice."""
    clock, rests, left = FakeClock(), [], iter(seconds)

    async def rest(rest_s):
        rests.append(rest_s)
        clock.seconds += rest_s

    async for _ in with_rests(slices_of(len(seconds)), clock=clock, sleep=rest):
        clock.seconds += next(left)
    return rests


async def test_a_rest_is_a_share_of_the_time_that_its_slice_took():
    assert await rests_of(0.001, 0.004) == pytest.approx([0.001 * REST_SHARE, 0.004 * REST_SHARE])


async def test_a_rest_after_a_server_that_was_frozen_is_bounded():
    assert await rests_of(10.0, 0.001) == pytest.approx([REST_S_MAX, 0.001 * REST_SHARE])
