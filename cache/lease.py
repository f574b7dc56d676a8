"""How long a node may say "not listed" by itself, and why a feed need wait no longer than that.

All durations of the proof stand here, in seconds unless a name says otherwise. A duration is a
length: no clock of one machine is compared with the clock of another machine. But all machines must
agree on the length of a second to within a tenth. A Redis that restarts must be away for
WRITE_DEADLINE_S at least.

**What a lease proves.** A node with a lease has every change up to some change u. The registry was
asked for its newest change after the lease began, or at most WRITE_DEADLINE_S before, and the
answer was u. Changes are compared by their ids and never by their numbers. An id is random, so a
registry that has u has exactly the changes before u that it had when u was made.

Take any change v that the node lacks, and let C be the instant at which v was committed. The
registry that was asked did not have v. So one of two things happened:

- v came after the asking;
- the registry that was asked has been failed over since, and v came after the failover. (The old
  registry must answer no more. Its operator fences it, as for any write.)

In both cases the registry was asked before C.

**How the node knows that it has all changes up to u.** The node loaded a filter within one run of
Redis, and each entry of the stream since then led on from a change that the node has had. In one
run a generation only grows. The generation's head moves with the last slice of a change, and each
slice stands on the slices before it. A restart may set Redis back and lose any of this. A load that
meets a restart begins anew. A slice finds in the head that the slices before it are gone.

**When a lease ends.**

- By heartbeat. The heartbeat names u, so the registry was asked before C. Redis refuses to write
  the heartbeat later than WRITE_DEADLINE_S after the asking, so it was written before
  C + WRITE_DEADLINE_S. The lease begins when a read was *sent* that could not yet return the
  heartbeat. So the lease begins before the heartbeat was written, and ends before
  C + WRITE_DEADLINE_S + LEASE_S = C + 1.25. Heartbeat and read must be of one run of Redis: a
  restart from another file may bring a heartbeat of long ago that was not there a moment before. So
  the node must have acknowledged to this run before the read was sent. Both reads must also be by
  one connection: the first may have been of an old master, while its successor had the heartbeat.
- By the registry's word. The lease begins before the registry was asked, which was before C. So the
  lease ends before C + LEASE_S.

**When a feed is answered.** A feed is answered in one of two ways. The first needs time alone:
SETTLED_S = 1.5 is longer than both, with an error of a tenth. In the second way all nodes say that
they have v:

- A node has v if its newest change is v, or a change with a greater number that the registry has.
  The registry is asked for the ids, because another change may have had the number of v before.
- A node extends a lease by a heartbeat only if the node stood on the list of nodes, without a gap,
  from before the read was sent until now. No heartbeat of u is written once v is in the live
  generation. The process that settles v reads that generation's head first and the list of nodes
  after it. So the node stood on the list with the version that it had, and v was not settled.
- The node asks only once whether there was a gap. The first question puts the node on the list, so
  a second question would always find the node there.
- The node may have been dropped since, for a change v' that it lacked, SETTLED_S after the commit
  of v'. By then every lease from before v' is over. For later leases the node must have
  acknowledged v' or more, and then it was not dropped.
- Redis may lose the list of nodes or bring back an old one. The sentinel of the list names the run
  of Redis and the instant at which it was written. The list counts only in that run and SETTLED_S
  later. By then every lease that was extended before is over.
- A node that lives on the registry's word notes this in the registry before it asks. The process
  that settles v looks for such notes after C. A node without a note asks after C, and so it learns
  of v. A standby that takes over may lack the note. So the notes count only once the registry's run
  has lasted for SETTLED_S. By then all leases by an earlier registry are over.

A reader of the shared cache believes the cache while the key `vouched` stands. `vouched` is written
as a heartbeat is, and expires after VOUCH_MS: 0.25 + 0.7 < SETTLED_S.
"""

import time
from collections.abc import Callable
from functools import partial

LEASE_S = 1.0

WRITE_DEADLINE_S = 0.25
"""A heartbeat is written at most so long after the registry was asked, or not at all."""

BEAT_S = 0.1
"""Between two heartbeats: several may be lost before a lease is."""

VOUCH_MS = 700

SETTLED_S = 1.5

elapsed: Callable[[], float] = partial(
    time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
)
"""The clock of leases. Where the system has it, one that also counts while the machine sleeps."""


class ReplicaLease:
    """A right that ends by itself, LEASE_S after its newest beginning."""

    __slots__ = ("_clock", "until")

    def __init__(self, clock: Callable[[], float] = elapsed) -> None:
        self._clock = clock
        self.until: float = float("-inf")

    def renew(self, since: float) -> None:
        """Let the lease last until LEASE_S after `since`; an older `since` never shortens it."""
        self.until = max(self.until, since + LEASE_S)

    def holds(self) -> bool:
        """Return whether the lease lasts still."""
        return self._clock() < self.until

    def end(self) -> None:
        """End the lease now."""
        self.until = float("-inf")
