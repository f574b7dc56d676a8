"""Every format of a list goes through the feed, the changes and the quarantine alike."""

import pytest
from sqlalchemy import text

from checker.formats.formats import LIST_FORMATS
from checker.formats.listing import LISTING
from tests.support.registry_grounds import check_of, feed_of, outcomes

pytestmark = pytest.mark.anyio

EXAMPLE_NUMBER = "440882188501010221"


@pytest.fixture(params=LIST_FORMATS.values(), ids=LIST_FORMATS)
def list_format(request):
    return request.param


async def test_the_example_of_a_format_is_a_list(node, list_format):
    report = await node.feed.replace(feed_of(list_format.example), feed_format=list_format)

    assert (report.accepted, report.rejected) == (1, ())
    assert await outcomes(node, [check_of(EXAMPLE_NUMBER)]) == ["deny"]


async def test_the_example_of_a_format_is_a_change(node, list_format):
    report = await node.changes.apply(feed_of(list_format.example), line_format=list_format)

    assert (report.accepted, report.rejected) == (1, ())
    assert await outcomes(node, [check_of(EXAMPLE_NUMBER)]) == ["deny"]


async def test_a_rejected_line_of_a_format_is_kept_and_can_be_tried_again(node, list_format):
    twice = list_format.example + list_format.example
    report = await node.feed.replace(feed_of(twice), feed_format=list_format)
    kept = await node.quarantine.open_lines(0, 100)

    assert report.accepted == 1
    assert {line.format for line in kept} == {list_format.name}
    assert [line.line for line in kept] == [line.line for line in report.rejected]

    # The duplicate says what is in force already, and stands.
    again = await node.quarantine.retry([kept[-1].id])

    assert (again.accepted, again.rejected) == (1, ())


async def test_a_kept_line_of_a_format_that_is_gone_is_rejected_again(node):
    await node.feed.replace(feed_of(LISTING.example + LISTING.example), feed_format=LISTING)
    async with node.engine.begin() as connection:
        await connection.execute(text("UPDATE quarantine SET format = 'gone'"))

    report = await node.quarantine.retry(None)

    assert [line.code for line in report.rejected] == ["invalid-operation"]
