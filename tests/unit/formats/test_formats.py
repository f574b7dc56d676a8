"""All formats of the feed: what holds of each, whichever is added."""

import pytest

from checker.api.openapi import openapi_document
from checker.api.routes import OPERATIONS
from checker.cli.feed import import_list
from checker.cli.follow import follow
from checker.formats.formats import LINE_FORMATS, LIST_FORMATS, format_of_changes
from checker.formats.listing import LISTING
from checker.formats.operation import OPERATION
from checker.registry.entry import LineRejected, ListingEntry
from tests.support.platform_records import READING

pytestmark = pytest.mark.anyio

SECRET = "陈示例"


async def lines_of(feed_format, *chunks):
    async def arriving():
        for chunk in chunks:
            yield chunk

    return [line async for line in feed_format.open(arriving())]


@pytest.fixture(params=LINE_FORMATS.values(), ids=LINE_FORMATS)
def line_format(request):
    return request.param


def test_each_format_has_a_name_of_its_own():
    assert all(name == each.name for name, each in LINE_FORMATS.items())


async def test_the_example_of_a_format_is_one_line_that_can_be_read(line_format):
    [(_, line)] = await lines_of(line_format, line_format.example)

    content = line_format.read_line(line, READING)

    assert isinstance(content, ListingEntry) == (line_format.name in LIST_FORMATS)


async def test_the_lines_of_a_format_do_not_depend_on_its_chunks(line_format):
    whole = await lines_of(line_format, line_format.example)

    single = [bytes([byte]) for byte in line_format.example]

    assert await lines_of(line_format, *single) == whole


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'"', b"a,b", f'{{"{SECRET}": 1'.encode()])
def test_junk_is_rejected_and_the_reason_does_not_repeat_it(line_format, junk):
    with pytest.raises(LineRejected) as rejected:
        line_format.read_line(junk, READING)

    assert SECRET not in rejected.value.detail


def test_changes_of_the_feeds_own_format_are_operations_and_others_are_listings():
    found = {each.name: format_of_changes(each) for each in LIST_FORMATS.values()}

    assert found == LIST_FORMATS | {LISTING.name: OPERATION}


@pytest.mark.parametrize("command", [import_list, follow])
def test_a_command_offers_every_format_of_a_list(command):
    [option] = [each for each in command.params if each.name == "feed_format"]

    assert [*option.type.choices] == [*LIST_FORMATS]


def test_the_document_offers_every_format_of_a_list():
    operation = openapi_document(OPERATIONS, "1")["paths"]["/v1/feed/snapshot"]["put"]
    [parameter] = [each for each in operation["parameters"] if each["name"] == "format"]

    assert parameter["schema"]["enum"] == [*LIST_FORMATS]
