"""The whole examination of a deployment: machine, Redis, PostgreSQL, and the list in both.

An examination changes nothing of a deployment. Embedded servers are started for its time, as for
every command. A fault of the machine ends the examination. A store that cannot be asked is a fault,
and the other store is examined.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from cache.errors import CacheMisconfigured
from cache.redis_url import server_name as redis_name
from cache.token import Tokenizer
from cache.token_key import TokenKeys
from checker.config import Config
from checker.database.urls import server_name as postgres_name
from checker.deployment_secrets import load_secrets
from checker.doctor import (
    certificate,
    cluster_findings,
    list_findings,
    machine,
    postgres_findings,
    redis_findings,
)
from checker.doctor.finding import Finding, FindingLevel
from checker.doctor.list_findings import ListFacts
from checker.doctor.postgres_facts import read_postgres
from checker.doctor.redis_facts import read_redis
from checker.domain.clock import Clock
from checker.embedded.place import EmbeddedServerError
from checker.errors import ConfigurationError, Unavailable
from checker.node.servers import open_servers
from checker.vault import Vault

_Facts = TypeVar("_Facts")


def examine(
    config: Config, environ: Mapping[str, str], clock: Clock, tls_certificate: Path | None = None
) -> tuple[Finding, ...]:
    """Return all findings about a deployment, in a fixed order.

    `tls_certificate` is the certificate that `checker serve` gets, if any.
    """
    facts = machine.read_machine(config, environ)
    found = [examination(facts) for examination in machine.EXAMINATIONS]
    if has_fault(found):
        # A start refuses such a machine too, and nobody else should read its secrets now.
        return tuple(found)
    if tls_certificate is not None:
        found.append(certificate.examine_certificate(tls_certificate, clock.now()))
    secrets = load_secrets(config.data_dir, environ)
    token_keys = TokenKeys(Tokenizer(secrets.token_key), secrets.token_keys)
    held = Vault(secrets.encryption_keys).fingerprints
    try:
        with open_servers(config) as named:
            found += asyncio.run(_examine_stores(named, token_keys, held, clock))
    except (ConfigurationError, EmbeddedServerError) as error:
        found.append(Finding.fault("start", str(error), "correct what this line names"))
    return tuple(found)


def has_fault(findings: Sequence[Finding]) -> bool:
    """Return whether at least one finding is a fault."""
    return any(each.level is FindingLevel.FAULT for each in findings)


async def _examine_stores(
    config: Config, token_keys: TokenKeys, encryption_keys: Mapping[int, str], clock: Clock
) -> list[Finding]:
    assert config.redis_url is not None
    assert config.database_url is not None
    found: list[Finding] = []
    try:
        where = redis_name(config.redis_url)
    except CacheMisconfigured as error:
        raise ConfigurationError(f"REDIS_URL {error}") from None
    cache = await _facts_or_fault(
        read_redis(config.redis_url, config.redis.prefix, token_keys, clock), "Redis", where, found
    )
    if cache is not None:
        found += [examination(cache) for examination in redis_findings.EXAMINATIONS]
        if cache.cluster is not None:
            found += [each(cache.cluster) for each in cluster_findings.EXAMINATIONS]
    where = postgres_name(config.database_url)
    registry = await _facts_or_fault(
        read_postgres(config.database_url, clock), "PostgreSQL", where, found
    )
    if registry is not None:
        found += [examination(registry) for examination in postgres_findings.EXAMINATIONS]
    facts = ListFacts(
        registry=registry,
        cache=cache,
        token_key=token_keys.first.fingerprint,
        encryption_keys=encryption_keys,
        token_keys=token_keys.fingerprints,
    )
    of_list = (examination(facts) for examination in list_findings.EXAMINATIONS)
    return [*found, *(each for each in of_list if each is not None)]


async def _facts_or_fault(
    reading: Awaitable[_Facts], store: str, where: str, found: list[Finding]
) -> _Facts | None:
    """Return the facts of a store; None where it cannot be asked, which is added as a fault."""
    try:
        return await reading
    except Unavailable as error:
        mend = "start the server, or correct its URL"
        found.append(Finding.fault(store, f"{where} {error}", mend))
        return None
