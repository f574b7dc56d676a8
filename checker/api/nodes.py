"""The state of all nodes, as far as this process knows it."""

from cache.replica_source import HeldChange
from checker.node.runtime import Runtime
from checker.publication.nodes import Nodes, read_nodes


async def nodes_of(runtime: Runtime) -> Nodes:
    """Return all nodes; while Redis cannot be asked, only the node of this process.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    position = runtime.replica.position
    own = {}
    if position is not None:
        own[runtime.replica.node_id] = HeldChange(position.version, position.change_id)
    return await read_nodes(runtime.engine, runtime.replica_source, runtime.clock.now(), own=own)
