"""Which files of a source to take in next: a pure function of what was taken in and its manifest.

Steps lead from the list that was taken in to the one the source now stands for. Changes are only a
cheaper way there; whatever breaks their chain, the whole list is always the other way:

| the source                                              | steps                               |
|---------------------------------------------------------|-------------------------------------|
| was never taken in                                      | snapshot, then the changes after it |
| stands where we stand                                   | none                                |
| lists every number after ours                           | these changes                       |
| has dropped changes that we lack                        | snapshot, then the changes after it |
| stands at a lower number than we do, or counts anew     | snapshot, then the changes after it |
| gives the file that we took in last another sha256      | snapshot, then the changes after it |
| leaves a gap after its snapshot, too                    | refused: nobody can get there       |

A source that counts anew and is past our number before it is looked at again is certainly noticed
only where it tells a `series`; otherwise by the sha256 of our last file, while that is listed.
"""

from enum import StrEnum

import msgspec

from checker.connector.errors import SourceFault
from checker.connector.manifest import ListedFile, Manifest


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """By what a source knows its answer again (RFC 9110, section 8.8): entity tag and date."""

    etag: str | None = None
    last_modified: str | None = None


class SourcePosition(msgspec.Struct, frozen=True, kw_only=True):
    """How far a source was taken in; all None: not at all.

    A source of one file has no `series`, no `number` and no `file`. `sha256` is that of the file
    taken in last, in lower-case hex. `stamp` is of what stood at the source's address when it was
    taken in wholly, and empty while some of it is missing.
    """

    series: str | None = None
    number: int | None = None
    file: str | None = None
    sha256: str | None = None
    stamp: Stamp = Stamp()


class SourceStepKind(StrEnum):
    """What a file does to the list."""

    SNAPSHOT = "snapshot"
    CHANGES = "changes"


class SourceStep(msgspec.Struct, frozen=True, kw_only=True):
    """One file to take in."""

    kind: SourceStepKind
    entry: ListedFile


def plan(taken: SourcePosition, manifest: Manifest) -> tuple[SourceStep, ...]:
    """Say what leads from what was `taken` in to what the source now stands for, in order.

    Raises:
        SourceFault: there is no unbroken way.
    """
    if taken.number is not None and not _counts_anew(taken, taken.number, manifest):
        chain = _changes_after(taken.number, manifest)
        if chain is not None:
            return chain
    chain = _changes_after(manifest.snapshot.number, manifest)
    if chain is None:
        raise SourceFault("the manifest: its changes do not lead on from its snapshot")
    return (SourceStep(kind=SourceStepKind.SNAPSHOT, entry=manifest.snapshot), *chain)


def _counts_anew(taken: SourcePosition, number: int, manifest: Manifest) -> bool:
    """Whether the source's numbers no longer mean what they meant when we took in the last one."""
    if manifest.series != taken.series or manifest.newest < number:
        return True
    now = [
        entry.sha256.lower()
        for entry in (manifest.snapshot, *manifest.changes)
        if (entry.number, entry.file) == (number, taken.file) and entry.sha256 is not None
    ]
    return bool(now) and taken.sha256 not in now


def _changes_after(number: int, manifest: Manifest) -> tuple[SourceStep, ...] | None:
    """Give the changes from there to the newest number; None where one of them is missing."""
    after = sorted(
        (entry for entry in manifest.changes if entry.number > number),
        key=lambda entry: entry.number,
    )
    if len(after) != manifest.newest - number:
        return None
    return tuple(SourceStep(kind=SourceStepKind.CHANGES, entry=entry) for entry in after)
