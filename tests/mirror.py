"""A server of files on the loopback that can do everything wrong that a real one does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import unquote


class Request(NamedTuple):
    path: str
    start: int
    """Where the asked range begins."""
    sent: int
    """Bytes of the answer's body."""


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked has gone: nothing to tell."""


class Mirror:
    """Serves `files` by path. `faults` gives the faults of a path's next answers in order; the last one is repeated:

    a status     is answered instead of the file
    "wrong"      other bytes, as many
    "short"      half of it, as if that were all
    "long"       twice as much
    "cut"        half of what was asked, then the line breaks
    "silent"     half of what was asked, then nothing for `pause` seconds
    "slow"       in ten pieces, with a tenth of `pause` between them
    "whole"      all of it, whatever range was asked
    "fine"       the file
    """

    def __init__(self, files: Mapping[str, bytes], pause: float = 0.5) -> None:
        self.files = dict(files)
        self.faults: dict[str, list[str | int]] = {}
        self.pause = pause
        self.requests: list[Request] = []
        self.server = Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Mirror:
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                path = unquote(self.path).lstrip("/")
                faults = mirror.faults.get(path, ["fine"])
                fault = faults.pop(0) if len(faults) > 1 else faults[0]
                content = mirror.files.get(path)
                if isinstance(fault, int) or content is None:
                    return self.answer(path, 0, fault if isinstance(fault, int) else 404, b"", 0)
                if fault == "wrong":
                    content = bytes(byte ^ 1 for byte in content)
                elif fault == "short":
                    content = content[: len(content) // 2]
                elif fault == "long":
                    content *= 2
                start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
                if fault == "whole":
                    start = 0
                if start and start >= len(content):
                    return self.answer(path, start, 416, b"", 0)
                body = content[start:]
                sent = body[: len(body) // 2] if fault in ("cut", "silent") else body
                self.answer(path, start, 206 if start else 200, sent, len(body), 10 if fault == "slow" else 1)
                if fault == "silent":
                    time.sleep(mirror.pause)

            def answer(self, path: str, start: int, status: int, body: bytes, length: int, pieces: int = 1) -> None:
                mirror.requests.append(Request(path, start, len(body)))
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                size = len(body) // pieces + 1
                for at in range(0, len(body), size):
                    self.wfile.write(body[at : at + size])
                    if pieces > 1:
                        time.sleep(mirror.pause / pieces)

        return Handler
