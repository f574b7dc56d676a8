"""The damage that a hand may do to the parts of a generation, on either ground."""

from cache.checksum import SEAL_FIELD, segment_field, shelf_field
from cache.layout import SENTINEL
from tests.integration.cache.cache_grounds import KEYS, stored, token

LISTED_PERSON = token(7)


def bucket_of(generation, person=LISTED_PERSON):
    return KEYS.bucket(generation.id, generation.bucket_of(stored(person)))


def segment_of(generation, person=LISTED_PERSON):
    return KEYS.segment(generation.id, generation.block_of(stored(person))[0])


def copy_of(ground, key):
    """Return the content of a key, hash or string."""
    return (
        ground.get(key) if ":f:" in key else {f: ground.field(key, f) for f in ground.fields(key)}
    )


def restore(ground, key, held):
    """Put back what a key held once."""
    ground.lose(key)
    if isinstance(held, bytes):
        ground.put(key, held)
    else:
        for field, value in held.items():
            ground.put_field(key, field, value)


def delete_a_token(ground, live):
    ground.lose_field(bucket_of(live), stored(LISTED_PERSON))


def add_a_token(ground, live):
    ground.put_field(bucket_of(live), stored(token(5_000)), b"v")


def change_a_value(ground, live):
    ground.put_field(bucket_of(live), stored(LISTED_PERSON), b"w")


def move_bytes_from_one_field_to_the_next(ground, live):
    bucket = bucket_of(live)
    first, second = sorted(ground.fields(bucket) - {SENTINEL})[:2]
    for gone in (first, second):
        ground.lose_field(bucket, gone)
    ground.put_field(bucket, first[:15], b"v")
    ground.put_field(bucket, first[15:] + second, b"v")


def copy_a_sentinel(ground, live):
    other = KEYS.bucket(live.id, (live.bucket_of(stored(LISTED_PERSON)) + 1) % live.buckets)
    ground.put_field(bucket_of(live), SENTINEL, ground.field(other, SENTINEL))


def empty_a_sentinel(ground, live):
    ground.put_field(bucket_of(live), SENTINEL, b"")


def swap_two_buckets(ground, live):
    one, other = bucket_of(live), KEYS.bucket(live.id, 0)
    held = copy_of(ground, one), copy_of(ground, other)
    assert one != other
    for key, copy in zip((other, one), held, strict=True):
        restore(ground, key, copy)


def lose_a_bucket(ground, live):
    ground.lose(bucket_of(live))


OF_BUCKETS = [
    delete_a_token,
    add_a_token,
    change_a_value,
    move_bytes_from_one_field_to_the_next,
    copy_a_sentinel,
    empty_a_sentinel,
    swap_two_buckets,
    lose_a_bucket,
]


def zero_a_segment(ground, live):
    ground.blank(segment_of(live))


def clear_a_bit(ground, live):
    data = bytearray(ground.get(segment_of(live)))
    at = next(index for index, byte in enumerate(data) if byte)
    data[at] &= data[at] - 1
    ground.put(segment_of(live), bytes(data))


def set_a_bit(ground, live):
    data = bytearray(ground.get(segment_of(live)))
    at = next(index for index, byte in enumerate(data) if byte != 0xFF)
    data[at] |= data[at] + 1
    ground.put(segment_of(live), bytes(data))


def swap_two_segments(ground, live):
    one, other = KEYS.segment(live.id, 0), KEYS.segment(live.id, 1)
    held = ground.get(one), ground.get(other)
    assert held[0] != held[1]
    ground.put(one, held[1])
    ground.put(other, held[0])


def lose_a_segment(ground, live):
    ground.lose(segment_of(live))


def swap_two_segments_and_their_records(ground, live):
    swap_two_segments(ground, live)
    sums, fields = KEYS.sums(live.id), (segment_field(0), segment_field(1))
    held = [ground.field(sums, field) for field in fields]
    for field, record in zip(fields, reversed(held), strict=True):
        ground.put_field(sums, field, record)


def zero_a_record(ground, live):
    ground.put_field(KEYS.sums(live.id), segment_field(0), bytes(16))


def lose_a_record(ground, live):
    ground.lose_field(KEYS.sums(live.id), shelf_field(0))


def add_a_record(ground, live):
    ground.put_field(KEYS.sums(live.id), b"f999", bytes(16))


def cut_a_record(ground, live):
    ground.put_field(KEYS.sums(live.id), segment_field(0), b"1")


def lose_the_seal(ground, live):
    ground.lose_field(KEYS.sums(live.id), SEAL_FIELD)


def cut_the_seal(ground, live):
    ground.put_field(KEYS.sums(live.id), SEAL_FIELD, b"1")


def lose_all_records(ground, live):
    ground.lose(KEYS.sums(live.id))


OF_SEGMENTS_AND_RECORDS = [
    zero_a_segment,
    clear_a_bit,
    set_a_bit,
    swap_two_segments,
    swap_two_segments_and_their_records,
    lose_a_segment,
    zero_a_record,
    lose_a_record,
    add_a_record,
    cut_a_record,
    lose_the_seal,
    cut_the_seal,
    lose_all_records,
]
