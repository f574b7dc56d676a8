"""Bytes that are kept for a while: the same come back, and nothing readable reaches the disk."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.intake.sealed_spool import (
    BLOCK_BYTES,
    MEMORY_BYTES_MAX,
    open_sealed_spool,
    spool_folder,
)


def filled(spool, *chunks):
    for chunk in chunks:
        spool.write(chunk)
        if spool.is_full:
            spool.flush()
    return spool


def content(spool):
    return b"".join(map(spool.read, spool.blocks()))


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.lists(
        st.sampled_from([0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, MEMORY_BYTES_MAX]),
        max_size=8,
    ),
    drawn=st.randoms(use_true_random=True),
)
def test_what_was_written_is_read_as_often_as_is_wanted(tmp_path_factory, sizes, drawn):
    chunks = [drawn.randbytes(size) for size in sizes]
    with open_sealed_spool(tmp_path_factory.mktemp("spool")) as spool:
        filled(spool, *chunks)
        assert spool.size == sum(sizes)
        assert content(spool) == content(spool) == b"".join(chunks)


def test_a_small_body_never_reaches_the_disk(tmp_path):
    with open_sealed_spool(tmp_path) as spool:
        filled(spool, bytes(MEMORY_BYTES_MAX))
        assert not spool.is_on_disk


def test_a_file_has_no_name_and_holds_nothing_readable(tmp_path):
    line = b"440882189001011230 \xe9\x99\x88\xe7\xa4\xba\xe4\xbe\x8b\n"
    with open_sealed_spool(tmp_path) as spool:
        filled(spool, line * (2 * MEMORY_BYTES_MAX // len(line)))
        assert spool.is_on_disk
        assert not list(tmp_path.iterdir())
        number = spool._file.fileno()
        size = os.fstat(number).st_size
        assert size > MEMORY_BYTES_MAX
        assert line[:18] not in os.pread(number, size, 0)


def test_a_file_that_was_changed_does_not_open(tmp_path):
    with open_sealed_spool(tmp_path) as spool:
        filled(spool, bytes(2 * MEMORY_BYTES_MAX))
        os.pwrite(spool._file.fileno(), b"x", BLOCK_BYTES)
        with pytest.raises(OSError, match="Input/output"):
            content(spool)


def test_spools_are_kept_in_the_data_directory_where_that_is_writable(tmp_path):
    assert spool_folder(tmp_path) == tmp_path
    assert spool_folder(tmp_path / "none") != tmp_path / "none"
