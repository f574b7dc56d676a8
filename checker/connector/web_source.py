"""A source on the web, over HTTP.

Requests are conditional (RFC 9110, section 13), so that an unchanged list costs one small answer. A
redirection is followed within the source's own origin (scheme, host and port) and refused to any
other: the operator trusts, and gave the token to, this origin alone. A body without a length that
is not chunked may be cut off unnoticed. Such a body is used only if the manifest gives its sha256.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Final

import httpx

from checker.connector.errors import SourceFault
from checker.connector.manifest import MANIFEST_FILE
from checker.connector.plan import Stamp
from checker.connector.source import CHUNK_BYTES, LIST_SUFFIXES, SourceFile
from checker.errors import ConfigurationError

# A source that sends nothing for so long is away. A whole file may take longer.
TIMEOUT: Final = httpx.Timeout(10.0, read=30.0)
REDIRECTS_MAX: Final = 5
RETRY_AFTER_S_MAX: Final = 3600
VALIDATOR_LENGTH_MAX: Final = 1000
_CERTIFICATE_REFUSAL: Final = "CERTIFICATE_VERIFY_FAILED"
"""The word of OpenSSL, which stands in the text of the error."""

_MANIFEST_TYPES = ("application/json", "+json")


class WebSource:
    """A file, a manifest or a directory with a manifest, at an http or https URL."""

    def __init__(self, client: httpx.AsyncClient, url: httpx.URL, token: str | None) -> None:
        self._client = client
        self._is_directory = url.path.endswith("/")
        self._address = url.join(MANIFEST_FILE) if self._is_directory else url
        # The address at which the manifest was found. Its files stand beside it.
        self._manifest_url = self._address
        self._headers = {"Accept-Encoding": "identity"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self.name = _name_of(url)

    @asynccontextmanager
    async def look(self, known: Stamp) -> AsyncIterator[SourceFile | None]:
        """Yield the list or the manifest, or None if it is unchanged."""
        conditions = {}
        if known.etag is not None:
            conditions["If-None-Match"] = known.etag
        if known.last_modified is not None:
            conditions["If-Modified-Since"] = known.last_modified
        async with self._get(self._address, conditions) as response:
            if response.status_code == HTTPStatus.NOT_MODIFIED:
                yield None
                return
            # A directory may lead to another page, such as a login. That page is never a list.
            body = _body(response, is_manifest=self._is_directory or _is_manifest(response))
            if body.is_manifest:
                self._manifest_url = response.url
            async with aclosing(body.chunks):
                yield body

    @asynccontextmanager
    async def open(self, file: str) -> AsyncIterator[SourceFile]:
        """Yield a file beside the manifest."""
        async with self._get(self._manifest_url.join(file), {}) as response:
            body = _body(response, is_manifest=False)
            async with aclosing(body.chunks):
                yield body

    @asynccontextmanager
    async def _get(
        self, url: httpx.URL, conditions: dict[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """Yield the answer to a request within the origin. An answer that cannot be used is a
        SourceFault.
        """
        for _ in range(1 + REDIRECTS_MAX):
            request = self._client.build_request("GET", url, headers=self._headers | conditions)
            with _faults():
                response = await self._client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    _verify(response, conditional=bool(conditions))
                    yield response
                    return
                with _faults():
                    url = url.join(response.headers["location"])
            finally:
                with _faults():
                    await response.aclose()
            if _origin(url) != _origin(self._address):
                raise SourceFault("the source redirects to another host, scheme or port")
        raise SourceFault("the source redirects in a circle")


def parse_url(text: str) -> httpx.URL:
    """Return the URL of a source.

    Raises:
        ConfigurationError: the URL cannot be followed. The text repeats nothing of the URL.
    """
    try:
        url = httpx.URL(text)
        # A name in Punycode is decoded only when it is asked for.
        has_host = bool(url.host)
    except (httpx.InvalidURL, ValueError):
        raise ConfigurationError("the source is not a URL") from None
    if url.scheme not in {"http", "https"} or not has_host:
        raise ConfigurationError("a source is an http or https URL, or a path")
    if url.userinfo:
        raise ConfigurationError("a URL with a password in it is shown everywhere: --token-file")
    if url.fragment:
        raise ConfigurationError("a source's URL has no fragment (#)")
    return url


def _name_of(url: httpx.URL) -> str:
    """Return the URL with a digest in place of its query, which may hold a key."""
    shown = str(url.copy_with(query=None))
    return f"{shown}?{hashlib.sha256(url.query).hexdigest()[:16]}" if url.query else shown


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _verify(response: httpx.Response, *, conditional: bool) -> None:
    status = response.status_code
    if status == HTTPStatus.NOT_MODIFIED and conditional:
        return
    if status != HTTPStatus.OK:
        text = f"the source answers {status} for {response.url.path}"
        raise SourceFault(text, retry_after_s=_retry_after_s(response))
    if response.headers.get("content-encoding", "identity") != "identity":
        raise SourceFault("the source sends a compressed body, unasked")


def _retry_after_s(response: httpx.Response) -> int | None:
    sent = response.headers.get("retry-after", "")
    if not (sent.isascii() and sent.isdigit() and len(sent) < 10):
        return None
    return min(int(sent), RETRY_AFTER_S_MAX)


def _is_manifest(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind.endswith(_MANIFEST_TYPES) and not response.url.path.endswith(LIST_SUFFIXES)


def _body(response: httpx.Response, *, is_manifest: bool) -> SourceFile:
    headers = response.headers
    return SourceFile(
        chunks=_chunks(response),
        stamp=Stamp(
            etag=_validator(headers.get("etag")),
            last_modified=_validator(headers.get("last-modified")),
        ),
        is_manifest=is_manifest,
        ends_visibly="content-length" in headers or "transfer-encoding" in headers,
    )


def _validator(text: str | None) -> str | None:
    """Return a header that can be sent back, or None; without one the whole file is requested."""
    if text is None or len(text) > VALIDATOR_LENGTH_MAX:
        return None
    return text if text.isascii() and text.isprintable() else None


async def _chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    with _faults():
        async for chunk in response.aiter_raw(CHUNK_BYTES):
            yield chunk


@contextmanager
def _faults() -> Iterator[None]:
    """Raise faults of the transport by their kind alone: their text may quote a URL with a key."""
    try:
        yield
    except httpx.TimeoutException:
        raise SourceFault("the source does not answer in time") from None
    except httpx.RemoteProtocolError:
        raise SourceFault("the source ended its answer before it was whole") from None
    except httpx.InvalidURL:
        raise SourceFault("the source redirects to what is no URL") from None
    except httpx.TransportError as error:
        is_refused = _CERTIFICATE_REFUSAL in str(error)
        text = "shows a certificate that is refused" if is_refused else "cannot be reached"
        raise SourceFault(f"the source {text}") from None
