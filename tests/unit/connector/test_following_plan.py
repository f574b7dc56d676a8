"""Which files are taken in next, for each thing that may have become of a source."""

import pytest

from checker.connector.errors import SourceFault
from checker.connector.manifest import ListedFile, Manifest
from checker.connector.plan import SourcePosition, SourceStepKind, Stamp, plan

OURS = "a" * 64
OTHER = "b" * 64


def listed(kind, number, sha256=None):
    return ListedFile(number=number, file=f"{kind}-{number}.ndjson", sha256=sha256)


def offer(snapshot, *changes, sha256=None):
    """A manifest; the file of change 5 and of snapshot 5 has `sha256`."""
    return Manifest(
        snapshot=listed("snapshot", snapshot, sha256 if snapshot == 5 else None),
        changes=tuple(listed("changes", n, sha256 if n == 5 else None) for n in changes),
    )


def at(number, kind="changes", sha256=None):
    return SourcePosition(number=number, file=f"{kind}-{number}.ndjson", sha256=sha256)


def steps(taken, manifest):
    return [(step.kind.value[0], step.entry.number) for step in plan(taken, manifest)]


@pytest.mark.parametrize(
    ("taken", "manifest", "expected"),
    [
        (SourcePosition(), offer(0), [("s", 0)]),
        (SourcePosition(), offer(5), [("s", 5)]),
        (SourcePosition(), offer(5, 6, 7), [("s", 5), ("c", 6), ("c", 7)]),
        (SourcePosition(), offer(5, 4, 5, 6), [("s", 5), ("c", 6)]),
        (SourcePosition(sha256=OURS), offer(5), [("s", 5)]),
        (at(5), offer(5), []),
        (at(5), offer(3, 4, 5), []),
        (at(5), offer(3, 4, 5, 6), [("c", 6)]),
        (at(5), offer(5, 8, 6, 7), [("c", 6), ("c", 7), ("c", 8)]),
        (at(5), offer(7, 6, 7, 8), [("c", 6), ("c", 7), ("c", 8)]),
        (at(5), offer(7, 6, 7), [("c", 6), ("c", 7)]),
        (at(5), offer(7), [("s", 7)]),
        (at(5), offer(7, 7, 8), [("s", 7), ("c", 8)]),
        (at(5), offer(7, 8), [("s", 7), ("c", 8)]),
        (at(5), offer(3), [("s", 3)]),
        (at(5), offer(3, 4), [("s", 3), ("c", 4)]),
        (at(5), offer(0), [("s", 0)]),
        # The same number and file, with what it held told on both sides.
        (at(5, sha256=OURS), offer(4, 5, 6, sha256=OURS), [("c", 6)]),
        (at(5, sha256=OURS), offer(4, 5, 6, sha256=OURS.upper()), [("c", 6)]),
        (at(5, sha256=OURS), offer(4, 5, 6), [("c", 6)]),
        (at(5, sha256=OURS), offer(4, 5, 6, sha256=OTHER), [("s", 4), ("c", 5), ("c", 6)]),
        (at(5, sha256=OURS), offer(4, 5, sha256=OTHER), [("s", 4), ("c", 5)]),
        (at(5, "snapshot", OURS), offer(5, 6, sha256=OURS), [("c", 6)]),
        (at(5, "snapshot", OURS), offer(5, 6, sha256=OTHER), [("s", 5), ("c", 6)]),
        # Come by the changes, while the snapshot of that number is another file of the same list.
        (at(5, "changes", OURS), offer(5, 6, sha256=OTHER), [("c", 6)]),
    ],
)
def test_the_plan_leads_to_where_the_source_stands(taken, manifest, expected):
    assert steps(taken, manifest) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "kinds"),
    [
        (None, None, ["c"]),
        ("first", "first", ["c"]),
        ("first", "second", ["s", "c", "c"]),
        ("first", None, ["s", "c", "c"]),
        (None, "first", ["s", "c", "c"]),
    ],
)
def test_numbers_of_another_series_mean_nothing(ours, theirs, kinds):
    taken = SourcePosition(series=ours, number=5, file="changes-5.ndjson")
    manifest = Manifest(
        series=theirs,
        snapshot=listed("snapshot", 4),
        changes=(listed("changes", 5), listed("changes", 6)),
    )

    assert [kind for kind, _ in steps(taken, manifest)] == kinds


@pytest.mark.parametrize(
    ("taken", "manifest"),
    [
        (SourcePosition(), offer(5, 7)),
        (SourcePosition(), offer(5, 6, 8)),
        (at(4), offer(5, 7)),
        (at(9), offer(5, 7)),
        (at(5), offer(5, 2**62)),
    ],
)
def test_a_source_with_a_gap_after_its_snapshot_is_refused(taken, manifest):
    with pytest.raises(SourceFault, match="lead on"):
        plan(taken, manifest)


def test_a_gap_behind_us_is_none_of_ours():
    assert steps(at(8), offer(5, 7, 9)) == [("c", 9)]


def test_the_stamp_of_the_manifest_changes_no_plan():
    stamped = SourcePosition(number=5, file="changes-5.ndjson", stamp=Stamp(etag='"1"'))

    assert plan(stamped, offer(5, 6)) == plan(at(5), offer(5, 6))


def test_a_snapshot_comes_first_if_at_all():
    kinds = [step.kind for step in plan(at(1), offer(5, 6, 7))]

    assert kinds == [SourceStepKind.SNAPSHOT, SourceStepKind.CHANGES, SourceStepKind.CHANGES]
