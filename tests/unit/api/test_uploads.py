"""Bodies on their way: bounded in number and time, and never in the way of a quick one."""

import asyncio

import pytest

from checker.api.uploads import PLACES_OF_ACCOUNT_MAX, Uploads
from checker.errors import BodyStalled, InvalidRequest, Unavailable
from checker.intake.sealed_spool import MEMORY_BYTES_MAX

pytestmark = pytest.mark.anyio

COURT = "court"


class Sender:
    """Gives parts of a body one after the other, and then nothing until it goes away."""

    def __init__(self, *parts, ends=True):
        self._parts = list(parts)
        self._ends = ends
        self._leaving = asyncio.get_running_loop().create_future()

    async def __call__(self):
        if self._parts:
            return {"type": "http.request", "body": self._parts.pop(0), "more_body": True}
        if self._ends:
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.shield(self._leaving)
        return {"type": "http.disconnect"}

    def leave(self):
        self._leaving.set_result(None)


async def received(uploads, sender, account_id=COURT):
    async with uploads.take(sender, account_id) as body:
        return b"".join([chunk async for chunk in body.chunks()])


async def silent(uploads, count, account_id=COURT):
    """Begin bodies that stop in the middle; each has a place when this returns."""
    before = uploads.places
    senders = [Sender(b"x", ends=False) for _ in range(count)]
    tasks = [asyncio.create_task(received(uploads, each, account_id)) for each in senders]
    await until(lambda: uploads.places == before + count)
    return senders, tasks


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the places of a process send no event
            await asyncio.sleep(0)


@pytest.fixture
def uploads(tmp_path):
    return Uploads(tmp_path, quick_s=0.05)


@pytest.mark.parametrize("size", [0, 10, MEMORY_BYTES_MAX, 3 * MEMORY_BYTES_MAX])
async def test_a_body_comes_out_as_it_went_in(uploads, size):
    parts = [bytes([number % 251]) * 1000 for number in range(size // 1000)]
    assert await received(uploads, Sender(*parts)) == b"".join(parts)
    assert uploads.places == 0


async def test_a_body_that_is_cut_off_is_refused(uploads):
    [sender], [task] = await silent(uploads, 1)
    sender.leave()
    with pytest.raises(InvalidRequest, match="cut off"):
        await task
    assert uploads.places == 0


async def test_a_body_that_does_not_get_on_is_cut(tmp_path):
    uploads = Uploads(tmp_path, progress_s=0.05)
    with pytest.raises(BodyStalled, match="stopped arriving"):
        await received(uploads, Sender(b"x", ends=False))
    assert uploads.places == 0


async def test_the_body_that_was_silent_for_longest_gives_up_its_place(uploads):
    senders, tasks = await silent(uploads, PLACES_OF_ACCOUNT_MAX)
    more = Sender(b"x", ends=False)
    next_task = asyncio.create_task(received(uploads, more))
    await until(lambda: any(task.done() for task in tasks))
    [cut] = [task for task in tasks if task.done()]
    with pytest.raises(Unavailable, match="silent for longest"):
        await cut
    assert uploads.places == PLACES_OF_ACCOUNT_MAX
    for each in (*senders, more):
        each.leave()
    await asyncio.gather(*tasks, next_task, return_exceptions=True)
    assert uploads.places == 0


async def test_silent_bodies_keep_no_quick_one_and_no_other_account_out(uploads):
    senders, tasks = await silent(uploads, PLACES_OF_ACCOUNT_MAX)
    assert await received(uploads, Sender(b"quick")) == b"quick"
    large = [bytes(MEMORY_BYTES_MAX), b"x"]
    assert await received(uploads, Sender(*large), "other court") == b"".join(large)
    assert not any(task.done() for task in tasks)
    for each in senders:
        each.leave()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_full_disk_is_told_as_an_outage(tmp_path):
    gone = Uploads(tmp_path / "gone")
    with pytest.raises(Unavailable, match="cannot be kept"):
        await received(gone, Sender(bytes(MEMORY_BYTES_MAX), b"x"))
    assert gone.places == 0
