"""What this process can tell of all nodes."""

from checker.registry.nodes import Nodes, read_nodes
from checker.runtime import Runtime


async def nodes_of(runtime: Runtime) -> Nodes:
    """Tell of all nodes; while Redis cannot be asked, of this one alone.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    position = runtime.follower.position
    own = {} if position is None else {runtime.follower.node_id: position.version}
    return await read_nodes(runtime.engine, runtime.following, runtime.clock.now(), own=own)
