"""A small study: an innkeeper, two runs, their base model and the humans, in a few conversations."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from wolf_chatbox.conversation import Turn
from wolf_chatbox.evaluate.entries import Answer, Entry, Exchange, Study
from wolf_chatbox.evaluate.judging.pairs import Pair, Reply
from wolf_chatbox.evaluate.judging.votes import Choice, Vote
from wolf_chatbox.scene import Scene

ENTRIES = {"good": "run", "poor": "run", "base": "base", "humans": "humans"}


def study(
    conversations: int = 3, turns: int = 4, entries: Sequence[str] = tuple(ENTRIES), language: str = "en"
) -> Study:
    """Exchanges whose replies name their entry and place."""
    exchanges = [
        Exchange(
            Scene((Turn("Traveller", f"question {at} of day {number}"),), speaker="Grimbold"),
            Turn("Grimbold", f"humans says {number} {at}"),
            number,
        )
        for number in range(conversations)
        for at in range(turns)
    ]
    answers = {
        name: [Answer(f"{name} says {exchange.conversation} {at % turns}") for at, exchange in enumerate(exchanges)]
        for name in entries
    }
    made = [Entry(name, ENTRIES[name], answers[name]) for name in entries]  # type: ignore[arg-type]
    return Study("Grimbold", exchanges, made, [], language)


def vote(
    first: str, second: str, choice: Choice, at: int = 0, voter: str = "ann", conversation: int | None = None
) -> Vote:
    """A vote on the replies of two entries to question `at`."""
    replies = (Reply(name, f"{name} says {at}") for name in (first, second))
    pair = Pair((Turn("Traveller", f"question {at}"),), "Grimbold", *replies, conversation)
    return Vote(pair, choice, voter)


def results(details: Any = None, samples: Sequence[str] = ("good day",), persona: str = "Grimbold") -> dict[str, Any]:
    """The JSON form of an evaluation: two runs, of which one is better than the base model and one is worse."""

    def measure(name: str, better: str, values: Sequence[float | None], unit: str = "") -> dict[str, Any]:
        figures = {
            entry: {
                "value": value,
                "low": None if value is None else value - 0.02,
                "high": None if value is None else value + 0.02,
            }
            for entry, value in zip(ENTRIES, values)
        }
        p = {"good": {"poor": 0.001, "base": 0.001, "humans": 0.5}, "poor": {"base": 0.01}, "base": {"humans": 0.01}}
        words = {"title": name.title(), "group": "Group", "means": f"What {name} means."}
        return {"name": name, "better": better, "unit": unit, "digits": 2, "figures": figures, "p": p} | words

    return {
        "persona": persona,
        "language": "en",
        "exchanges": len(samples),
        "conversations": 3,
        "entries": [{"name": name, "kind": kind} for name, kind in ENTRIES.items()],
        "measures": [
            measure("fit", "lower", (1.0, 3.0, 2.0, None)),
            measure("alike", "human", (0.29, 0.1, 0.2, 0.3), "%"),
            measure("copied", "lower", (0.01, 0.3, 0.2, 0.99), "%"),
            measure("size", "none", (4.0, 5.0, 6.0, 7.0)),
            measure("nothing", "lower", (None, None, None, None)),
        ],
        "details": details or {},
        "samples": [
            {
                "context": [["Traveller", f"question {text}"]],
                "speaker": "Grimbold",
                "said": text,
                "replies": {name: f"{name} {text}" for name in ENTRIES},
            }
            for text in samples
        ],
        "chats": {"good": [[["Grimbold", "a chat"]]]},
        "settings": {"runs": ["/home/somebody/good"], "data": ["/home/somebody/chat.txt"], "seed": 0},
        "notices": ["a notice"],
    }


@contextmanager
def server(reply: Callable[[dict[str, Any]], tuple[int, Any]]) -> Iterator[str]:
    """A server of chat completions on the loopback, as the address of a judge.

    `reply` gets the request's JSON, with its path and key, and gives a status and an answer.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = reply(body | {"key": self.headers.get("Authorization"), "path": self.path})
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{made.server_port}/v1#wise"
    finally:
        made.shutdown()
        made.server_close()
