"""Plans which files of a source to take in next: a pure function of position and manifest.

Steps lead from the list that was taken in to the list that the source now offers. Changes are only
a cheaper way. If their chain is broken, the whole list is always the other way:

| the source                                              | steps                               |
|---------------------------------------------------------|-------------------------------------|
| was never taken in                                      | snapshot, then the changes after it |
| stands where we stand                                   | none                                |
| lists every number after ours                           | these changes                       |
| has dropped changes that we lack                        | snapshot, then the changes after it |
| stands at a lower number than we do, or counts anew     | snapshot, then the changes after it |
| gives the file that we took in last another sha256      | snapshot, then the changes after it |
| leaves a gap after its snapshot, too                    | refused: nobody can get there       |

A source may count anew and pass our number before the next look. The plan notices that with
certainty only by the `series`. Without a `series` it notices it by the sha256 of our last file,
while the manifest lists that file.
"""

from enum import StrEnum

import msgspec

from checker.connector.errors import SourceFault
from checker.connector.manifest import ListedFile, Manifest


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """The entity tag and the date by which a source recognises its answer (RFC 9110, section
    8.8).
    """

    etag: str | None = None
    last_modified: str | None = None


class SourcePosition(msgspec.Struct, frozen=True, kw_only=True):
    """How far a source was taken in. All fields are None if it never was.

    A source of one file has no `series`, no `number` and no `file`. `sha256` is that of the last
    file, in lower-case hex. `stamp` belongs to the file at the source's address. It is empty until
    everything that this file names is taken in.
    """

    series: str | None = None
    number: int | None = None
    file: str | None = None
    sha256: str | None = None
    stamp: Stamp = Stamp()


class SourceStepKind(StrEnum):
    """The effect of a file on the list."""

    SNAPSHOT = "snapshot"
    CHANGES = "changes"


class SourceStep(msgspec.Struct, frozen=True, kw_only=True):
    """One file to take in."""

    kind: SourceStepKind
    entry: ListedFile


def plan(taken: SourcePosition, manifest: Manifest) -> tuple[SourceStep, ...]:
    """Return the steps from the list that was `taken` in to the list that the source offers, in
    order.

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
    """Whether the source's numbers have another meaning than when we took in the last file."""
    if manifest.series != taken.series or manifest.newest < number:
        return True
    now = [
        entry.sha256.lower()
        for entry in (manifest.snapshot, *manifest.changes)
        if (entry.number, entry.file) == (number, taken.file) and entry.sha256 is not None
    ]
    return bool(now) and taken.sha256 not in now


def _changes_after(number: int, manifest: Manifest) -> tuple[SourceStep, ...] | None:
    """Return the changes from a number to the newest, or None if one of them is missing."""
    after = sorted(
        (entry for entry in manifest.changes if entry.number > number),
        key=lambda entry: entry.number,
    )
    if len(after) != manifest.newest - number:
        return None
    return tuple(SourceStep(kind=SourceStepKind.CHANGES, entry=entry) for entry in after)
