"""Innocents by the thousand, all that a deployment keeps, and the search of one for the other.

The search looks for the number, the name, the reference and every token of each innocent: as they
are, in hexadecimal, in base64, and as JSON escapes. It looks in every row of every table of
PostgreSQL, in the statistics and the running statements; in every key and value of Redis and its
log of slow commands; in the log, the metrics, and the files of the data directory. PostgreSQL's
write-ahead log and the pages of dropped rows are left out.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
import httpx
import numpy as np
import redis
from numpy.typing import NDArray

from cache.token import Tokenizer
from cache.token_key import TokenKey, TokenKeys
from checker.config import Config
from checker.deployment_secrets import load_secrets
from checker.domain.document import Document, DocumentType
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import Sealer
from checker.vault import Vault
from tests.support.running_service import RunningService
from tests.support.town import document, resident_id

PLACE: Final = "620102"
"""No other test asks about anybody from there."""

_FIRST_DAY = date(1850, 1, 1)
_DAYS = 20_000
_TAIL = 8
"""Bytes at the end of a needle by which it is looked for first; none is shorter."""

_TABLE_BITS_MAX = 28
"""256 MB, for the thirty-five million needles of a million people."""

_TABLES = """
SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1
"""
_CATALOGS = ("pg_catalog.pg_statistic", "pg_catalog.pg_stat_activity")


class Innocent:
    """Somebody on no list, the same for each index; most of them are never born."""

    def __init__(self, index: int, *, is_mistaken: bool = False) -> None:
        day = _FIRST_DAY + timedelta(days=index % _DAYS)
        number = resident_id(PLACE, day.strftime("%Y%m%d"), index // _DAYS)
        if is_mistaken:
            number = f"{number[:-1]}{'0' if number[-1] != '0' else '1'}"
        self.number = number
        self.name = f"佚{chr(0x5000 + index // 4096)}{chr(0x6000 + index % 4096)}"
        self.reference = f"REFERENCE-{index:09d}"

    @property
    def subject(self) -> dict[str, Any]:
        return {"document": document(self.number), "name": self.name}

    def needles(self, sealer: Sealer, key: TokenKey) -> Iterator[bytes]:
        """Everything by which somebody could be known again: tokens also as they are stored."""
        asked = Document(type=DocumentType.RESIDENT_ID, number=self.number)
        token = sealer.document_token(asked)
        subject = PreparedSubject(token=token, document=asked, name=self.name)
        tokens = [*sealer.tokens_of(subject), sealer.name_token(self.name)]
        stored = () if key.is_plain else key.each_stored(tokens)
        for value in (self.number.encode(), self.reference.encode(), *tokens, *stored):
            yield from forms(value)
        yield from forms(self.name.encode())
        yield json.dumps(self.name)[1:-1].encode()


def forms(value: bytes) -> Iterator[bytes]:
    """A value as it is, and as what keeps bytes in texts writes it."""
    yield value
    yield value.hex().encode()
    yield base64.b64encode(value).rstrip(b"=")
    if (urlsafe := base64.urlsafe_b64encode(value).rstrip(b"=")) != base64.b64encode(value):
        yield urlsafe


def sealer_of(service: RunningService) -> Sealer:
    """Return the sealer that makes the deployment's tokens, by its own secrets."""
    secrets = load_secrets(service.data_dir, {})
    return Sealer(Tokenizer(secrets.token_key), Vault(secrets.encryption_keys))


def token_key_of(service: RunningService) -> TokenKey:
    """Return the key under which the deployment stores tokens, by its own secrets."""
    secrets = load_secrets(service.data_dir, {})
    keys = TokenKeys(Tokenizer(secrets.token_key), secrets.token_keys)
    keys.use(max(keys.fingerprints))
    return keys.current


class Search:
    """Looks for a great many needles at once: by their tails, and for what is met, whole.

    `needles` is asked for them again where a tail is met, so that they need not be held.
    """

    def __init__(self, needles: Callable[[], Iterable[bytes]]) -> None:
        self._needles = needles
        tails = bytearray()
        for one in needles():
            tails += one[-_TAIL:]
        self._tails: NDArray[np.uint64] = np.unique(np.frombuffer(tails, dtype="<u8"))
        self._bits = min((16 * len(self._tails)).bit_length(), _TABLE_BITS_MAX)
        self._seen = np.zeros(1 << self._bits, dtype=bool)
        self._seen[self._places(self._tails)] = True

    def found_in(self, haystacks: Mapping[str, bytes]) -> dict[str, set[bytes]]:
        """Give the needles that are in each, by its name; those in which none is are left out."""
        tails = {name: self._tails_in(haystack) for name, haystack in haystacks.items()}
        met = set().union(*tails.values())
        found: dict[str, set[bytes]] = {}
        for one in self._needles() if met else ():
            if one[-_TAIL:] in met:
                for name, haystack in haystacks.items():
                    if one in haystack:
                        found.setdefault(name, set()).add(one)
        return found

    def _tails_in(self, haystack: bytes) -> set[bytes]:
        if len(haystack) < _TAIL:
            return set()
        windows: NDArray[np.uint64] = np.ndarray(
            (len(haystack) - _TAIL + 1,), dtype="<u8", buffer=haystack, strides=(1,)
        )
        likely = windows[self._seen[self._places(windows)]]
        nearest = self._tails[np.searchsorted(self._tails, likely).clip(max=len(self._tails) - 1)]
        return {one.tobytes() for one in likely[likely == nearest]}

    def _places(self, tails: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Spread tails over the table by a multiplication (Knuth, volume 3, section 6.4)."""
        spread: NDArray[np.uint64] = (tails * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(
            64 - self._bits
        )
        return spread


async def tallied(config: Config) -> int:
    """How many checks the record has counted, of everybody."""
    assert config.database_url is not None
    connection = await asyncpg.connect(config.database_url.replace("+asyncpg", ""))
    try:
        return int(await connection.fetchval("SELECT coalesce(sum(checks), 0) FROM check_tally"))
    finally:
        await connection.close()


async def dump_postgres(config: Config) -> dict[str, bytes]:
    """Every table, as text and as PostgreSQL's binary format, and its catalogs that hold values."""
    assert config.database_url is not None
    connection = await asyncpg.connect(config.database_url.replace("+asyncpg", ""))
    try:
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        kept = {}
        for table in (*tables, *_CATALOGS):
            written = bytearray()

            async def write(part: bytes, written: bytearray = written) -> None:
                written.extend(part)

            await connection.copy_from_query(f"SELECT * FROM {table}", output=write)
            if table in tables:
                await connection.copy_from_query(
                    f"SELECT * FROM {table}", output=write, format="binary"
                )
            kept[table] = bytes(written)
        return kept
    finally:
        await connection.close()


def dump_redis(config: Config) -> dict[str, bytes]:
    """Every key with its value, by key, and the log of slow commands."""
    assert config.redis_url is not None
    read: Mapping[bytes, Callable[[redis.Redis, bytes], Any]] = {
        b"string": redis.Redis.get,
        b"hash": redis.Redis.hgetall,
        b"set": redis.Redis.smembers,
        b"stream": redis.Redis.xrange,
        b"zset": lambda client, key: client.zrange(key, 0, -1),
        b"list": lambda client, key: client.lrange(key, 0, -1),
    }
    with redis.Redis.from_url(config.redis_url) as client:
        kept = {}
        for key in client.scan_iter(count=1000):
            kind = client.type(key)
            # Ended between the two.
            if kind != b"none":
                kept[key.decode()] = key + b"\0" + _flat(read[kind](client, key))
        kept["SLOWLOG"] = _flat(client.slowlog_get(128))
        return kept


def dump_rest(service: RunningService) -> dict[str, bytes]:
    """The log, the metrics, and the files that are not PostgreSQL's own."""
    kept = {"log": service.log_file.read_bytes()}
    for _ in range(4):  # any worker tells of all, and each flushes what it holds itself
        kept["metrics"] = httpx.get(f"{service.url}/metrics").content
    tables = service.data_dir / "postgres" / "data"
    for file in service.data_dir.rglob("*"):
        if file.is_file() and (tables not in file.parents or file.suffix in {".conf", ".log"}):
            kept[str(file.relative_to(service.data_dir))] = file.read_bytes()
    return kept


def token_as_kept(sealer: Sealer, key: TokenKey, number: str) -> bytes:
    """The stored token under which a listed resident ID stands in the registry."""
    asked = Document(type=DocumentType.RESIDENT_ID, number=number)
    return key.stored(sealer.document_token(asked))


def _flat(value: Any) -> bytes:
    """Join whatever Redis answered; what is no bytes is written as it is shown."""
    match value:
        case bytes():
            return value
        case dict():
            return b"\0".join(_flat(part) for pair in value.items() for part in pair)
        case list() | tuple() | set():
            return b"\0".join(map(_flat, value))
        case _:
            return str(value).encode()
