"""The session of a browser: who signed in, until when, and the tokens of its forms.

A person signs in with the key of their account, once. The cookie holds 32 random bytes. Redis holds
what belongs to them, sealed, under a digest of the cookie. So neither a dump of Redis nor a log
gives a session away. Redis alone keeps sessions; with Redis they are lost, and people sign in anew.

A session ends by whichever comes first:

    15 minutes without a request    Redis drops it
    12 hours after signing in       `HOURS_MAX`
    signing out                     it is deleted
    its key is no longer in force   revoked, expired, account disabled, address out of its networks
    another scope                   that of the key or of the account has changed since signing in

Every form carries a token that only the holder of its cookie can have (`form_token`).
"""

import secrets
from datetime import datetime, timedelta
from typing import Final, TypeGuard

import msgspec

from cache.sessions import RedisSessions
from checker.accounts.key_ring import KeyRing
from checker.accounts.keys import Caller, digest_of, looks_like_key
from checker.domain.clock import Clock
from checker.errors import ConfigurationError, Unauthenticated
from checker.registry.sealing import Sealer

IDLE_S: Final = 15 * 60
HOURS_MAX: Final = timedelta(hours=12)
COOKIE_CHARACTERS: Final = 43
"""32 bytes in base64url."""

PLACE: Final = "web_session.content"

_NO_SUCH_KEY: Final = "no key with this text is in force"


class SessionContent(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed content of a session. `scope_mark` stands for the scope at the time of signing in.

    `last_service` is the type of service that the person chose last.
    """

    key_digest: bytes
    scope_mark: bytes
    signed_in_at: datetime
    last_service: str | None = None


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is in force, and its caller."""

    cookie: str
    caller: Caller
    content: SessionContent


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SessionContent).decode


class Sessions:
    """The sessions of a deployment. Methods raise CacheUnavailable where Redis is away."""

    def __init__(
        self, *, store: RedisSessions, key_ring: KeyRing, sealer: Sealer, clock: Clock
    ) -> None:
        self._store = store
        self._key_ring = key_ring
        self._sealer = sealer
        self._clock = clock

    async def sign_in(self, key: str, address: str) -> SignedIn:
        """Begin a session for the holder of a key.

        Raises:
            Unauthenticated: no such key is in force.
            OutOfScope: the account does not call from this address.
            Unavailable: PostgreSQL cannot be asked about the key.
        """
        if not looks_like_key(key):
            raise Unauthenticated(_NO_SUCH_KEY)
        caller = await self._key_ring.caller(f"Bearer {key}", address)
        content = SessionContent(
            key_digest=digest_of(key),
            scope_mark=self._scope_mark(caller),
            signed_in_at=self._clock.now(),
        )
        signed_in = SignedIn(cookie=new_cookie(), caller=caller, content=content)
        await self._put(signed_in)
        return signed_in

    async def find(
        self, cookie: str | None, address: str, *, is_poll: bool = False
    ) -> SignedIn | None:
        """Return the session of a cookie; None: there is none, or it has ended.

        A poll by a script is no sign of a person, so it does not lengthen the session.
        """
        if not is_cookie(cookie):
            return None
        session_id = self._id_of(cookie)
        sealed = await self._store.get(session_id, idle_s=None if is_poll else IDLE_S)
        if sealed is None:
            return None
        content = self._opened(sealed, session_id)
        caller = None if content is None else self._caller_of(content, address)
        if content is None or caller is None:
            await self._store.delete(session_id)
            return None
        return SignedIn(cookie=cookie, caller=caller, content=content)

    async def remember(self, signed_in: SignedIn, service: str) -> None:
        """Keep the type of service that the person chose last."""
        if signed_in.content.last_service == service:
            return
        content = msgspec.structs.replace(signed_in.content, last_service=service)
        await self._put(msgspec.structs.replace(signed_in, content=content))

    async def sign_out(self, cookie: str | None) -> None:
        """End the session of a cookie, if there is one."""
        if is_cookie(cookie):
            await self._store.delete(self._id_of(cookie))

    def form_token(self, cookie: str) -> str:
        """Return the token that forms carry for the browser with this cookie."""
        return self._sealer.request_digest(["form", cookie]).hex()

    def is_form_token(self, sent: str, cookie: str | None) -> bool:
        """Return whether a form came from a page that this browser was given."""
        return is_cookie(cookie) and secrets.compare_digest(
            sent.encode(), self.form_token(cookie).encode()
        )

    async def _put(self, signed_in: SignedIn) -> None:
        session_id = self._id_of(signed_in.cookie)
        text = _encode(signed_in.content).decode()
        sealed = self._sealer.vault.seal(text, PLACE, session_id)
        await self._store.put(session_id, sealed, idle_s=IDLE_S)

    def _opened(self, sealed: bytes, session_id: str) -> SessionContent | None:
        try:
            return _decode(self._sealer.vault.open(sealed, PLACE, session_id))
        except (ConfigurationError, msgspec.DecodeError):
            return None

    def _caller_of(self, content: SessionContent, address: str) -> Caller | None:
        if self._clock.now() - content.signed_in_at >= HOURS_MAX:
            return None
        caller = self._key_ring.known(content.key_digest, address)
        if caller is None or self._scope_mark(caller) != content.scope_mark:
            return None
        return caller

    def _id_of(self, cookie: str) -> str:
        return self._sealer.request_digest(["session", cookie]).hex()

    def _scope_mark(self, caller: Caller) -> bytes:
        networks = caller.account_scope.networks
        return self._sealer.request_digest(
            [
                caller.account_id,
                caller.role,
                None if caller.services is None else sorted(caller.services),
                caller.jurisdiction,
                None if networks is None else sorted(map(str, networks)),
            ]
        )


def new_cookie() -> str:
    """Return the text of a new cookie, which nobody can guess."""
    return secrets.token_urlsafe(32)


def is_cookie(text: str | None) -> TypeGuard[str]:
    """Return whether a text has the form of a cookie of ours."""
    return text is not None and len(text) == COOKIE_CHARACTERS and text.isascii()
