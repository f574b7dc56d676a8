"""The orders of the main process to a worker, apart from the worker and all that it imports."""

from multiprocessing.connection import Connection

import msgspec

from checker.serving.connections import ConnectionLimits
from checker.serving.listening import TlsFiles


class WorkerTask(msgspec.Struct, frozen=True, kw_only=True):
    """The orders of the main process; `ready` hears once that the worker accepts."""

    host: str
    port: int
    limits: ConnectionLimits
    tls: TlsFiles | None
    ready: Connection
