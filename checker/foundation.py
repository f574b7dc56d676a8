"""What all of a node stands on: what it was told, and its ways to PostgreSQL and Redis.

Opened on servers that are named (`checker.servers`), and only if they are this deployment's.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.errors import CacheMisconfigured, CacheUnavailable
from cache.following import Following
from cache.publication import Publication
from cache.quota import RedisQuota
from cache.redis_following import RedisFollowing
from cache.redis_publication import RedisPublication
from cache.redis_store import RedisStandingCache
from cache.store import StandingCache
from cache.tally import RedisTally
from cache.token import Tokenizer
from checker.accounts.quotas import Quotas
from checker.audit.policies import record_policies
from checker.config import Config
from checker.database.engine import open_engine
from checker.database.pulse import Pulse
from checker.deployment import prepare_deployment
from checker.domain.clock import Clock
from checker.errors import ConfigurationError, Unavailable
from checker.policy.book import PolicyBook
from checker.policy.errors import PolicyError
from checker.policy.loader import builtin_policies, load_policies
from checker.registry.sealing import Sealer
from checker.vault import Vault, load_secrets

REDIS_START_S = 5.0
"""How long a start waits for Redis, which may be starting too, or be slow to take a connection."""

REDIS_PAUSE_S = 0.1
"""Between two tries of a start to reach Redis."""


class Foundation(msgspec.Struct, frozen=True, kw_only=True):
    """What all of a node stands on: what it was told, and its ways to PostgreSQL and Redis.

    All engines of a process share one `pulse`.
    """

    config: Config
    clock: Clock
    policies: PolicyBook
    sealer: Sealer
    token_key: str
    pulse: Pulse
    engine: AsyncEngine
    work_engine: AsyncEngine
    cache: StandingCache
    following: Following
    publication: Publication
    quotas: Quotas
    tally: RedisTally


@asynccontextmanager
async def open_foundation(
    config: Config, environ: Mapping[str, str], clock: Clock
) -> AsyncIterator[Foundation]:
    """Open it.

    Raises:
        ConfigurationError: keys of another deployment, a Redis that may evict the list, a policy
            file that says what it may not.
        Unavailable: PostgreSQL or Redis cannot be reached.
    """
    assert config.database_url is not None
    assert config.redis_url is not None
    policies = read_policies(config)
    secrets = load_secrets(config.data_dir, environ)
    tokenizer = Tokenizer(secrets.token_key)
    token_key = tokenizer.fingerprint
    sealer = Sealer(tokenizer, Vault(secrets.encryption_key))
    pulse = Pulse(config.database_url)
    async with (
        open_engine(config.database_url, pulse=pulse) as engine,
        open_engine(config.database_url, timeout_s=None, pulse=pulse) as work_engine,
    ):
        await prepare_deployment(work_engine, sealer.vault, token_key)
        await record_policies(work_engine, policies.all_effective, clock.now())
        async with (
            aclosing(RedisStandingCache.connect(config.redis_url, token_key=token_key)) as cache,
            aclosing(RedisFollowing.connect(config.redis_url, token_key=token_key)) as following,
            aclosing(RedisPublication.connect(config.redis_url)) as publication,
            aclosing(RedisQuota(config.redis_url)) as quota,
            aclosing(RedisTally(config.redis_url)) as tally,
        ):
            await _verify(cache)
            yield Foundation(
                config=config,
                clock=clock,
                policies=policies,
                sealer=sealer,
                token_key=token_key,
                pulse=pulse,
                engine=engine,
                work_engine=work_engine,
                cache=cache,
                following=following,
                publication=publication,
                quotas=Quotas(quota),
                tally=tally,
            )


def read_policies(config: Config) -> PolicyBook:
    """Read the measures that come with the package, with the settings of the config file."""
    try:
        return load_policies(builtin_policies(), config.jurisdictions)
    except PolicyError as error:
        raise ConfigurationError(str(error)) from error


async def _verify(cache: StandingCache) -> None:
    """Refuse a Redis that may drop the list by itself; wait a little for one that is away."""
    until = time.monotonic() + REDIS_START_S
    try:
        while True:
            try:
                return await cache.verify_policy()
            except CacheUnavailable:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(REDIS_PAUSE_S)
    except CacheMisconfigured as error:
        raise ConfigurationError(str(error)) from error
    except CacheUnavailable as error:
        raise Unavailable("Redis cannot be reached") from error
