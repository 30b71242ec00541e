"""What all paths of a server share: roster, limits, metrics, and how a request becomes threads that draw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Any

from fastapi import Request

from wolf_chatbox.talk.server.drawing import Draw, Drawing, Job
from wolf_chatbox.talk.server.metrics import Metrics
from wolf_chatbox.talk.server.refusals import Gone
from wolf_chatbox.talk.server.roster import Roster, Served

_random = SystemRandom()


@dataclass(frozen=True)
class Limits:
    """How much one request may ask for."""

    body_bytes: int = 2_000_000
    prompt_tokens: int = 8192
    """Also no more than the model's context holds."""
    reply_tokens: int = 1024
    seconds: float = 120


class Replies:
    """The replies to one request, each drawn by a job; the first piece of each has come already."""

    def __init__(self, jobs: Sequence[Job], key: str | None = None) -> None:
        self.jobs = jobs
        self.key = key
        """What a client of KoboldCpp names them by."""
        self._streams = [job.pieces() for job in jobs]
        self._first: list[str | None] = []

    async def begin(self) -> None:
        """Wait for the first piece of each; what fails before it is raised here."""
        for stream in self._streams:
            self._first.append(await anext(stream, None))

    async def pieces(self, at: int) -> AsyncIterator[str]:
        """The pieces of one of the replies."""
        if self._first[at] is not None:
            yield str(self._first[at])
            async for piece in self._streams[at]:
                yield piece

    async def texts(self) -> list[str]:
        """The whole replies."""
        return ["".join([piece async for piece in self.pieces(at)]) for at in range(len(self.jobs))]

    @property
    def prompt_tokens(self) -> int:
        """Of the prompt, which several replies to one prompt share."""
        return sum(len(prompt) for prompt in {tuple(job.drawing.reply.prompt) for job in self.jobs})

    @property
    def drawn(self) -> int:
        return sum(job.drawing.reply.drawn for job in self.jobs)

    def finish(self) -> None:
        """Let the replies end with what there is."""
        for job in self.jobs:
            job.drawing.enough.set()

    def cancel(self) -> None:
        """End the replies: nobody waits for them."""
        for job in self.jobs:
            job.cancel()


@dataclass(frozen=True)
class House:
    """A server's parts; `app.state.house`."""

    roster: Roster
    limits: Limits
    metrics: Metrics
    open: set[Replies] = field(default_factory=set)
    """The replies that are drawn now."""
    on_leaving: list[Callable[[], None]] = field(default_factory=list)
    """Called when the server is told to leave."""

    async def draw(
        self,
        request: Request,
        served: Served,
        draws: Sequence[Draw],
        top: int | None = None,
        key: str | None = None,
    ) -> Replies:
        """Draw replies, which end when the client leaves; raises Refusal when they cannot begin, Gone when it left.

        Where there are more than slots, the next begins in the place of one that ends.
        """
        begun = time.monotonic()
        watch = asyncio.ensure_future(_left(request))
        places = min(len(draws), served.gate.places)
        await self._enter(served, places, watch)
        replies = Replies([Job(draw, Drawing(self.limits.seconds, top)) for draw in draws], key)
        self.open.add(replies)
        watch.add_done_callback(lambda _: self._stop(replies))
        coming = iter(replies.jobs)

        def go_on(ended: Job | None = None) -> None:
            if (job := next(coming, None)) is not None:
                job.start(go_on)
            elif ended:
                served.gate.leave()
            if ended and all(job.ended for job in replies.jobs) and replies in self.open:
                self.open.remove(replies)
                watch.cancel()
                self.metrics.note(replies.jobs, begun)

        for _ in range(places):
            go_on()
        try:
            await replies.begin()
        except BaseException:
            replies.cancel()
            raise
        return replies

    async def _enter(self, served: Served, places: int, watch: asyncio.Future[None]) -> None:
        """Take places at the gate, unless the client leaves before."""
        entering = asyncio.ensure_future(served.gate.enter(places, self.limits.seconds))
        try:
            await asyncio.wait([entering, watch], return_when=asyncio.FIRST_COMPLETED)
            if not entering.done():
                self.metrics.cancelled.inc()
                raise Gone
            entering.result()
        except BaseException:
            watch.cancel()
            if not entering.cancel() and not entering.cancelled() and entering.exception() is None:
                served.gate.leave(places)
            raise

    def _stop(self, replies: Replies) -> None:
        """The client has left; or the replies are all there, and nothing is left to stop."""
        if any(not job.ended for job in replies.jobs):
            self.metrics.cancelled.inc()
        replies.cancel()


async def _left(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


def new_seed() -> int:
    return _random.getrandbits(62)


def fields(kind: str, model: str, served: Served) -> dict[str, Any]:
    """What each response begins with."""
    decoder = getattr(served.character.voice.engine, "decoder", None)
    return {
        "id": f"{kind}-{_random.getrandbits(96):024x}",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": f"wolf_chatbox-{getattr(decoder, 'name', 'engine')}",
    }
