"""Whatever becomes of a source, a round that ends well leaves the list as the source's.

The source is a naive one: it holds every list it ever stood for, publishes changes and snapshots,
drops old files, counts anew, and repeats itself; the follower is the plan, with a death anywhere.
"""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from checker.connector.manifest import ListedFile, Manifest
from checker.connector.plan import SourcePosition, SourceStepKind, plan

ENTRIES = st.integers(min_value=0, max_value=5)
CHANGE = st.lists(st.tuples(st.booleans(), ENTRIES), max_size=4)

EVENTS = st.one_of(
    st.tuples(st.just("publish"), CHANGE),
    st.tuples(st.just("snapshot"), st.none()),
    st.tuples(st.just("drop old changes"), st.integers(min_value=0, max_value=9)),
    st.tuples(st.just("count anew"), st.integers(min_value=0, max_value=12)),
    # How many files a round gets through, and whether it dies before it notes the last of them.
    st.tuples(st.just("round"), st.tuples(st.integers(min_value=0, max_value=30), st.booleans())),
)


class NaiveSource:
    """A list, and the files from which it can be had."""

    def __init__(self):
        self.life = 0
        self.begin(frozenset())

    def begin(self, entries):
        self.life += 1
        self.number = 0
        self.entries = entries
        self.files = {}
        self.changes = []
        self.publish_snapshot()

    def put(self, kind, content):
        """Keep a file; in the source's next life its name holds other bytes."""
        file = f"{kind}-{self.number}.ndjson"
        self.files[file] = content
        digest = hashlib.sha256(repr((self.life, kind, self.number)).encode()).hexdigest()
        return ListedFile(number=self.number, file=file, sha256=digest)

    def publish(self, change):
        self.number += 1
        self.entries = applied(self.entries, change)
        self.changes.append(self.put("changes", change))

    def publish_snapshot(self):
        self.snapshot = self.put("snapshot", self.entries)

    def drop_old(self, count):
        """Forget some changes that the snapshot holds."""
        old = [entry for entry in self.changes if entry.number <= self.snapshot.number]
        self.changes = [entry for entry in self.changes if entry not in old[:count]]

    def count_anew(self, published):
        self.begin(frozenset({9}))
        for number in range(published):
            self.publish([(True, number % 6)])

    def manifest(self):
        return Manifest(
            series=f"life {self.life}",
            snapshot=self.snapshot,
            changes=tuple(reversed(self.changes)),
        )


class NaiveFollower:
    """A list, and how far the source was taken in."""

    def __init__(self):
        self.entries = frozenset()
        self.position = SourcePosition()

    def round(self, source, steps_max, *, dies_before_noting):
        manifest = source.manifest()
        steps = plan(self.position, manifest)
        for count, step in enumerate(steps[:steps_max]):
            content = source.files[step.entry.file]
            match step.kind:
                case SourceStepKind.SNAPSHOT:
                    self.entries = content
                case SourceStepKind.CHANGES:
                    self.entries = applied(self.entries, content)
            if dies_before_noting and count == steps_max - 1:
                return False
            entry = step.entry
            self.position = SourcePosition(
                series=manifest.series, number=entry.number, file=entry.file, sha256=entry.sha256
            )
        return steps_max >= len(steps)


def applied(entries, change):
    """Put in or take out, in order; doing it twice is doing it once."""
    for is_listed, entry in change:
        entries = entries | {entry} if is_listed else entries - {entry}
    return entries


@given(st.lists(EVENTS, max_size=40))
def test_after_a_round_that_ends_well_the_list_is_the_sources(events):
    source, follower = NaiveSource(), NaiveFollower()
    for kind, detail in events:
        match kind:
            case "publish":
                source.publish(detail)
            case "snapshot":
                source.publish_snapshot()
            case "drop old changes":
                source.drop_old(detail)
            case "count anew":
                source.count_anew(detail)
            case "round":
                steps_max, dies = detail
                if follower.round(source, steps_max, dies_before_noting=dies):
                    assert follower.entries == source.entries
    assert follower.round(source, 100, dies_before_noting=False)
    assert follower.entries == source.entries
    assert plan(follower.position, source.manifest()) == ()
