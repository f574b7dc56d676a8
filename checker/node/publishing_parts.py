"""The parts of a publishing process: it leads the works that a deployment does once.

These are the publisher, the keeper of the audit, the keeper of the notices, the keeper of
retention and the renewal of keys. The process answers nobody, so it opens no part that answers.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager

import msgspec

from cache.redis_list_writer import RedisListWriter
from cache.redis_parts import RedisParts
from cache.verification import Walk
from checker.audit.keeper import AuditKeeper
from checker.config import Config
from checker.domain.clock import Clock, SystemClock
from checker.node.foundation import Foundation, open_foundation
from checker.node.joining import Joining
from checker.notices.deliveries import Deliveries
from checker.notices.endpoint import EndpointRules
from checker.notices.keeper import NoticeKeeper
from checker.notices.sender import Sender
from checker.notices.writer import NoticeWriter
from checker.publication.publisher import Publisher
from checker.publication.verification import Verification
from checker.registry.key_renewal import KeyRenewal
from checker.retention.keeper import RetentionKeeper
from checker.work import Work


class PublishingParts(msgspec.Struct, frozen=True, kw_only=True):
    """The open parts of a publishing process."""

    joining: Joining
    publisher: Publisher
    audit_keeper: AuditKeeper
    notice_keeper: NoticeKeeper
    key_renewal: KeyRenewal
    retention_keeper: RetentionKeeper

    def works(self, report_mismatch: Callable[[], None]) -> tuple[Work, ...]:
        """Return the works besides joining.

        `report_mismatch` is called when a list in the cache does not match its checksums.
        """
        return (
            *self.publisher.works(report_mismatch),
            self.audit_keeper.work(),
            *self.notice_keeper.works(),
            self.key_renewal.work,
            self.retention_keeper.work,
        )


@asynccontextmanager
async def open_publishing_parts(
    config: Config, environ: Mapping[str, str], *, clock: Clock | None = None
) -> AsyncIterator[PublishingParts]:
    """Open the parts on servers that are named, whether they can be reached or not.

    Raises:
        ConfigurationError: as `open_foundation`.
    """
    async with (
        open_foundation(config, environ, clock or SystemClock()) as base,
        open_publisher(base) as publisher,
    ):
        yield PublishingParts(
            joining=base.joining,
            publisher=publisher,
            audit_keeper=_audit_keeper(base),
            notice_keeper=_notice_keeper(base),
            key_renewal=KeyRenewal(base.work_engine, base.sealer),
            retention_keeper=RetentionKeeper(
                base.work_engine, base.sealer.vault, base.clock, base.config.retention
            ),
        )


@asynccontextmanager
async def open_publisher(base: Foundation) -> AsyncIterator[Publisher]:
    """Open the publisher with the ways to Redis that it alone uses."""
    url, namespace, token_keys = base.redis_url, base.namespace, base.token_keys
    async with (
        aclosing(
            RedisListWriter.connect(url, namespace=namespace, token_keys=token_keys)
        ) as list_writer,
        aclosing(RedisParts.connect(url, namespace=namespace)) as parts,
    ):
        yield Publisher(
            engine=base.work_engine,
            cache=base.cache,
            list_writer=list_writer,
            token_keys=token_keys,
            verification=Verification(base.cache, Walk(parts, token_keys=token_keys)),
        )


def _audit_keeper(base: Foundation) -> AuditKeeper:
    return AuditKeeper(
        base.work_engine,
        base.sealer.vault,
        base.clock,
        keep_months=base.config.decisions.keep_months,
    )


def _notice_keeper(base: Foundation) -> NoticeKeeper:
    rules = EndpointRules(**msgspec.structs.asdict(base.config.notices))
    return NoticeKeeper(
        base.work_engine,
        base.clock,
        NoticeWriter(base.work_engine, base.clock, base.sealer.vault),
        Sender(Deliveries(base.work_engine, base.sealer.vault), base.clock, rules),
        keep_months=base.config.decisions.keep_months,
    )
