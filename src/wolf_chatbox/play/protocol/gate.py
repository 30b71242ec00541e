"""The websockets of a moderator: one thread reads and writes all of them, whatever one of them does."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from wolf_chatbox.play.protocol.connection import Connection
from wolf_chatbox.play.protocol.packets import NAME, encode
from wolf_chatbox.play.protocol.token import admits
from wolf_chatbox.talk.server.place import is_loopback
from wolf_chatbox.visible import Tell, visible

FRAME = 65_536
"""Bytes of a frame at most."""
OUTBOX = 4_000_000
"""Characters that may wait to be sent to one agent; one that reads no more is cut off."""
CONNECTIONS = 2_000
"""Open connections at most; others are refused."""
LEAVE_SECONDS = 5.0
"""What an agent gets to read the last packets in."""
NAME_SECONDS = 30.0
"""What an agent gets to say its name in, when it comes."""
LONGEST_NAME = 64
CONTROL = {code: None for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029) if code != ord("\n")}


class Gate:
    """Lets agents in by name and token, and closes their sockets in the end."""

    def __init__(
        self,
        place: socket.socket,
        welcome: Callable[[Connection], None],
        farewell: Callable[[Connection], None],
        *,
        secret: str | None,
        tell: Tell,
    ) -> None:
        """`welcome` and `farewell` are called by the thread of the sockets, when an agent is in, and when it has left.

        Without a `secret`, only programs of this machine may connect, and no page of another site in a browser here.
        """
        self._place, self._welcome, self._farewell = place, welcome, farewell
        self._secret, self._tell = secret, tell
        self._loop = asyncio.new_event_loop()
        self._ready, self._done = threading.Event(), asyncio.Event()
        self._open = 0
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), name="websockets")

    def open(self) -> None:
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        """Close all sockets, and wait until they are."""
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        server: Server
        async with serve(
            self._guest,
            sock=self._place,
            process_request=self._admit,
            ping_interval=None,
            max_size=FRAME,
            compression=None,
            close_timeout=LEAVE_SECONDS,
            server_header=None,
        ) as server:
            self._ready.set()
            await self._done.wait()
            server.close()

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """Refuse a connection, before it is a websocket, where there are too many, or it comes from a page's script."""
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        here = is_loopback(urlsplit(f"//{host}").hostname or "") and origin in (None, f"http://{host}")
        if self._secret is None and not here:
            return socket.respond(HTTPStatus.FORBIDDEN, "for programs of this machine only\n")
        if self._open >= CONNECTIONS:
            return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections\n")
        return None

    async def _guest(self, socket: ServerConnection) -> None:
        self._open += 1
        try:
            name = await self._name(socket)
            if name:
                await self._stay(socket, name)
        except ConnectionClosed:
            pass
        finally:
            self._open -= 1

    async def _name(self, socket: ServerConnection) -> str:
        """Ask for the name and look at the token; empty, and closed, for an agent that may not come in."""
        await socket.send(encode({"request": NAME}))
        try:
            name = _text(await asyncio.wait_for(socket.recv(), NAME_SECONDS)).rstrip("\n")
        except TimeoutError:
            name = ""
        problem = _problem(name)
        connection = Connection(name, lambda _: None)
        if not problem and self._secret and not admits(_token(socket.request), self._secret, connection.team):
            problem = "has no token for its team"
        if problem:
            self._tell(f"{visible(name[:LONGEST_NAME]) or 'somebody'} {problem}, and is refused")
            await socket.close(1008, problem)
            return ""
        return name

    async def _stay(self, socket: ServerConnection, name: str) -> None:
        """Pass on what comes and goes, until one side closes."""
        outbox = _Outbox(socket)
        connection = Connection(name, outbox.post)
        self._welcome(connection)
        writing = asyncio.create_task(outbox.drain())
        try:
            async for frame in socket:
                if not connection.push(_text(frame)):
                    self._tell(f"{name} sends too much, and is cut off")
                    break
        finally:
            connection.lose()
            self._farewell(connection)
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing


class _Outbox:
    """What waits to be sent to one agent."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket, self._loop = socket, asyncio.get_running_loop()
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self._waits = 0

    def post(self, text: str | None) -> None:
        """From any thread; None closes, when everything is sent, or when the agent does not read it."""
        with suppress(RuntimeError):  # the loop is closed: everybody has left
            self._loop.call_soon_threadsafe(self._put, text)

    def _put(self, text: str | None) -> None:
        self._waits += len(text or "")
        if self._waits > OUTBOX:
            self._socket.transport.abort()
            return
        self._frames.put_nowait(text)
        if text is None:
            self._loop.call_later(LEAVE_SECONDS, self._socket.transport.abort)

    async def drain(self) -> None:
        with suppress(ConnectionClosed):
            while (text := await self._frames.get()) is not None:
                await self._socket.send(text)
                self._waits -= len(text)
            await self._socket.close()


def _text(frame: str | bytes) -> str:
    """What an agent sent, without control characters, which no log may hold."""
    text = frame if isinstance(frame, str) else frame.decode(errors="replace")
    return text.translate(CONTROL)


def _problem(name: str) -> str:
    """What is wrong with an agent's name, which stands in logs; empty if nothing is."""
    if not name:
        return "says no name"
    if len(name) > LONGEST_NAME or not name.isprintable() or "," in name:
        return f"has no proper name: at most {LONGEST_NAME} characters, no comma"
    return ""


def _token(request: Request | None) -> str:
    """The token of a connection: in ?token=, or as Authorization: Bearer."""
    if request is None:
        return ""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else parse_qs(urlsplit(request.path).query).get("token", [""])[0]
