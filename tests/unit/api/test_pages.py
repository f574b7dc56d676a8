"""Pages are made once, sent compressed where that is taken, and gathered for all who wait."""

import asyncio
import gzip

import pytest

from checker.api.pages import GATHERINGS_AT_ONCE, GatheredPage, KeptPage, RenderedPage, takes_gzip
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

TEXT = b"all of it " * 1_000


class Maker:
    """Counts how often a page was made."""

    def __init__(self, failures: int = 0) -> None:
        self.made = 0
        self.failures = failures

    def __call__(self) -> bytes:
        self.made += 1
        if self.made <= self.failures:
            raise OSError("not now")
        return TEXT


async def test_a_page_that_never_changes_is_made_once_for_all_callers() -> None:
    make = Maker()
    kept = KeptPage(make, "text/plain")
    pages = await asyncio.gather(*[kept.page() for _ in range(50)])
    assert make.made == 1
    assert all(page is pages[0] for page in pages)


async def test_a_page_that_could_not_be_made_is_tried_again() -> None:
    kept = KeptPage(Maker(failures=1), "text/plain")
    with pytest.raises(OSError, match="not now"):
        await kept.page()
    assert (await kept.page()).body == TEXT


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("br", False),
        ("", False),
    ],
)
def test_gzip_is_sent_where_it_is_taken(accepted: str, is_taken: bool) -> None:
    assert takes_gzip(accepted) is is_taken
    reply = RenderedPage.of(TEXT, "text/plain", keeps=True).reply({"accept-encoding": accepted})
    assert reply.headers["vary"] == "accept-encoding"
    assert ("content-encoding" in reply.headers) is is_taken
    assert (gzip.decompress(reply.body) if is_taken else reply.body) == TEXT


def test_a_caller_who_has_the_page_is_not_sent_it_again() -> None:
    page = RenderedPage.of(TEXT, "text/plain", keeps=True)
    etag = page.reply({}).headers["etag"]
    again = page.reply({"if-none-match": etag})
    assert (again.status, again.body) == (304, b"")
    assert page.reply({"if-none-match": 'W/"other"'}).status == 200


def test_a_short_page_is_not_compressed() -> None:
    reply = RenderedPage.of(b"short", "text/plain", keeps=False).reply({"accept-encoding": "gzip"})
    assert (reply.body, reply.headers["cache-control"]) == (b"short", "no-store")


class Gatherer:
    """Gathers a page that says how many there were before, when it is let."""

    def __init__(self) -> None:
        self.begun = 0
        self.slept: list[float] = []
        self.clock = FakeClock()

    async def __call__(self) -> RenderedPage:
        self.begun += 1
        page = RenderedPage.of(str(self.begun).encode(), "text/plain", keeps=False)
        await asyncio.sleep(0)
        return page

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.seconds += seconds


async def test_all_who_wait_share_a_gathering_and_who_comes_later_gets_the_next() -> None:
    gather = Gatherer()
    served = GatheredPage(gather, clock=gather.clock, sleep=gather.sleep)
    first = await asyncio.gather(*[served.page() for _ in range(100)])
    assert {page.body for page in first} == {b"1"}
    assert (await served.page()).body == b"2"


async def test_gatherings_come_once_a_second_when_many_ask() -> None:
    gather = Gatherer()
    served = GatheredPage(gather, clock=gather.clock, sleep=gather.sleep)
    for _ in range(GATHERINGS_AT_ONCE):
        await served.page()
    assert gather.slept == []
    for _ in range(5):
        await served.page()
    assert gather.slept == [1.0] * 5
    gather.clock.seconds += 3
    for _ in range(3):
        await served.page()
    assert gather.slept == [1.0] * 5
