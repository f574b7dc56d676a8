"""Short works of a browser, such as a sheet that is being checked. A job ends by itself.

    <namespace>:job-of:<owner>       the id of the owner's newest job
    <namespace>:job:<id>:<part>      a part of the job, as bytes
    <namespace>:job:<id>:claim       there while one process works on the job
    <namespace>:jobs                 the ids of all jobs by the instant of their end

An id is `<group>.<rest>`. All parts of a job end at the same time. A part is replaced only while it
is there, so a job that was deleted never comes back. The number of jobs is bounded, because Redis
also holds the list. The file does not know what a part means.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from cache.keys import DEFAULT_NAMESPACE, KeyFamily
from cache.redis_cluster import stem_at
from cache.redis_pipe import Pipe

CLAIM: Final = "claim"


class JobBounds(NamedTuple):
    """The seconds that a job lasts, and the most jobs at once: in all, and of one group."""

    lasts_s: int
    jobs: int
    jobs_of_group: int


class RedisJobs:
    """Keeps the parts of jobs. Every method raises CacheUnavailable."""

    def __init__(
        self, url: str, *, namespace: str = DEFAULT_NAMESPACE, timeout_s: float = 2.0
    ) -> None:
        # A part has some megabytes, so its connection is not the one of small questions.
        stem = stem_at(url, namespace, KeyFamily.PAGES)
        self._pipe = Pipe(url, stem, timeout_s=timeout_s)
        self._of = f"{stem}:job-of:"
        self._job = f"{stem}:job:"
        self._all = f"{stem}:jobs"

    async def begin(
        self,
        owner: str,
        job: str,
        parts: Mapping[str, bytes],
        *,
        bounds: JobBounds,
        now_ms: int,
    ) -> bool:
        """Store a new job; return False, with nothing stored, if a bound is reached.

        Jobs that begin at once may together pass a bound by their number.
        """
        dropped_and_found = await self._pipe.ask(
            [("ZREMRANGEBYSCORE", self._all, "-inf", now_ms), ("ZRANGE", self._all, 0, -1)]
        )
        found: list[bytes] = dropped_and_found[1]
        group = job.partition(".")[0]
        of_group = [each for each in found if each.startswith(f"{group}.".encode())]
        if len(found) >= bounds.jobs or len(of_group) >= bounds.jobs_of_group:
            return False
        lasts_s = bounds.lasts_s
        await self._pipe.ask(
            [
                *(("SET", self._key(job, part), it, "EX", lasts_s) for part, it in parts.items()),
                ("ZADD", self._all, now_ms + lasts_s * 1000, job),
                ("SET", self._of + owner, job, "EX", lasts_s),
            ]
        )
        return True

    async def newest_of(self, owner: str) -> str | None:
        """Return the id of the newest job of an owner; None: there is none."""
        [found] = await self._pipe.ask([("GET", self._of + owner)])
        return None if found is None else bytes(found).decode()

    async def get(self, job: str, *parts: str) -> list[bytes | None]:
        """Return parts of a job; None: the job has ended, or has no such part."""
        values = await self._pipe.ask([("GET", self._key(job, part)) for part in parts])
        return [None if value is None else bytes(value) for value in values]

    async def replace(self, job: str, parts: Mapping[str, bytes]) -> bool:
        """Replace parts of a job, all or none; return whether the job is there. Its end stays."""
        sets = [
            ("SET", self._key(job, part), value, "XX", "KEEPTTL") for part, value in parts.items()
        ]
        replies = await self._pipe.ask([("MULTI",), *sets, ("EXEC",)])
        return all(done is not None for done in replies[-1])

    async def claim(self, job: str, value: bytes, *, lasts_s: int) -> bool:
        """Return True to one process alone, until `release` or the end of the claim."""
        [done] = await self._pipe.ask(
            [("SET", self._key(job, CLAIM), value, "NX", "EX", lasts_s)], again=False
        )
        return done is not None

    async def renew(self, job: str, value: bytes, *, lasts_s: int) -> bool:
        """Renew the claim on a job; False: the claim has ended, or the job was deleted."""
        [done] = await self._pipe.ask(
            [("SET", self._key(job, CLAIM), value, "XX", "EX", lasts_s)], again=False
        )
        return done is not None

    async def release(self, job: str) -> None:
        """End the claim on a job."""
        await self._pipe.ask([("DEL", self._key(job, CLAIM))])

    async def delete(self, owner: str, job: str, parts: tuple[str, ...]) -> None:
        """Delete a job with these parts and its claim."""
        keys = [self._key(job, part) for part in (*parts, CLAIM)]
        await self._pipe.ask([("DEL", self._of + owner, *keys), ("ZREM", self._all, job)])

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pipe.aclose()

    def _key(self, job: str, part: str) -> str:
        return f"{self._job}{job}:{part}"
