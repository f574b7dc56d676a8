"""The command by which a slice of a change comes into a generation: one run of `apply.lua`.

The script names its arguments. This file only brings them into their order.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files

from cache.amendment import Amendment
from cache.changes import CHANGES_KEPT, Change
from cache.filter import bit_offsets
from cache.generation import Generation
from cache.keys import Keys
from cache.list_writer import ChangeSlice
from cache.redis_pipe import Command
from cache.store import BUILD_MARKER_TTL_S
from cache.token import StoredToken

_APPLY = files("cache").joinpath("apply.lua").read_text(encoding="utf-8")


def apply_command(
    keys: Keys,
    generation: Generation,
    change: Change,
    part: ChangeSlice,
    amendment: Amendment,
    *,
    seal: bytes,
    live: bool,
) -> Command:
    """Return the command that brings one slice of a change into a generation.

    `seal` is that of the slice's entry of the stream.
    """
    fixed = (keys.pointer, keys.head(generation.id), keys.marker(generation.id), keys.changes)
    segments = {generation.block_of(token)[0] for token, _ in part.outlines}
    buckets = {generation.bucket_of(token) for token, _ in part.outlines}
    # Places as Lua counts them, from 1.
    segment_places = dict(_numbered(segments, len(fixed) + 1))
    bucket_places = dict(_numbered(buckets, len(fixed) + len(segments) + 1))
    names = (
        *fixed,
        *(keys.segment(generation.id, segment) for segment in segment_places),
        *(keys.bucket(generation.id, bucket) for bucket in bucket_places),
        keys.sums(generation.id),
    )
    return (
        "EVAL",
        _APPLY,
        len(names),
        *names,
        generation.id,
        "live" if live else "building",
        *_step_of(change, part),
        seal,
        CHANGES_KEPT,
        BUILD_MARKER_TTL_S,
        len(segment_places),
        *(generation.segment_bytes(segment) for segment in segment_places),
        *_tokens(generation, part, segment_places, bucket_places),
        amendment.seal_before,
        *(amendment.sentinels[bucket] for bucket in bucket_places),
        *(argument for record in amendment.records.items() for argument in record),
        len(amendment.records),
    )


def _tokens(
    generation: Generation,
    part: ChangeSlice,
    segment_places: Mapping[int, int],
    bucket_places: Mapping[int, int],
) -> Iterator[str | bytes | int]:
    """Yield the script's arguments about each token."""
    for token, value in part.outlines:
        segment, start = generation.block_of(token)
        yield from (token, segment_places[segment], bucket_places[generation.bucket_of(token)])
        yield from _bits_of(token, value, start)


def _step_of(change: Change, part: ChangeSlice) -> Command:
    """Return the script's arguments about the step from one change to the next."""
    before, after = change.before, change.after
    return (
        before.version,
        before.change_id,
        after.version,
        after.change_id,
        after.history,
        after.as_of_ms,
        int(part.is_last),
        part.before,
        part.after,
    )


def _bits_of(token: StoredToken, value: bytes | None, start: int) -> Command:
    """Return a token's arguments of the script besides its places; its block begins at `start`."""
    return (b"-",) if value is None else (b"+" + value, *bit_offsets(token, start))


def _numbered(indices: set[int], first: int) -> Iterator[tuple[int, int]]:
    return ((index, place) for place, index in enumerate(sorted(indices), first))
