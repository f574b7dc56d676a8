"""Real servers for trying and testing: they start with a process and end with the last of several.

`redis` starts Redis; `shared` is how several processes use one server of any kind, `place` where it
lives, `detached` how it is started and recognised.
"""

from checker.embedded.place import EmbeddedServerError
from checker.embedded.redis import embedded_redis

__all__ = ["EmbeddedServerError", "embedded_redis"]
