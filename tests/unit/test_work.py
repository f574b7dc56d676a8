"""A work is done again and again: no fault ends it, and only the end of its process does."""

import asyncio

import pytest

from checker.errors import Unavailable
from checker.work import FAILURE_PAUSE_S_MAX, FAILURE_PAUSE_S_MIN, Work, working

pytestmark = pytest.mark.anyio

PATIENCE_S = 20


class Rounds:
    """Rounds that raise or return what the test names, in order; the last one is repeated."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.done = 0
        self.pauses = []
        self.failures = []
        self.paused = asyncio.Semaphore(0)

    async def do(self):
        outcome = self.outcomes[min(self.done, len(self.outcomes) - 1)]
        self.done += 1
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def pause(self, seconds):
        self.pauses.append(seconds)
        self.paused.release()
        await asyncio.sleep(0)

    async def until(self, rounds):
        """Wait until so many rounds are over."""
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(rounds):
                await self.paused.acquire()

    def working(self, every_s=1.0, at_end=None):
        work = Work(name="counting", every_s=every_s, do=self.do, at_end=at_end)
        return working([work], self.failures.append, pause=self.pause)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("440882189001011230"),
        RuntimeError(),
        Unavailable("away"),
        asyncio.CancelledError(),
        BaseExceptionGroup("both", [asyncio.CancelledError(), ValueError()]),
        StopAsyncIteration(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_work_that_raises_anything_in_its_first_round_is_done_again(error):
    rounds = Rounds(error, None)
    async with rounds.working():
        await rounds.until(3)
    assert rounds.failures == ["counting"]


async def test_a_fault_is_logged_once_when_it_starts_and_once_when_it_ends(caplog):
    away = Unavailable("away")
    rounds = Rounds(None, away, away, away, None, None)
    async with rounds.working():
        await rounds.until(7)
    assert caplog.messages == ["counting fails: Unavailable", "counting works again"]
    assert rounds.failures == ["counting"] * 3


async def test_a_bug_is_logged_with_its_place_and_without_its_text(caplog):
    rounds = Rounds(KeyError("440882189001011230"))
    async with rounds.working():
        await rounds.until(1)
    [message] = caplog.messages
    assert message.startswith(f"counting fails: KeyError at {__file__}:")
    assert "440882189001011230" not in message


async def test_a_counter_that_fails_ends_no_work():
    rounds = Rounds(KeyError())
    work = Work(name="counting", every_s=1, do=rounds.do)

    def full_disk(name):
        raise OSError(name)

    async with working([work], full_disk, pause=rounds.pause):
        await rounds.until(3)


async def test_a_work_that_fails_leaves_the_others_alone():
    sick, sound = Rounds(KeyError()), Rounds(None)
    works = [Work(name=name, every_s=0, do=each.do) for name, each in (("a", sick), ("b", sound))]
    async with working(works, pause=sound.pause):
        await sound.until(6)
    assert min(sick.done, sound.done) >= 3


@pytest.mark.parametrize(
    ("every_s", "outcome", "pause_s"),
    [
        (5.0, None, 5.0),
        (5.0, 0.25, 0.25),
        (0.0, None, 0.0),
        (0.0, KeyError(), FAILURE_PAUSE_S_MIN),
        (5.0, KeyError(), 5.0),
        (3600.0, KeyError(), FAILURE_PAUSE_S_MAX),
    ],
)
async def test_the_pause_after_a_round_is_the_works_own_and_bounded_after_a_failure(
    every_s, outcome, pause_s
):
    rounds = Rounds(outcome)
    async with rounds.working(every_s):
        await rounds.until(1)
    assert rounds.pauses[0] == pause_s


async def test_a_work_that_waits_for_an_event_ends_with_its_process():
    begun = asyncio.Event()

    async def wait():
        begun.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(PATIENCE_S):
        async with working([Work(name="waiting", every_s=0, do=wait)]):
            await begun.wait()


async def test_a_round_that_keeps_its_cancellation_for_itself_is_not_done_again():
    rounds = 0
    begun = asyncio.Event()

    async def wait():
        nonlocal rounds
        rounds += 1
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async with asyncio.timeout(PATIENCE_S):
        async with working([Work(name="waiting", every_s=0, do=wait)]):
            await begun.wait()
    assert rounds == 1


async def test_last_steps_come_after_all_works_have_stopped_and_the_first_begun_ends_last(caplog):
    steps = []

    def work(name, error=None):
        async def wait():
            try:
                await asyncio.Event().wait()
            finally:
                steps.append(f"{name} stops")

        async def end():
            steps.append(f"{name} ends")
            if error is not None:
                raise error

        return Work(name=name, every_s=0, do=wait, at_end=end)

    async with working([work("first"), work("second", KeyError())]):
        await asyncio.sleep(0)
    assert steps == ["first stops", "second stops", "second ends", "first ends"]
    assert caplog.messages == ["second fails at its end: KeyError"]
