"""A server with tiny models, on a port of the loopback or called in-process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from conftest import make_gpt2
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model.character import Character
from wolf_chatbox.model.engines.decoder import Feed, Logits
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.torch import TorchDecoder
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.talk.server.app import make_app
from wolf_chatbox.talk.server.gate import Gate
from wolf_chatbox.talk.server.house import House, Limits
from wolf_chatbox.talk.server.place import listen, url_of
from wolf_chatbox.talk.server.roster import Roster, Served
from wolf_chatbox.talk.server.serving import Server

SPEAKERS = {"Rick": 5, "Morty": 4, "Beth": 2}
SAMPLING = SamplingConfig(max_new_tokens=12)


class Held(TorchDecoder):
    """A decoder that reads only while `go` is set; an endless one never gives the end token."""

    def __init__(self, model: Any, slots: int, endless: bool = False) -> None:
        super().__init__(model, slots)
        self.endless = endless
        self.go = threading.Event()
        self.go.set()

    def read(self, feeds: Sequence[Feed]) -> Logits:
        assert self.go.wait(60), "the test let nobody go on"
        rows = super().read(feeds)
        if self.endless:
            rows[:, self.model.config.eos_token_id] -= 100
        return rows


def make_served(
    tokenizer: Any,
    name: str = "run",
    *,
    style: str = "named",
    slots: int = 4,
    queue: int = 8,
    model: Any = None,
    endless: bool = False,
) -> Served:
    model = model or make_gpt2(len(tokenizer))
    renderer = make_renderer(tokenizer, style, "Rick", "Morty", SPEAKERS)
    voice = Voice(Engine(Held(model, slots, endless), tokenizer), renderer, SPEAKERS)
    return Served(name, Character(voice, "Rick", "Morty", SAMPLING), Gate(slots, queue))


def held(served: Served) -> threading.Event:
    """Clear it to let the model wait before its next step."""
    decoder = served.character.voice.engine.decoder
    assert isinstance(decoder, Held)
    return decoder.go


def asked(text: str = "Where are we?", **more: Any) -> dict[str, Any]:
    """The body of a chat request."""
    return {"model": "run", "messages": [{"role": "user", "content": text}]} | more


def calls(
    served: Sequence[Served], work: Callable[[httpx.AsyncClient, House], Awaitable[None]], **settings: Any
) -> None:
    """Run `work` with a client of an app in the same process."""

    async def main() -> None:
        app, house = make_app(Roster(served), **settings)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            await work(client, house)

    asyncio.run(main())


def post(served: Served, path: str, body: Any, **settings: Any) -> httpx.Response:
    """The response to one request."""
    found: list[httpx.Response] = []

    async def work(client: httpx.AsyncClient, house: House) -> None:
        found.append(await client.post(path, json=body))

    calls([served], work, **settings)
    return found[0]


@contextmanager
def running(served: Sequence[Served], limits: Limits | None = None, **settings: Any) -> Iterator[tuple[str, House]]:
    """A server on a port of its own; yields its URL, and what its paths share."""
    app, house = make_app(Roster(served), limits, **settings)
    with listen("127.0.0.1", 0) as place:
        server = Server(app, house, grace=0, tell=lambda text: None)
        thread = threading.Thread(target=lambda: server.run(sockets=[place]))
        thread.start()
        try:
            yield url_of(place), house
        finally:
            for one in served:
                held(one).set()
            server.handle_exit(15, None)
            thread.join(30)
            assert not thread.is_alive()


def events(text: str) -> list[str]:
    """The data of server-sent events."""
    return [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
