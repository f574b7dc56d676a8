"""The notices of one node, put together."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.domain.clock import Clock
from checker.notices.deliveries import Deliveries
from checker.notices.endpoint import EndpointRules
from checker.notices.feed import NoticeFeed
from checker.notices.keeper import NoticeKeeper
from checker.notices.sender import Sender
from checker.notices.webhooks import Webhooks
from checker.notices.writer import NoticeWriter
from checker.vault import Vault


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a node for notices. The keeper steps the writer and runs the sender."""

    feed: NoticeFeed
    webhooks: Webhooks
    writer: NoticeWriter
    sender: Sender
    keeper: NoticeKeeper


def assemble_notices(
    engine: AsyncEngine,
    work_engine: AsyncEngine,
    *,
    vault: Vault,
    clock: Clock,
    rules: EndpointRules,
    keep_months: int,
) -> Notices:
    """Return a node's parts for notices. `work_engine` has no bound on the time of a statement."""
    writer = NoticeWriter(work_engine, clock, vault)
    sender = Sender(Deliveries(work_engine, vault), clock, rules)
    return Notices(
        feed=NoticeFeed(engine),
        webhooks=Webhooks(engine, vault, clock, rules),
        writer=writer,
        sender=sender,
        keeper=NoticeKeeper(work_engine, clock, writer, sender, keep_months=keep_months),
    )
