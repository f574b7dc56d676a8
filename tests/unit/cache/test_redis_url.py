"""URLs of Redis: those that are taken, and one clear line for each that is not."""

import pytest

from cache.errors import CacheMisconfigured
from cache.redis_url import driver_url

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("redis://localhost", "redis://localhost"),
        ("redis://localhost:6379/", "redis://localhost:6379/"),
        ("REDIS://[::1]:6379/3", "redis://[::1]:6379/3"),
        ("rediss://u:p@example.com/0?ssl_cert_reqs=none", None),
        ("valkey://:p%23x@cache:6380/15", "redis://:p%23x@cache:6380/15"),
        ("valkeys://cache", "rediss://cache"),
        ("unix:///run/redis.sock", None),
        ("unix:///run/redis.sock?db=2", None),
    ],
)
def test_a_url_of_redis_or_valkey_is_taken(text: str, taken: str | None) -> None:
    assert driver_url(text) == (taken or text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SECRET, "no URL"),
        (f"redis:/{SECRET}", "no URL"),
        (f"sentinel://:{SECRET}@a:26379/mymaster", "sentinels, which are not supported"),
        (f"redis+sentinel://{SECRET}@a:26379", "sentinels"),
        (f"redis-cluster+x://{SECRET}@a", "begins with"),
        (f"redis+cluster://{SECRET}@a", "a cluster"),
        (f"http://{SECRET}@a", "begins with"),
        (f"://{SECRET}", "begins with"),
        (f"redis://:{SECRET}@", "no host"),
        (f"redis:///{SECRET}", "no host"),
        (f"redis://:{SECRET}@a:0", "no host, or the port 0"),
        (f"redis://:{SECRET}@a:66000", "port"),
        (f"redis://:{SECRET}@a:x", "port"),
        (f"redis://:{SECRET}/x@a:6379", "percent-encoded"),
        (f"redis://:{SECRET}?x@a:6379", "port"),
        (f"redis://a?{SECRET}=1", "unknown parameter"),
        (f"redis://a/0#{SECRET}", "%23"),
        (f"redis://:{SECRET}@a/first", "a database that is no number"),
        (f"redis://:{SECRET}@a/-1", "a database that is no number"),
        (f"redis://:{SECRET}@a/1/2", "a database that is no number"),
        (f"redis://:{SECRET}@a?db=x", "a db that is not a number"),
        ("unix://", "no path"),
        (f"redis://[{SECRET}", "percent-encoded"),
    ],
)
def test_another_url_is_refused_in_a_line_that_repeats_nothing(text: str, told: str) -> None:
    with pytest.raises(CacheMisconfigured) as refused:
        driver_url(text)
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)
