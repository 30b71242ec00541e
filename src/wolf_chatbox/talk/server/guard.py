"""What a request must be before the app sees it: for this host, with the key, of a bearable size.

A page in a browser may send requests to a server on the same machine. So a server on the loopback answers to its own
names only (DNS rebinding), and to pages of other origins only where `--allow-origin` names them.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wolf_chatbox.talk.server.metrics import Metrics
from wolf_chatbox.talk.server.place import LOOPBACK
from wolf_chatbox.talk.server.refusals import Refusal, answer

OPEN = "/health"
"""The path that needs no key: who watches a server need not be able to use it."""
BODY_SECONDS = 30


@dataclass(frozen=True)
class Guard:
    """The checks of a server; `hosts` None allows every Host; `origins` are those of pages that may ask."""

    app: ASGIApp
    metrics: Metrics
    paths: Collection[str]
    body_bytes: int
    keys: Sequence[str] = ()
    hosts: frozenset[str] | None = LOOPBACK
    origins: Collection[str] = ()
    uploads: tuple[str, int] | None = None
    """What the paths of files begin with, which are passed on as they come, and the most bytes of one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = "499"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            headers = Headers(scope=scope)
            self._check(scope["path"], headers)
            coming = await self._coming(scope["path"], headers, receive)
        except Refusal as refusal:
            await answer(refusal, scope["path"])(scope, receive, noting)
        else:
            if coming is not None:
                await self.app(scope, coming, noting)
        finally:
            path = scope["path"] if scope["path"] in self.paths else "other"
            self.metrics.requests.labels(path, status).inc()

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page's connection must be for this host too, and from a page of it."""
        try:
            self._check(scope["path"], Headers(scope=scope))
        except Refusal:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(scope, receive, send)

    def _check(self, path: str, headers: Headers) -> None:
        host = _name(headers.get("host", ""))
        if self.hosts is not None and host not in self.hosts:
            raise Refusal(421, "the Host header does not name this server. Use http://127.0.0.1.", code="wrong_host")
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins and "*" not in self.origins and not _same(origin, headers):
            raise Refusal(403, "pages of other origins need --allow-origin.", code="wrong_origin")
        if self.keys and path != OPEN and not has_key(headers, self.keys):
            raise keyless()

    async def _coming(self, path: str, headers: Headers, receive: Receive) -> Receive | None:
        """What the app reads the body from; None when the client left before its end."""
        if self.uploads is not None and path.startswith(self.uploads[0]):
            _length(headers, self.uploads[1])
            if "transfer-encoding" in headers:  # its length is known at its end only
                raise Refusal(411, "a file must come with its length (Content-Length).")
            return receive  # uvicorn lets no more in than the header says
        whole = await self._body(headers, receive)
        return None if whole is None else _again(whole, receive)

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body; None when the client left before its end."""
        too_large = _length(headers, self.body_bytes)
        pieces, size = list[bytes](), 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    pieces.append(message.get("body", b""))
                    size += len(pieces[-1])
                    if size > self.body_bytes:
                        raise too_large
                    if not message.get("more_body", False):
                        return b"".join(pieces)
        except TimeoutError:
            raise Refusal(408, f"the body did not arrive within {BODY_SECONDS} seconds.") from None


def _length(headers: Headers, most: int) -> Refusal:
    """Raise the refusal of a body that is too large by its header, or return it for one that turns out to be."""
    too_large = Refusal(413, f"the body has more than {most:,} bytes.", code="body_too_large")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > most:
        raise too_large
    return too_large


def has_key(headers: Headers, keys: Sequence[str]) -> bool:
    """Whether a request sends one of the keys."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return is_key(given.strip(), keys) if scheme.lower() == "bearer" else False


def is_key(given: str, keys: Sequence[str]) -> bool:
    """Whether a text is one of the keys; all of them are compared, each in constant time."""
    return bool(sum(hmac.compare_digest(given.encode(), key.encode()) for key in keys))


def keyless() -> Refusal:
    """The refusal of a request without a key."""
    refusal = Refusal(401, "the API key is missing or wrong.", code="invalid_api_key")
    refusal.headers["WWW-Authenticate"] = "Bearer"
    return refusal


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, and then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _same(origin: str, headers: Headers) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    except ValueError:  # no address, such as http://[
        return False
