"""URLs of Redis: those that are taken, and one clear line for each that is not."""

import pytest

from cache.errors import CacheMisconfigured
from cache.redis_url import redis_target, server_name

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
    assert redis_target(text) == (taken or text, None, ())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SECRET, "no URL"),
        (f"redis:/{SECRET}", "no URL"),
        (f"redis+sentinel://{SECRET}@a:26379", "without a master"),
        (f"redis+sentinel://{SECRET}@a:26379/", "without a master"),
        (f"redis+sentinel://:{SECRET}@a:26379/bad%20name", "without a master"),
        (f"sentinel://:{SECRET}@/mymaster", "a sentinel that is no host"),
        (f"sentinel://:{SECRET}@a,,b/mymaster", "a sentinel that is no host"),
        (f"sentinel://:{SECRET}@a:x/mymaster", "a sentinel that is no host"),
        (f"sentinel://:{SECRET}@a:0/mymaster", "a sentinel that is no host"),
        (f"sentinel://:{SECRET}@{','.join('abcdefghijklmnop')}/mymaster", "more than 15"),
        (f"sentinel://:{SECRET}@a/mymaster/first", "a database that is no number"),
        (f"sentinel://a/mymaster?{SECRET}=1", "unknown parameter"),
        (f"sentinel://a/m?sentinel_password={SECRET}&sentinel_password={SECRET}", "twice"),
        (f"sentinel://a/mymaster?ssl_cert_reqs={SECRET}", "rediss://"),
        (f"redis-cluster+x://{SECRET}@a", "begins with"),
        (f"rediscluster://{SECRET}@a", "begins with"),
        (f"redis+cluster://{SECRET}@", "a node that is no host"),
        (f"redis+cluster://{SECRET}@a,,b", "a node that is no host"),
        (f"redis+cluster://{SECRET}@a:0", "a node that is no host"),
        (f"redis+cluster://{SECRET}@{','.join('abcdefghijklmnop')}", "more than 15 nodes"),
        (f"redis+cluster://{SECRET}@a/1", "the database 0 alone"),
        (f"redis+cluster://{SECRET}@a/{SECRET}", "a database that is no number"),
        (f"redis+cluster://{SECRET}@a?db=1", "the database 0 alone"),
        (f"redis+cluster://a?{SECRET}=1", "unknown parameter"),
        (f"redis+cluster://a?ssl_cert_reqs={SECRET}", "rediss://"),
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
        redis_target(text)
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_url_of_sentinels_names_them_and_the_master() -> None:
    target = redis_target(
        f"rediss+sentinel://u:{SECRET}@a,b:1,[::1]:2/my.master/3"
        f"?ssl_cert_reqs=none&sentinel_username=s&sentinel_password={SECRET}2"
    )
    assert target.url == f"rediss://u:{SECRET}@the-master/3?ssl_cert_reqs=none"
    assert target.sentinels == (
        (("a", 26379), ("b", 1), ("::1", 2)),
        "my.master",
        "s",
        f"{SECRET}2",
    )


@pytest.mark.parametrize("scheme", ["redis+sentinel", "valkey+sentinel", "sentinel"])
def test_a_master_without_a_database_has_the_first(scheme: str) -> None:
    target = redis_target(f"{scheme}://a/mymaster")
    assert (target.url, target.sentinels) == (
        "redis://the-master/",
        ((("a", 26379),), "mymaster", None, None),
    )


def test_the_name_of_a_watched_master_repeats_no_secret() -> None:
    name = server_name(f"sentinel://u:{SECRET}@a,b:1/mymaster?sentinel_password={SECRET}")
    assert name == "the master mymaster of the sentinels a:26379, b:1"


@pytest.mark.parametrize("path", ["", "/", "/0", "/0?db=0"])
def test_a_url_of_a_cluster_names_some_of_its_nodes(path: str):
    target = redis_target(f"redis+cluster://u:{SECRET}@a,b:1,[::1]:2{path}")
    assert target.url.startswith(f"redis://u:{SECRET}@the-master/")
    assert (target.sentinels, target.nodes) == (None, (("a", 6379), ("b", 1), ("::1", 2)))


def test_a_cluster_over_tls_has_the_parameters_of_tls():
    target = redis_target("valkeys+cluster://a/?ssl_cert_reqs=none")
    assert target.url == "rediss://the-master/?ssl_cert_reqs=none"
    assert target.nodes == (("a", 6379),)


def test_the_name_of_a_cluster_repeats_no_secret():
    assert server_name(f"redis+cluster://u:{SECRET}@a,b:1/") == "the cluster of a:6379, b:1"
