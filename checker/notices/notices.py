"""The notices of one node, put together."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.domain.clock import Clock
from checker.notices.feed import NoticeFeed
from checker.notices.keeper import NoticeKeeper
from checker.notices.writer import NoticeWriter


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """What a node does about notices; `writer` is for whoever steps by hand."""

    feed: NoticeFeed
    writer: NoticeWriter
    keeper: NoticeKeeper


def assemble_notices(
    engine: AsyncEngine, work_engine: AsyncEngine, *, clock: Clock, keep_months: int
) -> Notices:
    """Put a node's notices together. `work_engine` is one without a bound on statements."""
    writer = NoticeWriter(work_engine, clock)
    return Notices(
        feed=NoticeFeed(engine),
        writer=writer,
        keeper=NoticeKeeper(work_engine, clock, writer, keep_months=keep_months),
    )
