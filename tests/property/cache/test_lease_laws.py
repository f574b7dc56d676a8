"""Whatever is late, lost or set back: who holds a lease rules out nobody of a settled change.

The law is the design's first invariant, for nodes that answer without asking anybody. Its world is
`lease_world`. A walk moves one part of it at a time, by chance; now and then a part stops wherever
it is, for longer than a lease or only until a few others have moved, and what it waited for may be
lost.
"""

import random

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.property.cache.lease_world import World

STEPS = 1_500
STREAM_ENTRIES = 120

# Mishaps that replace a part's step, and their share of the steps.
MISHAPS = {
    "commit": 15,
    "deliver_late": 30,
    "stall": 15,
    "lose": 15,
    "rebuild": 3,
    "save": 5,
    "replace": 3,
    "restart": 1,
    "flush": 1,
    "trim": 1,
    "snapshot": 1,
    "fail_over": 2,
}
WITH_KEYS = MISHAPS | {"replace_key": 6, "commit": 30, "restart": 2}
STALLS_S = (0.02, 0.1, 0.3, 0.7, 1.1, 1.6, 2.5)


class Walk:
    """One world, moved by chance."""

    def __init__(self, seed, mishaps=MISHAPS):
        self.chance = random.Random(seed)
        self.world = World()
        self.world.rebuild.finish()
        self.stalled = {}
        self.mishaps = mishaps
        # Some walks are full of one thing, others nearly without it.
        self.often = {
            name: share * self.chance.choice([0.1, 1, 4]) for name, share in mishaps.items()
        }
        self.pace_s = self.chance.choice([0.001, 0.002, 0.004])
        # A hasty part goes through several of its steps in one.
        self.haste = self.chance.choice([0.3, 0.7, 0.95])
        # Of the word a node asks if its lease runs out; in some walks never, in others always.
        self.wordy = self.chance.choice([0, 0, 0.1, 1])
        for _ in range(25):
            self.beat()

    def parts(self):
        world = self.world
        readers = [part for node in world.nodes for part in (node.reading, node.reading, node.word)]
        return [*world.publishers, *readers, *[world.barrier] * 3, world.rebuild]

    def beat(self):
        """All goes well for a tenth of a second."""
        self.world.now += 0.1
        for part in [self.world.publishers[0], *(node.reading for node in self.world.nodes)]:
            part.finish()
        self.world.barrier.finish()
        self.world.check()

    def step(self):
        world, chance = self.world, self.chance
        world.now += chance.expovariate(1 / self.pace_s)
        if chance.random() * 1000 < sum(self.often.values()):
            [mishap] = chance.choices([*self.often], [*self.often.values()])
            getattr(self, mishap)()
        else:
            part = chance.choice(self.parts())
            if part is world.rebuild and part.is_idle:
                return  # only a mishap begins one
            if self.stalled.get(part, 0) > world.now:
                return
            if any(part is node.word for node in world.nodes) and chance.random() >= self.wordy:
                return
            if chance.random() < self.haste:
                part.finish()
            else:
                part.step()
        world.check()

    def commit(self):
        self.world.commit()

    def snapshot(self):
        self.world.commit(is_snapshot=True)
        self.rebuild()

    def deliver_late(self):
        if self.world.late:
            self.world.late.pop(self.chance.randrange(len(self.world.late)))()

    def stall(self):
        part = self.chance.choice(self.parts())
        self.stalled[part] = self.world.now + self.chance.choice(STALLS_S)

    def lose(self):
        self.chance.choice(self.parts()).lose()

    def rebuild(self):
        self.world.rebuild.step()

    def save(self):
        self.world.save()

    def replace(self):
        self.world.nodes.pop(self.chance.randrange(len(self.world.nodes)))
        self.world.join()

    def replace_key(self):
        """Let the next generation be of another key; often it is built at once."""
        self.world.token_keys.use(self.chance.randint(1, 3))
        if self.chance.random() < 0.7:
            self.rebuild()

    def restart(self):
        self.world.restart(self.chance.randrange(100))

    def flush(self):
        self.world.flush()

    def fail_over(self):
        """Often the next change comes before anybody else has looked."""
        self.world.fail_over(self.chance.choice([1, 1, 2, 5]))
        self.rebuild()
        if self.chance.random() < 0.7:
            self.commit()

    def trim(self):
        self.world.trim(self.chance.randrange(STREAM_ENTRIES))


# A seed does not shrink.
@settings(max_examples=60, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 2**64))
@example(seed=0)
@example(seed=722)  # a failover lost the row of a node that lived on the registry's word
@example(seed=230)  # a restart between two slices of a change: the second came without the first
@example(seed=423)
@example(seed=4068)  # restarts from two files: heartbeats of long ago came as new ones
@example(seed=38_977_409_426_420)  # and the node was on the list by an entry of that time
def test_who_holds_a_lease_rules_out_nobody_of_a_settled_version(seed):
    walk = Walk(seed)
    for _ in range(STEPS):
        walk.step()


@settings(max_examples=30, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 2**64))
def test_nor_while_token_keys_are_replaced(seed):
    walk = Walk(seed, WITH_KEYS)
    for _ in range(STEPS):
        walk.step()


@given(changes=st.integers(1, 5))
def test_in_a_calm_deployment_all_hold_leases_and_nodes_settle_every_change_at_once(changes):
    walk = Walk(0)
    for _ in range(changes):
        walk.world.commit()
        walk.beat()
        assert all(node.keeper.holds_lease for node in walk.world.nodes)
        assert walk.world.settled[-1] == walk.world.newest
    assert walk.world.settled_by_nodes == changes
