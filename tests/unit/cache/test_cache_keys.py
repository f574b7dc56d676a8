"""Key names."""

import pytest

from cache.keys import Keys

KEYS = Keys("ns")


def test_names_are_as_documented():
    assert (KEYS.pointer, KEYS.any_generation) == ("ns:live", "ns:g:*")
    assert (KEYS.vouched, KEYS.changes) == ("ns:vouched", "ns:changes")
    assert (KEYS.nodes, KEYS.rebuild) == ("ns:nodes", "ns:rebuild")
    assert (KEYS.marker("ab"), KEYS.head("ab")) == ("ns:g:ab:building", "ns:g:ab:head")
    assert KEYS.sums("ab") == "ns:g:ab:sums"
    assert (KEYS.segment("ab", 3), KEYS.bucket("ab", 0)) == ("ns:g:ab:f:3", "ns:g:ab:b:0")


@pytest.mark.parametrize(
    "key",
    [
        KEYS.marker("ab"),
        KEYS.head("ab"),
        KEYS.sums("ab"),
        KEYS.segment("ab", 7),
        KEYS.bucket("ab", 7),
    ],
)
def test_every_key_of_a_generation_gives_its_id_back(key):
    assert KEYS.generation_of(key) == "ab"


@pytest.mark.parametrize(
    "key", ["ns:live", "ns:nodes", "ns:g:ab", "ns:g::b:0", "nsx:g:ab:b:0", "x:ns:g:ab:b:0"]
)
def test_any_other_key_belongs_to_no_generation(key):
    assert KEYS.generation_of(key) is None


@pytest.mark.parametrize("namespace", ["", "a:g", "a*", "[a]", "a?", "a b", "x" * 65, "名"])
def test_a_namespace_that_could_reach_into_another_is_refused(namespace):
    with pytest.raises(ValueError, match="namespace"):
        Keys(namespace)


def test_a_dot_in_a_namespace_matches_only_a_dot():
    assert Keys("a.b").generation_of("axb:g:ab:b:0") is None
