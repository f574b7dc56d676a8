"""A node that acknowledges no more is silent; nodes are compared with each other."""

from cache.replica_source import SENTINEL_NODE, SILENT_S, Member, encode_member, membership

NOW_MS = 1_000_000
SILENT_MS = round(SILENT_S * 1000)


def silent_of(at_ms: dict[str, int]) -> set[str]:
    fields = {
        node.encode(): encode_member(Member(version=1, author=node, turn=0, at_ms=ms))
        for node, ms in at_ms.items()
    }
    fields[SENTINEL_NODE] = b"run:0"
    found = membership(fields, run="run", now_ms=NOW_MS, head=None)
    assert set(found.nodes) == set(at_ms), "the feed waits for silent nodes too"
    return set(found.silent)


def test_a_node_that_acknowledged_much_earlier_than_another_is_silent() -> None:
    assert silent_of({"live": NOW_MS, "dead": NOW_MS - SILENT_MS - 1}) == {"dead"}
    assert silent_of({"live": NOW_MS, "slow": NOW_MS - SILENT_MS}) == set()


def test_no_node_is_silent_while_there_are_no_heartbeats() -> None:
    assert silent_of({"a": 1, "b": 1 + SILENT_MS}) == set()
    assert silent_of({}) == set()
