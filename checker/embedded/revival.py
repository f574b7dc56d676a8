"""A thread that looks at intervals whether a server has died, and starts the server again.

Knows the thread and its pauses. Must not know how a server is recognised or started
(`checker.embedded.shared`).
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from checker.embedded.place import EmbeddedServerError

PAUSE_S_MAX: Final = 15.0
"""The longest pause between two tries, for a server that cannot start, as on a full disk."""

_log = logging.getLogger(__name__)


@contextmanager
def revived(name: str, revive: Callable[[], bool], every_s: float) -> Iterator[None]:
    """Call `revive` every `every_s` seconds until the block ends.

    `revive` returns whether it started the server. Its EmbeddedServerError or OSError is logged,
    and the next pause is longer.
    """
    ending = threading.Event()
    arguments = (name, revive, every_s, ending)
    thread = threading.Thread(target=_look, args=arguments, name=f"{name} revival", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def _look(name: str, revive: Callable[[], bool], every_s: float, ending: threading.Event) -> None:
    pause_s = every_s
    while not ending.wait(pause_s):
        try:
            is_started = revive()
        except (EmbeddedServerError, OSError) as error:
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
            _log.error("the embedded %s cannot be started again: %s", name, error)
        else:
            pause_s = every_s
            if is_started:
                _log.warning("the embedded %s had died and was started again", name)
