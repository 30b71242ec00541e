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
from wolf_chatbox.talk.server.refusals import Refusal, answer

OPEN = "/health"
"""The path that needs no key: who watches a server need not be able to use it."""
BODY_SECONDS = 30
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
            whole = await self._body(headers, receive)
        except Refusal as refusal:
            await answer(refusal, scope["path"])(scope, receive, noting)
        else:
            if whole is not None:
                await self.app(scope, _again(whole, receive), noting)
        finally:
            path = scope["path"] if scope["path"] in self.paths else "other"
            self.metrics.requests.labels(path, status).inc()

    def _check(self, path: str, headers: Headers) -> None:
        host = _name(headers.get("host", ""))
        if self.hosts is not None and host not in self.hosts:
            raise Refusal(421, "the Host header does not name this server. Use http://127.0.0.1.", code="wrong_host")
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins and "*" not in self.origins and not _same(origin, headers):
            raise Refusal(403, "pages of other origins need --allow-origin.", code="wrong_origin")
        if self.keys and path != OPEN:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            sent = given.strip().encode() if scheme.lower() == "bearer" else b""
            # All keys are compared, each in constant time.
            if not sum(hmac.compare_digest(sent, key.encode()) for key in self.keys):
                refusal = Refusal(401, "the API key is missing or wrong.", code="invalid_api_key")
                refusal.headers["WWW-Authenticate"] = "Bearer"
                raise refusal

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body; None when the client left before its end."""
        too_large = Refusal(413, f"the body has more than {self.body_bytes:,} bytes.", code="body_too_large")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.body_bytes:
            raise too_large
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
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
