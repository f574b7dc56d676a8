"""The bounds of an address without a key: no address uses up the room of the others."""

import hashlib
from collections.abc import Sequence

import pytest

from cache.counting.quota import Limit, MemoryQuota, QuotaSlice, Taken
from cache.errors import CacheUnavailable
from checker.accounts.senders import LOCAL_MAX, SenderBounds, Senders, shares_of
from checker.errors import QuotaExceeded, Unavailable
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

BOUNDS = SenderBounds(
    attempts=4,
    filings=3,
    network_filings=5,
    filings_about=2,
    look_ups=3,
    network_look_ups=5,
    look_ups_about=2,
)


def digest(words: Sequence[str]) -> str:
    return hashlib.blake2b("\0".join(words).encode(), digest_size=16).hexdigest()


class Away:
    """A Redis that is away until a test brings it back."""

    def __init__(self, clock: FakeClock) -> None:
        self.is_away = True
        self.quota = MemoryQuota(clock)

    async def take(
        self,
        items: int,
        limits: Sequence[Limit],
        *,
        slice_max: int = 0,
        returned: QuotaSlice | None = None,
    ) -> Taken:
        if self.is_away:
            raise CacheUnavailable("away")
        return await self.quota.take(items, limits, slice_max=slice_max, returned=returned)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(seconds=36_000.0)


@pytest.fixture
def senders(clock: FakeClock) -> Senders:
    return Senders(MemoryQuota(clock), digest=digest, bounds=BOUNDS, clock=clock)


@pytest.mark.parametrize(
    ("address", "own", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "none", "none"),
        ("/run/proxy.sock", "none", "none"),
    ],
)
def test_an_address_counts_by_itself_and_with_its_network(
    address: str, own: str, network: str
) -> None:
    assert shares_of(address) == (own, network)


async def test_who_guesses_is_refused_until_the_hour_is_over(
    senders: Senders, clock: FakeClock
) -> None:
    for _ in range(4):
        await senders.attempt("192.0.2.7")
    for _ in range(2):
        with pytest.raises(QuotaExceeded) as refused:
            await senders.attempt("192.0.2.7")
        assert refused.value.retry_after_s == 3600
    await senders.attempt("192.0.2.8")
    clock.seconds += 3600
    await senders.attempt("192.0.2.7")


async def test_another_address_of_one_household_is_the_same_sender(senders: Senders) -> None:
    for last in range(4):
        await senders.attempt(f"2001:db8:1:2::{last}")
    with pytest.raises(QuotaExceeded):
        await senders.attempt("2001:db8:1:2:ffff::1")
    await senders.attempt("2001:db8:1:3::1")


async def test_an_address_files_so_much_and_others_file_on(senders: Senders) -> None:
    for about in "abc":
        await senders.file("192.0.2.7", about)
    with pytest.raises(QuotaExceeded):
        await senders.file("192.0.2.7", "d")
    await senders.file("198.51.100.1", "a")


async def test_a_network_files_no_more_however_many_addresses_it_has(senders: Senders) -> None:
    for last in range(5):
        await senders.file(f"192.0.2.{last}", "a")
    with pytest.raises(QuotaExceeded):
        await senders.file("192.0.2.99", "a")
    await senders.file("192.0.3.99", "a")


async def test_an_address_fills_few_of_the_places_about_one_listing_in_a_day(
    senders: Senders, clock: FakeClock
) -> None:
    await senders.file("192.0.2.7", "a")
    await senders.file("192.0.2.7", "a")
    clock.seconds += 3600
    with pytest.raises(QuotaExceeded) as refused:
        await senders.file("192.0.2.7", "a")
    assert refused.value.retry_after_s > 3600
    await senders.file("192.0.2.7", "b")
    await senders.file("192.0.2.8", "a")


async def test_the_bounds_hold_within_a_process_while_redis_is_away(clock: FakeClock) -> None:
    senders = Senders(Away(clock), digest=digest, bounds=BOUNDS, clock=clock)
    for about in "abc":
        await senders.file("192.0.2.7", about)
    with pytest.raises(QuotaExceeded):
        await senders.file("192.0.2.7", "d")


async def test_a_process_counts_so_many_by_itself_and_then_serves_nobody_without_a_key(
    clock: FakeClock,
) -> None:
    senders = Senders(Away(clock), digest=digest, bounds=BOUNDS, clock=clock)
    for number in range(LOCAL_MAX):
        await senders.attempt(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    with pytest.raises(Unavailable):
        await senders.attempt("192.0.2.7")


async def test_look_ups_are_bounded_by_address_by_network_and_by_document(
    senders: Senders, clock: FakeClock
) -> None:
    for document in ("a", "b", "c"):
        await senders.look_up("192.0.2.7", document)
    with pytest.raises(QuotaExceeded):
        await senders.look_up("192.0.2.7", "d")
    await senders.look_up("192.0.2.8", "a")
    with pytest.raises(QuotaExceeded):
        await senders.look_up("198.51.100.1", "a")
    await senders.look_up("192.0.2.9", "e")
    with pytest.raises(QuotaExceeded) as refused:
        await senders.look_up("192.0.2.10", "f")
    assert refused.value.retry_after_s == 3600
    clock.seconds += 3600
    await senders.look_up("192.0.2.7", "a")


async def test_nobody_looks_up_while_the_count_is_away(clock: FakeClock) -> None:
    senders = Senders(Away(clock), digest=digest, bounds=BOUNDS, clock=clock)
    with pytest.raises(Unavailable):
        await senders.look_up("192.0.2.7", "a")
