"""How long a node may say "not listed" on its own, and why a feed need wait no longer than it does.

All durations of this are here, in seconds unless the name says otherwise. They are lengths: no
clock of one machine is compared with another's, but all must agree on what a second is to within a
tenth. A Redis that restarts must take WRITE_DEADLINE_S for it at least.

What a lease says. A node that holds one has every change up to some change u, and the registry was
asked after the lease's beginning, or at most WRITE_DEADLINE_S before it, and its newest change was
u. Changes are compared by their ids, never by their numbers: an id is random, so a registry with u
has exactly the changes before u that it had when u was made. Take any change v that the node
lacks, and let C be when v was committed. The registry that was asked did not have v. Either v came
after the asking, or the asking went to a registry that has been failed over since, and v came after
the failover. In both cases the registry was asked before C. (A registry that was failed over must
answer no more: its operator fences it, as for any write.)

That the node has all up to u it knows from a filter that was loaded within one run of Redis, and
from entries that lead on from a change it has had. In one run a generation only grows, and its head
moves on with the last slice of a change, which stands on all before it. What a restart has set back
may lack any of this: a load that meets one begins anew, and a slice finds in the head that those
before it are gone.

- By heartbeat. It says u, so the registry was asked before C. Redis refuses to write it more than
  WRITE_DEADLINE_S after that: it was written before C + WRITE_DEADLINE_S. The lease begins when a
  read was *sent* to which the heartbeat was not yet there to be given; so it begins before the
  heartbeat was written, and ends before C + WRITE_DEADLINE_S + LEASE_S = C + 1.25. Both are of one
  run of Redis: a restart from another file may give a heartbeat of long ago that was not there a
  moment before. So the node must have told this run that it is there before that read was sent.
- By the registry's word. The lease begins before the registry was asked, and that was before C: it
  ends before C + LEASE_S.

SETTLED_S = 1.5 is more, a tenth of error included. That is the second way in which a feed is
answered, and needs no part but time. The first way is that all nodes say they have v:

- A node has v if its newest change is v, or is one that the registry has with a greater number. The
  registry is asked which ids it has: the number of v may have been that of another change before.
- A node extends a lease by a heartbeat only if it was in the list of nodes, without a gap, from
  before that same read was sent until now. A heartbeat of u is never written once v is in the live
  generation, and whoever settles v reads that generation's head first and the list of nodes after.
  So the node stood in the list then, with the version it had: v would not have been settled.
  Whether there was a gap is never asked twice: the answer to the second would be the first's entry.
- It may have been dropped since: for a change v' it lacked, SETTLED_S after its commit. What it had
  from before v' is over by then; for the rest it must have told v' or more, and was not dropped.
- Redis may lose or bring back an old list of nodes. The list's sentinel names the run of Redis and
  the moment it was written; the list counts only in that run and SETTLED_S later, when what was
  extended before is over.
- A node that lives on the registry's word wrote that down before it asked. Whoever settles v looks
  for such notes after C: of a node not found, the asking came after C, and it knows v. A standby
  that takes over may lack the note. So the notes count only once the registry's run has lasted for
  SETTLED_S, when all leases by an earlier registry are over.

A reader of the shared cache believes it while `vouched` stands, written as a heartbeat is and gone
after VOUCH_MS: 0.25 + 0.7 < SETTLED_S.
"""

import time
from collections.abc import Callable
from functools import partial

LEASE_S = 1.0

WRITE_DEADLINE_S = 0.25
"""A heartbeat is written so long after the registry was asked, or not at all."""

BEAT_S = 0.1
"""Between two heartbeats: several may be lost before a lease is."""

VOUCH_MS = 700

SETTLED_S = 1.5

elapsed: Callable[[], float] = partial(
    time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
)
"""The clock of leases. Where the system has it, one that also counts while the machine sleeps."""


class ReplicaLease:
    """A right that ends by itself."""

    __slots__ = ("_clock", "until")

    def __init__(self, clock: Callable[[], float] = elapsed) -> None:
        self._clock = clock
        self.until: float = float("-inf")

    def renew(self, since: float) -> None:
        """Let it last until LEASE_S after `since`; an older beginning never shortens it."""
        self.until = max(self.until, since + LEASE_S)

    def holds(self) -> bool:
        """Whether it lasts still."""
        return self._clock() < self.until

    def end(self) -> None:
        """Give it up."""
        self.until = float("-inf")
