"""An oracle: outlines packed by hand from listings as they are sent, link by link."""

import struct
from collections import defaultdict
from datetime import date

DAY_ZERO = date(1900, 1, 1)
NUMBERS = {
    "debtor": 0,
    "legal_representative": 1,
    "principal": 2,
    "actual_controller": 3,
    "directly_responsible": 4,
}
LINKS_MAX = 12


def packed(links):
    """The outline of links: role, whether the number is masked, first day and end, as dates, and
    whether the listing is an order.
    """
    different = sorted({pack(*link) for link in links})
    if len(different) > LINKS_MAX:
        return b"\x02"
    return b"\x01" + b"".join(different)


def pack(role, masked, starts_on, ends_on, is_order=False):
    starts = 0 if starts_on is None else min(max((starts_on - DAY_ZERO).days, 0), 0xFFFE)
    ends = 0xFFFF if ends_on is None else min(max((ends_on - DAY_ZERO).days, 0), 0xFFFF)
    flags = (0x80 if masked else 0) | (0x40 if is_order else 0)
    return struct.pack(">BHH", NUMBERS[role] | flags, starts, ends)


def outlines_of(listings):
    """Pack what listings, as objects of the feed, say of each number, and of its masked form."""
    links = defaultdict(list)
    for listing in listings:
        starts_on = _day(listing.get("starts_on") or listing["published_on"])
        ends_on = _day(listing["expires_on"])
        is_order = listing.get("kind") == "consumption_order"
        shown = [("debtor", listing["party"])]
        shown += [(officer["role"], officer) for officer in listing.get("officers", ())]
        for role, holder in shown:
            for document in holder["documents"]:
                masked = "*" in document["number"]
                # A masked number alone says little: it stands under the name too.
                name = holder["name"] if masked else None
                key = (document["type"], document["number"], name)
                links[key].append((role, masked, starts_on, ends_on, is_order))
    return {key: packed(found) for key, found in links.items()}


def _day(text):
    return None if text is None else date.fromisoformat(text)
