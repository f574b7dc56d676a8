"""A list that counts what it is given, a directory of files, and a connector between them."""

import functools
import hashlib

import httpx
import msgspec

from checker.connector.connector import SourceConnector
from checker.connector.positions import Positions
from checker.connector.web_source import WebSource, parse_url
from checker.domain.clock import SystemClock
from checker.intake.report import FeedReport, RejectedLine
from checker.registry.entry import RejectCode
from tests.integration.connector.source_server import Served


class RecordingFeeds:
    """A list of words: a snapshot replaces it, changes say `+word` or `-word`.

    `fault` is raised by the next file instead of taking it in, `fault_after` once it is in force.
    A line `?` is rejected.
    """

    def __init__(self):
        self.words = set()
        self.files = []
        self.fault = None
        self.fault_after = None

    async def replace(self, chunks, *, terms):
        return await self._take("replace", chunks)

    async def apply(self, chunks, *, terms):
        return await self._take("apply", chunks)

    async def _take(self, kind, chunks):
        lines = b"".join([chunk async for chunk in chunks]).decode().split()
        if fault := self.fault:
            self.fault = None
            raise fault
        if kind == "replace":
            self.words = set()
        for line in lines:
            if line.startswith("-"):
                self.words.discard(line[1:])
            elif line != "?":
                self.words.add(line.removeprefix("+"))
        self.files.append((kind, " ".join(lines)))
        if fault := self.fault_after:
            self.fault_after = None
            raise fault
        return self._report(lines)

    def _report(self, lines):
        rejected = tuple(
            RejectedLine(line=number, code=RejectCode.INVALID_LISTING, detail="wrong")
            for number, line in enumerate(lines, 1)
            if line == "?"
        )
        return FeedReport(
            version=len(self.files),
            accepted=len(lines) - len(rejected),
            rejected=rejected,
            rejected_count=len(rejected),
        )


class Directory:
    """A published list: whole at some number, and the changes since, as a server's files."""

    def __init__(self, server, *, path="/list/", with_sha256=True):
        self._server = server
        self._path = path
        self._with_sha256 = with_sha256
        self.url = server.url + path
        self.snapshot = None
        self.changes = []

    def put_snapshot(self, number, words):
        self.snapshot = self._put(f"snapshot-{number}.ndjson", number, words)
        self.tell()

    def put_changes(self, number, words):
        self.changes.append(self._put(f"changes-{number}.ndjson", number, words))
        self.tell()

    def served(self, file):
        return self._server.files[self._path + file]

    def tell(self, **more):
        manifest = {"snapshot": self.snapshot, "changes": self.changes} | more
        self._server.files[f"{self._path}manifest.json"] = Served(
            body=msgspec.json.encode(manifest), headers={"Content-Type": "application/json"}
        )

    def _put(self, file, number, words):
        body = words.replace(" ", "\n").encode()
        self._server.files[self._path + file] = Served(body=body)
        entry = {"number": number, "file": file}
        if self._with_sha256:
            entry["sha256"] = hashlib.sha256(body).hexdigest()
        return entry


class Follower:
    """Makes connectors to sources on the web, all on one list and one database."""

    def __init__(self, engine, client, folder):
        self.feeds = RecordingFeeds()
        self.positions = Positions(engine, SystemClock())
        self._client = client
        self._folder = folder

    def connector(self, url, *, token=None):
        source = WebSource(self._client, parse_url(url), token)
        return self.to(source)

    def to(self, source):
        return SourceConnector(
            source=source,
            positions=self.positions,
            replace=self.feeds.replace,
            apply=self.feeds.apply,
            folder=self._folder,
        )

    async def position(self, url):
        async with self.positions.hold(url) as held:
            return await held.read()


quick_client = functools.partial(
    httpx.AsyncClient, timeout=httpx.Timeout(5.0, read=0.3), trust_env=False
)
