"""Key names."""

import pytest
from redis.crc import key_slot

from cache.keys import KeyFamily, Keys, stem_of

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


def test_on_a_cluster_all_keys_of_the_list_are_in_one_slot():
    keys = Keys("ns", in_cluster=True)
    assert keys.pointer == "ns:{ns:list}:live"
    names = [
        keys.pointer,
        keys.vouched,
        keys.changes,
        keys.nodes,
        keys.rebuild,
        keys.owner,
        keys.marker("ab"),
        keys.head("ab"),
        keys.segment("ab", 3),
        keys.bucket("ab", 0),
        keys.sums("ab"),
    ]
    assert {key_slot(name.encode()) for name in names} == {key_slot(b"{ns:list}")}
    assert keys.generation_of(keys.bucket("ab", 0)) == "ab"
    assert KEYS.generation_of(keys.bucket("ab", 0)) is None


def test_with_the_default_namespace_each_family_is_on_a_master_of_its_own():
    stems = [stem_of("checker", family, in_cluster=True) for family in KeyFamily]
    assert {key_slot(stem.encode()) * 3 // 16384 for stem in stems} == {0, 1, 2}


def test_on_a_single_server_every_family_begins_with_the_namespace():
    assert {stem_of("ns", family, in_cluster=False) for family in KeyFamily} == {"ns"}
