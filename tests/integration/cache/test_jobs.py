"""A job keeps its parts until its end, its deletion, or the loss of its claim."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import redis

from cache.jobs import CLAIM, JobBounds, RedisJobs

pytestmark = pytest.mark.anyio

BOUNDS = JobBounds(lasts_s=600, jobs=3, jobs_of_group=2)
PARTS = {"about": b"a", "sheet": b"s"}
NOW_MS = 1_800_000_000_000


@pytest.fixture
async def jobs(redis_url: str) -> AsyncIterator[RedisJobs]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    async with aclosing(RedisJobs(redis_url)) as opened:
        yield opened


async def begin(jobs: RedisJobs, owner: str, job: str, now_ms: int = NOW_MS) -> bool:
    return await jobs.begin(owner, job, PARTS, bounds=BOUNDS, now_ms=now_ms)


async def test_a_job_is_found_by_its_owner_and_ends_by_itself(
    jobs: RedisJobs, redis_url: str
) -> None:
    assert await begin(jobs, "o", "g.1")
    assert await jobs.newest_of("o") == "g.1"
    assert await jobs.get("g.1", "about", "sheet", CLAIM) == [b"a", b"s", None]
    assert await jobs.newest_of("p") is None
    with redis.Redis.from_url(redis_url) as client:
        lefts = [client.ttl(key) for key in client.keys("*:job*:*")]
    assert len(lefts) == 3
    assert all(BOUNDS.lasts_s - 5 <= left <= BOUNDS.lasts_s for left in lefts)


async def test_jobs_are_bounded_in_all_and_for_one_group_until_they_end(jobs: RedisJobs) -> None:
    ends = [await begin(jobs, each, f"g.{each}") for each in "123"]
    ends += [await begin(jobs, each, f"{each}.1") for each in "xy"]
    assert ends == [True, True, False, True, False]
    assert await jobs.newest_of("3") is None
    assert await begin(jobs, "3", "g.3", NOW_MS + BOUNDS.lasts_s * 1000 + 1)


async def test_parts_are_replaced_together_and_keep_their_end(
    jobs: RedisJobs, redis_url: str
) -> None:
    await begin(jobs, "o", "g.1")
    assert await jobs.replace("g.1", {"about": b"b", "sheet": b"t"})
    assert await jobs.get("g.1", "about", "sheet") == [b"b", b"t"]
    with redis.Redis.from_url(redis_url) as client:
        assert all(client.ttl(key) > 0 for key in client.keys("*:job:*"))


async def test_a_deleted_job_never_comes_back(jobs: RedisJobs, redis_url: str) -> None:
    await begin(jobs, "o", "g.1")
    assert await jobs.claim("g.1", b"0", lasts_s=30)
    await jobs.delete("o", "g.1", ("about", "sheet"))
    assert not await jobs.renew("g.1", b"1", lasts_s=30)
    assert not await jobs.replace("g.1", PARTS)
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys("*") == []


async def test_one_process_alone_has_the_claim_until_it_releases_it(jobs: RedisJobs) -> None:
    await begin(jobs, "o", "g.1")
    assert await jobs.claim("g.1", b"0", lasts_s=30)
    assert not await jobs.claim("g.1", b"0", lasts_s=30)
    assert await jobs.renew("g.1", b"7", lasts_s=30)
    assert await jobs.get("g.1", CLAIM) == [b"7"]
    await jobs.release("g.1")
    assert await jobs.claim("g.1", b"0", lasts_s=30)
