"""Who may look at the page: everybody on this machine; beyond it whoever has the key, and guests of a game.

A browser shows the key once, in a form or a link, and keeps a cookie that is made from it. A guest's link opens one
game, or one table of werewolf, and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import secrets
from collections.abc import Sequence
from importlib.resources import files
from urllib.parse import parse_qs, quote, urlencode

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wolf_chatbox.talk.server.guard import OPEN, has_key, is_key, keyless
from wolf_chatbox.talk.server.refusals import Refusal, answer
from wolf_chatbox.words import preferred, words_of

KEY_COOKIE, GUEST_COOKIE, LANGUAGE_COOKIE = "wolf_chatbox_key", "wolf_chatbox_guest", "wolf_chatbox_language"
ENTER = "/enter"
API = ("/v1/", "/api/", "/metrics", "/openapi.json")
ASSETS = ("/static/", "/_nicegui/", "/_nicegui_ws/", "/favicon.ico")
"""What every page needs; a connection or an upload belongs to a page that was loaded with the key."""
GAME, TABLE = "/guess/", "/werewolf/table/"
"""What the paths of pages begin with that a guest's link can open; the rest is the name of a game."""
A_MONTH = 30 * 24 * 3600


class Entrance:
    """Lets in who has a key, by header or cookie; without keys everybody."""

    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self.app, self.keys = app, keys
        self._secret = keys[0].encode() if keys else secrets.token_bytes(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = _closed(scope, send)
            if _is_embedded(Headers(scope=scope)):
                refusal = Refusal(403, "another site's page cannot use this one. Open it in a tab of its own.")
                await answer(refusal, scope["path"])(scope, receive, send)
                return
        if scope["type"] == "http" and scope["path"] == ENTER:
            await (await self._enter(Request(scope, receive)))(scope, receive, send)
        elif scope["type"] not in ("http", "websocket") or self._admits(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._outside(scope)(scope, receive, send)

    def guest_token(self, game: str, at: str = GAME) -> str:
        """What a link for guests of a game has; the same until the key changes."""
        return self._made(f"guest {game}" if at == GAME else f"guest {at}{game}")

    def is_guest(self, request: Request) -> bool:
        """Whether a page is shown to somebody who may have that page alone."""
        return not self._admits({**request.scope, "path": "/"})

    def _admits(self, scope: Scope) -> bool:
        headers, path = Headers(scope=scope), scope["path"]
        if not self.keys or path == OPEN or has_key(headers, self.keys):
            return True
        cookies = _cookies(headers)
        if any(_equal(cookies.get(KEY_COOKIE, ""), self._pass(key)) for key in self.keys):
            return True
        return self._admits_guest(path, cookies.get(GUEST_COOKIE, ""))

    def _admits_guest(self, path: str, cookie: str) -> bool:
        """Whether somebody who was let in to one game may have this path."""
        game, _, token = cookie.partition(".")
        opened = [at + game for at in (GAME, TABLE) if game and _equal(token, self.guest_token(game, at))]
        return path in opened or (bool(opened) and path.startswith(ASSETS))

    def _outside(self, scope: Scope) -> Response:
        """What somebody without a key is answered."""
        path, query = scope["path"], QueryParams(scope.get("query_string", b""))
        token = query.get("guest", "")
        for at in (GAME, TABLE):
            game = path.removeprefix(at)
            if path.startswith(at) and _equal(token, self.guest_token(game, at)):
                rest = urlencode([(name, value) for name, value in query.multi_items() if name != "guest"])
                response: Response = RedirectResponse(quote(path) + (f"?{rest}" if rest else ""), 303)
                _set(response, GUEST_COOKIE, f"{game}.{token}", scope)
                return response
        if path.startswith(API) or scope["method"] != "GET":
            return answer(keyless(), path)
        to = path + (f"?{query}" if query else "")
        return RedirectResponse(f"{ENTER}?to={quote(to, safe='/')}", 303)

    async def _enter(self, request: Request) -> Response:
        """The form for the key; with the right one the way to the page."""
        given = request.query_params.get("key", "")
        to, wrong = request.query_params.get("to", "/"), False
        if request.method == "POST":
            form = parse_qs((await request.body()).decode(errors="replace"))
            given, to = form.get("key", [""])[0].strip(), form.get("to", ["/"])[0]
        if not self.keys or (given and is_key(given, self.keys)):
            response = RedirectResponse(_own(to), 303)
            if self.keys:
                _set(response, KEY_COOKIE, self._pass(given), request.scope)
            return response
        wrong = bool(given)
        return HTMLResponse(_form(request, _own(to), wrong), 403 if wrong else 200, {"Cache-Control": "no-store"})

    def _pass(self, key: str) -> str:
        return hmac.new(key.encode(), b"wolf_chatbox page", hashlib.sha256).hexdigest()

    def _made(self, what: str) -> str:
        return hmac.new(self._secret, what.encode(), hashlib.sha256).hexdigest()[:32]


def _form(request: Request, to: str, wrong: bool) -> str:
    words = words_of(language_of(request.headers))
    static = files("wolf_chatbox.page").joinpath("static")
    text, style = (static.joinpath(name).read_text(encoding="utf-8") for name in ("enter.html", "page.css"))
    values = {
        "language": words.language,
        "title": words("enter.title"),
        "label": words("enter.key"),
        "button": words("enter.open"),
        "problem": words("enter.wrong") if wrong else "",
        "to": to,
    }
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", html.escape(value))
    return text.replace("/* style */", style)  # inside it: without the key there is no other file


def language_of(headers: Headers) -> str:
    """The language that a browser chose on the page, else the one that it asks for."""
    return _cookies(headers).get(LANGUAGE_COOKIE) or preferred(headers.get("accept-language", ""))


def _cookies(headers: Headers) -> dict[str, str]:
    """What a browser sends back; other programs of this machine may have put cookies of any form beside ours."""
    return cookie_parser(headers.get("cookie", ""))


def _equal(given: str, right: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _is_embedded(headers: Headers) -> bool:
    """Whether a page of another site asks for something, as a picture or in a frame, and not by a link.

    Browsers say so (https://www.w3.org/TR/fetch-metadata/). Where they name an Origin, the guard has judged it.
    """
    if headers.get("sec-fetch-site", "") not in ("cross-site", "same-site") or "origin" in headers:
        return False
    return (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) != ("navigate", "document")


def _own(to: str) -> str:
    """A path of this page: a link must not lead elsewhere."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"


def _set(response: Response, name: str, value: str, scope: Scope) -> None:
    # Not strict: a link in a message opens the page, too.
    secure = scope.get("scheme") == "https"
    response.set_cookie(name, value, max_age=A_MONTH, httponly=True, samesite="lax", secure=secure)


def _closed(scope: Scope, send: Send) -> Send:
    """Let the browser keep the page for itself: no frame around it, no address of it to others, nothing from others.

    Whatever a model or a file says, it cannot make the browser ask another host.
    """
    host = Headers(scope=scope).get("host", "")
    sockets = f"ws://{host} wss://{host}" if host and not set(host) & set(" ;,'\"") else ""
    inline = "'self' 'unsafe-inline' 'unsafe-eval' data: blob:"  # NiceGUI's own page needs these
    own = "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    headers = {
        "content-security-policy": f"default-src {inline}; connect-src 'self' {sockets}; {own}",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }
    more = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sending
