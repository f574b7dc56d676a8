"""The tokens that checks look up: side by side for the look-up, and by the place of their check.

A check of a service that cannot be restricted seeks no token, so it has no part in a look-up.
"""

from collections.abc import Sequence

from cache.store import Lookup
from cache.token import Token
from checker.checks.prepared_batch import TokenTable


def flat(sought: Sequence[Sequence[Token]]) -> Sequence[Token]:
    """Return the tokens of all checks, side by side."""
    if len(sought) == 1:
        return sought[0]
    return [token for tokens in sought for token in tokens]


def places_of(sought: Sequence[Sequence[Token]], maybes: Sequence[int]) -> Sequence[int]:
    """Return the places of the checks that hold a token with one of these indices.

    All tokens of such a check are looked up, so that the answer about one subject is of one list.
    """
    if len(sought) == 1:
        return (0,)
    if isinstance(sought, TokenTable):
        return sought.places_of(maybes)
    wanted = set(maybes)
    places = []
    start = 0
    for place, tokens in enumerate(sought):
        stop = start + len(tokens)
        if not wanted.isdisjoint(range(start, stop)):
            places.append(place)
        start = stop
    return places


def outlines_by_place(
    places: Sequence[int], sought: Sequence[Sequence[Token]], lookup: Lookup
) -> dict[int, list[bytes]]:
    """Return the outlines that the cache holds of each subject that was looked up, by place.

    `sought` are the tokens of the check at each of `places`.
    """
    listed = {}
    start = 0
    for place, tokens in zip(places, sought, strict=True):
        stop = start + len(tokens)
        outlines = [value for value in lookup.values[start:stop] if value is not None]
        start = stop
        if outlines:
            listed[place] = outlines
    return listed
