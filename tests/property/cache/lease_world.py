"""A deployment in miniature whose parts a test moves one step at a time, in any order.

The nodes are real (`cache.replica_keeper` over the memory twin), and so are heartbeats. The
registry, the publisher, the rebuild and the feed's barrier are naive models of what they promise. A
question to another part is sent, served, and answered; in between anything may happen, and question
or answer may be lost. An acknowledgement that its node has given up may still arrive.

Nothing ever leaves this list, so nobody may rule out a token of a change that is settled and that
the registry has. A failover sets the registry back to any earlier change, and changes that come
after it take the numbers of those that were lost.

The token key is replaced now and then: the next generation stores its tokens under another key than
the live one. A node meets both.
"""

import asyncio
import copy

from cache.changes import (
    Head,
    Position,
    StreamEntry,
    decode_head,
    encode_entry,
    encode_head,
    seal_of,
)
from cache.checksum import (
    SEAL_FIELD,
    Checksums,
    encode_sum,
    record_fields,
    segment_field,
    total_of,
)
from cache.filter import BLOCK_BYTES, block_index, block_mask
from cache.generation import Generation, decode_pointer, encode_pointer
from cache.keys import Keys
from cache.lease import SETTLED_S, WRITE_DEADLINE_S
from cache.memory import MemoryStandingCache, MemoryStore
from cache.memory_list_writer import MemoryListWriter
from tests.property.cache.lease_parts import (
    Journey,
    Node,
    SlowReplicaSource,
    done,
    tokens_of_all,
)
from tests.support.cache_keys import token_keys

KEYS = Keys("checker")
SEGMENT_BLOCKS = 32


class World:
    """PostgreSQL is `record`, `snapshots` and `rows`; Redis is `memory`; `now` passes by hand."""

    def __init__(self):
        self.now = 0.0
        self.changes_made = 0
        self.record = []
        self.snapshots = set()
        self.commit(is_snapshot=True)
        self.rows = {}
        self.run_since = -SETTLED_S
        self.waiting = []
        self.settled = [*self.record]
        self.settled_by_nodes = 0
        self.memory = MemoryStore(clock=lambda: self.now)
        self.token_keys = token_keys()
        self.saved = []
        self.late = []
        self.list_writer = MemoryListWriter(self.memory, token_keys=self.token_keys)
        self.publishers = [Journey(self._publish), Journey(self._publish)]
        self.rebuild = Journey(self._rebuild)
        self.barrier = Journey(self._look)
        self.replica_source = SlowReplicaSource(self)
        self.nodes_made = 0
        self.attempts = 0
        self.nodes = []
        for _ in range(2):
            self.join()

    @property
    def newest(self):
        return self.record[-1]

    def since(self, position):
        """Return the changes after a position, None if the record does not have that position."""
        if position not in self.record:
            return None
        return self.record[self.record.index(position) + 1 :]

    def join(self):
        self.nodes_made += 1
        self.nodes.append(Node(self, self.nodes_made))

    def commit(self, *, is_snapshot=False):
        self.changes_made += 1
        version = len(self.record) + 1
        change_id = f"{self.changes_made:032x}"
        change = Position(version=version, as_of_ms=version, change_id=change_id, history="a" * 32)
        self.record.append(change)
        if is_snapshot:
            self.snapshots.add(change)
        if version > 1:
            self.waiting.append((change, self.now + SETTLED_S))

    def fail_over(self, lost):
        """Set the registry back by some changes, as a standby; its rows of nodes are lost too."""
        del self.record[max(1, len(self.record) - lost) :]
        self.rows = {}
        self.run_since = self.now

    def save(self):
        memory = self.memory
        self.saved.append(copy.deepcopy((memory.strings, memory.hashes, memory.streams)))

    def restart(self, number):
        """Bring back what was saved once, or nothing; a restart takes a while."""
        held = ({}, {}, {}) if not self.saved else self.saved[number % len(self.saved)]
        self.memory.strings, self.memory.hashes, self.memory.streams = copy.deepcopy(held)
        self.memory.run_id = f"{int(self.memory.run_id, 16) + 1:032x}"
        self.now += WRITE_DEADLINE_S + 0.01

    def flush(self):
        for kept in (self.memory.strings, self.memory.hashes, self.memory.streams):
            kept.clear()

    def trim(self, count):
        del self.memory.streams.get(KEYS.changes, [])[:count]

    def check(self):
        """No node may rule out a token of a settled change that the registry still has."""
        settled = [change for change in self.settled if change in self.record]
        listed = tokens_of_all(settled)
        for node in self.nodes:
            absence = node.keeper.ask(listed)
            assert absence is None or len(absence.maybes) == len(listed), (
                f"{node.id} with {node.keeper.position} rules out a token of {settled[-1]}"
            )

    def _live(self):
        raw = self.memory.strings.get(KEYS.pointer)
        return None if raw is None else decode_pointer(raw)

    def _head(self, generation):
        raw = None if generation is None else self.memory.strings.get(KEYS.head(generation.id))
        return None if raw is None else decode_head(raw).position

    async def _publish(self):
        """Read where Redis is and what is newest, bring the difference token by token, vouch."""
        live = self._live()
        head = self._head(live)
        asked_at = self.now
        await asyncio.sleep(0)
        newest = self.newest
        found = None if head is None else self.since(head)
        await asyncio.sleep(0)
        if head is not None and found is None and live == self._live():
            done(MemoryStandingCache(self.memory, token_keys=self.token_keys).withdraw())
        if found is None or any(change in self.snapshots for change in found):
            return
        before = ""
        attempt, self.attempts = self.attempts, self.attempts + 1
        tokens = self._key_of(live).each_stored(tokens_of_all(found))
        for number, token in enumerate(tokens):
            after = "" if number == len(tokens) - 1 else f"{attempt}:{number + 1}"
            change = StreamEntry(
                position=head if after else newest,
                previous=head.version,
                previous_id=head.change_id,
                tokens=(token,),
                final=not after,
            )
            if not self._bring(live, head, change, before, after):
                return
            before = after
            await asyncio.sleep(0)
        ago_ms = round((self.now - asked_at) * 1000)
        done(self.list_writer.vouch(live, newest, asked_ms_ago=ago_ms))

    def _bring(self, live, head, change, before, after):
        """Bring a slice of a change, if the head says that it stands on those before it."""
        if live != self._live() or self._head(live) != head:
            return False
        if before and decode_head(self.memory.strings[KEYS.head(live.id)]).partial != before:
            return False
        self._set_bits(live, change.tokens)
        self._write_head(live, change.position, after)
        seal = seal_of(change, self._key_of(live).checksum_key)
        self.memory.append(KEYS.changes, encode_entry(change, seal))
        return True

    async def _rebuild(self):
        """Build what is in the registry beside the live generation, catch up, switch."""
        record = [*self.record]
        reached = record[-1]
        await asyncio.sleep(0)
        generation = Generation.plan(
            position=reached,
            token_key=self.token_keys.current.fingerprint,
            entries=1,
            segment_blocks=SEGMENT_BLOCKS,
        )
        for index in range(generation.segments):
            key = KEYS.segment(generation.id, index)
            self.memory.strings[key] = bytes(generation.segment_bytes(index))
        each_stored = self._key_of(generation).each_stored
        self._set_bits(generation, each_stored(tokens_of_all(record)))
        self._write_head(generation, reached)
        await asyncio.sleep(0)
        while (head := self._head(self._live())) is not None and head.version > reached.version:
            found = self.since(reached)
            await asyncio.sleep(0)
            if self._head(generation) != reached or not found:
                return  # a restart took it away, or a failover the change that it stands on
            self._set_bits(generation, each_stored(tokens_of_all(found)))
            reached = found[-1]
            self._write_head(generation, reached)
        if self._head(generation) == reached:
            self.memory.strings[KEYS.pointer] = encode_pointer(generation)

    def _key_of(self, generation):
        return self.token_keys.known(generation.token_key)

    def _set_bits(self, generation, tokens):
        for token in tokens:
            segment, start = generation.block_of(token)
            key = KEYS.segment(generation.id, segment)
            data = bytearray(self.memory.strings[key])
            block = int.from_bytes(data[start : start + BLOCK_BYTES]) | block_mask(token)
            data[start : start + BLOCK_BYTES] = block.to_bytes(BLOCK_BYTES)
            self.memory.strings[key] = bytes(data)
            assert block_index(token, generation.blocks) < generation.blocks

    def _write_head(self, generation, position, partial=""):
        head = Head.at(position, partial=partial)
        self.memory.strings[KEYS.head(generation.id)] = encode_head(head)
        self._write_sums(generation, head)

    def _write_sums(self, generation, head):
        """Write the checksums of what is held; no bucket is, so a shelf's record is zero."""
        checksums = Checksums(self._key_of(generation).checksum_key, generation.id)
        records = dict.fromkeys(record_fields(generation), 0)
        for index in range(generation.segments):
            data = self.memory.strings[KEYS.segment(generation.id, index)]
            records[segment_field(index)] = checksums.segment(index, data)
        seal = checksums.seal(total_of(records.values()), head).encode()
        fields = {field: encode_sum(record) for field, record in records.items()}
        self.memory.hashes[KEYS.sums(generation.id)] = fields | {SEAL_FIELD: seal}

    async def _look(self):
        """The feed's barrier: all nodes have it and none lives on the word, or its time is over."""
        asked_at = self.now
        waiting = list(self.waiting)
        try:
            found = await self.replica_source.nodes()
            strangers = set()
            if found.whole and found.head is not None:
                held = [found.head, *found.nodes.values()]
                reached = min(each.version for each in held)
                await asyncio.sleep(0)
                known = {(change.version, change.change_id) for change in self.record}
                strangers = {
                    each.change_id for each in held if (each.version, each.change_id) not in known
                }
                if not strangers and not self._anybody_lives_on_word():
                    passed = [
                        change
                        for change, _ in waiting
                        if change.version <= reached and change in self.record
                    ]
                    self.settled_by_nodes += len(passed)
                    self._settle(passed)
        finally:
            over = [change for change, at in waiting if at <= asked_at]
            self._settle(over)
        if over:
            await self.replica_source.drop_behind(max(change.version for change in over), strangers)

    def _anybody_lives_on_word(self):
        return any(self.now - at < SETTLED_S for at in [self.run_since, *self.rows.values()])

    def _settle(self, changes):
        self.settled += changes
        self.waiting = [waiter for waiter in self.waiting if waiter[0] not in changes]
