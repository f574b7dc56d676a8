"""The settings of a process, and its ways to the list: all other parts stand on them.

Opening connects to nothing, so it also succeeds while the named servers (`checker.node.servers`)
cannot be reached. `checker.node.joining` connects, and verifies that both are this deployment's.
"""

import functools
import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.claim import NamespaceClaim
from cache.redis_store import Patience, RedisStandingCache
from cache.redis_url import server_name as redis_name
from cache.store import StandingCache
from cache.token import Tokenizer
from cache.token_key import TokenKeys
from checker.config import Config
from checker.database.engine import open_engine
from checker.database.gate import Gate
from checker.database.pooler import KEPT_SETTING
from checker.database.pulse import Pulse
from checker.database.urls import server_name as postgres_name
from checker.deployment_secrets import load_secrets, read_secrets
from checker.domain.clock import Clock
from checker.errors import ConfigurationError
from checker.node.joining import Joining
from checker.policy.book import PolicyBook
from checker.policy.errors import PolicyError
from checker.policy.loader import builtin_policies, load_policies
from checker.registry.sealing import Sealer
from checker.rotation.key_holding import KeyHolding
from checker.vault import Vault

_JOINING_CONNECTIONS = 2
"""A migration holds its lock on one connection and works on the other."""


class Foundation(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a process, and its ways to the list.

    `work_engine` has no bound on statements. It is behind `gate`, which opens as soon as `joining`
    has verified the database. All engines of a process share one `pulse`. `redis_url` and
    `namespace` lead to Redis, for parts that open a way of their own.
    """

    config: Config
    clock: Clock
    policies: PolicyBook
    sealer: Sealer
    token_keys: TokenKeys
    database_url: str
    redis_url: str
    gate: Gate
    pulse: Pulse
    joining: Joining
    work_engine: AsyncEngine
    cache: StandingCache

    @property
    def namespace(self) -> str:
        """The prefix of all keys on Redis."""
        return self.config.redis.prefix


@asynccontextmanager
async def open_foundation(
    config: Config, environ: Mapping[str, str], clock: Clock
) -> AsyncIterator[Foundation]:
    """Open the foundation; nothing connects yet.

    Raises:
        ConfigurationError: a URL is none, secrets cannot be read, or a policy file is not valid.
    """
    assert config.database_url
    assert config.redis_url
    policies = read_policies(config)
    keys = load_secrets(config.data_dir, environ)
    tokenizer = Tokenizer(keys.token_key)
    token_keys = TokenKeys(tokenizer, keys.token_keys)
    sealer = Sealer(tokenizer, Vault(keys.encryption_keys))
    url, redis_url = config.database_url, config.redis_url
    gate, pulse = Gate(), Pulse(url)
    opened = functools.partial(open_engine, url, timeout_s=None, token_keys=token_keys)
    async with (
        opened(pulse=pulse) as work_engine,
        open_engine(url, pool_size=1, settings=KEPT_SETTING) as probe_engine,
        opened(pool_size=_JOINING_CONNECTIONS) as joining_engine,
        aclosing(_standing_cache(config, redis_url, token_keys)) as cache,
    ):
        gate.guard(work_engine)
        yield Foundation(
            config=config,
            clock=clock,
            policies=policies,
            sealer=sealer,
            token_keys=token_keys,
            database_url=url,
            redis_url=redis_url,
            gate=gate,
            pulse=pulse,
            joining=Joining(
                probe_engine=probe_engine,
                engine=joining_engine,
                pooler_url=config.pooler_url,
                gate=gate,
                cache=cache,
                sealer=sealer,
                claim=NamespaceClaim(
                    redis_url, token_keys=token_keys, namespace=config.redis.prefix
                ),
                token_key=token_keys.first.fingerprint,
                keys=KeyHolding(
                    engine=work_engine,
                    vault=sealer.vault,
                    token_keys=token_keys,
                    node=node_id(),
                    read_secrets=functools.partial(read_secrets, config.data_dir, environ),
                ),
                policies=policies,
                clock=clock,
                registry_name=postgres_name(url),
                cache_name=redis_name(redis_url),
                may_begin=config.may_begin,
            ),
            work_engine=work_engine,
            cache=cache,
        )


def _standing_cache(config: Config, redis_url: str, token_keys: TokenKeys) -> RedisStandingCache:
    return RedisStandingCache.connect(
        redis_url,
        namespace=config.redis.prefix,
        token_keys=token_keys,
        patience=Patience(lookup_s=config.redis.timeout_ms / 1000),
    )


def read_policies(config: Config) -> PolicyBook:
    """Return the measures of the package with the settings of the config file."""
    try:
        return load_policies(
            builtin_policies(),
            config.jurisdictions,
            removal_basis=config.policy.removal_basis,
            spc_rule_binds_dishonest=config.policy.spc_rule_binds_dishonest,
        )
    except PolicyError as error:
        raise ConfigurationError(str(error)) from error


def node_id() -> str:
    """Return a name for this process among the nodes: host, number, and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
