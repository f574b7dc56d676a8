"""Real servers for trying and testing: the first process starts one, the last process ends it.

`redis` and `postgres` know their programs. `shared` lets several processes use one server, `place`
is the server's folder, and `detached` starts and recognises its process.
"""

from checker.embedded.place import EmbeddedServerError
from checker.embedded.redis import embedded_redis

__all__ = ["EmbeddedServerError", "embedded_redis"]
