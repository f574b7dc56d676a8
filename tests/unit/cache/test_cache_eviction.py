"""Every policy of Redis 6.2 to 8, and one that nobody knows yet."""

import pytest

from cache.errors import CacheMisconfigured
from cache.eviction import refuse_evicting


@pytest.mark.parametrize(
    "policy", ["noeviction", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"]
)
def test_a_policy_that_spares_keys_without_a_time_to_live_is_accepted(policy):
    refuse_evicting(policy)


@pytest.mark.parametrize(
    "policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random", "some-new-policy", "unknown", ""]
)
def test_a_policy_that_may_take_the_list_is_refused(policy):
    with pytest.raises(CacheMisconfigured, match="maxmemory-policy"):
        refuse_evicting(policy)
