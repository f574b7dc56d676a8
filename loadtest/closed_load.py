"""Sends as fast as a server answers, over a few connections: by `wrk`, else by our own generator.

`wrk` (Debian package `wrk`) is written in C, and leaves more of the machine to the server: it takes
two thirds of the processor time of `loadtest.generator` for each request (14.5 µs against 22, on
busy cores). Both get the same bytes. A report names the program that sent.
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from tempfile import NamedTemporaryFile

import msgspec

from loadtest.children import ChildError
from loadtest.generator import LOOPBACK, Load, LoadReport, send_on_uvloop

TIMEOUT_SECONDS = 10
"""An answer that takes longer is a failure."""

_SCRIPT = Path(__file__).with_name("wrk.lua")
_GRACE_SECONDS = 30.0


class FailedRoundError(Exception):
    """A round had failures or no answer, so it has no figure."""


class LoadRound(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one round against one server; latencies in milliseconds."""

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """The answers a second."""
        return self.answers / self.seconds

    @classmethod
    def of(cls, report: LoadReport, statuses: frozenset[int]) -> "LoadRound":
        """Return the round of a load of our own generator.

        Raises:
            FailedRoundError: no answer, a lost connection, or a status outside `statuses`.
        """
        if not report.statuses or set(report.statuses) - statuses or report.lost_connections:
            lost = f"{report.lost_connections} lost connections"
            raise FailedRoundError(f"a round with {report.statuses} and {lost}")
        return cls(
            answers=report.answers,
            seconds=report.seconds,
            p50_ms=report.p50_ms,
            p99_ms=report.p99_ms,
        )


class ClosedLoad(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to one server in turn, over `connections` that each wait for their answer."""

    port: int
    requests: Sequence[bytes]
    connections: int
    statuses: frozenset[int] = frozenset({200})

    def send(self, seconds: float) -> LoadRound:
        """Send for some seconds. Raises FailedRoundError as `LoadRound.of`."""
        program = which("wrk")
        if program is None:
            return self.send_ourselves(seconds)
        with wrk_command(program, self, seconds) as command:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=seconds + _GRACE_SECONDS,
                check=False,
            )
        if done.returncode:
            raise ChildError(f"wrk failed: {done.stdout}{done.stderr}")
        return wrk_round(done.stdout)

    def send_ourselves(self, seconds: float) -> LoadRound:
        """Send by our own generator. Raises FailedRoundError as `LoadRound.of`."""
        load = Load(
            port=self.port,
            requests=self.requests,
            connections=self.connections,
            seconds=seconds,
        )
        return LoadRound.of(send_on_uvloop(load), self.statuses)


class _WrkReport(msgspec.Struct, frozen=True, kw_only=True):
    answers: int
    seconds: float
    failures: int
    p50_ms: float
    p99_ms: float


def generator_name() -> str:
    """Return the name of the program that sends closed loads on this machine."""
    return "wrk" if which("wrk") else "loadtest.generator"


@contextmanager
def wrk_command(program: str, load: ClosedLoad, seconds: float) -> Iterator[list[str]]:
    """Yield the command that sends a load by `wrk`; the requests are in a file meanwhile."""
    with NamedTemporaryFile(prefix="wrk-", suffix=".requests") as file:
        for request in load.requests:
            file.write(b"%d\n%b" % (len(request), request))
        file.flush()
        yield [
            program,
            "--threads=1",
            f"--connections={load.connections}",
            f"--duration={max(1, round(seconds))}s",
            f"--timeout={TIMEOUT_SECONDS}s",
            f"--script={_SCRIPT}",
            f"http://{LOOPBACK}:{load.port}",
            file.name,
        ]


def wrk_round(output: str) -> LoadRound:
    """Return the round that `wrk` printed in its last line.

    Raises:
        FailedRoundError: no answer, a status above 399, or a fault of a connection.
    """
    report = msgspec.json.decode(output.splitlines()[-1], type=_WrkReport)
    if report.failures or not report.answers:
        raise FailedRoundError(f"wrk: {report.answers} answers and {report.failures} failures")
    return LoadRound(
        answers=report.answers,
        seconds=report.seconds,
        p50_ms=report.p50_ms,
        p99_ms=report.p99_ms,
    )
