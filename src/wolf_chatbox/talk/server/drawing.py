"""Replies, each drawn by a thread of its own; what it draws comes out in the event loop.

An engine computes one step for all who wait, so threads are all that requests need to share forward passes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.sampling import Token
from wolf_chatbox.model.voice import Reply, Voice
from wolf_chatbox.samples.rendering import Renderer
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.server.refusals import Gone

Finish = Literal["stop", "length"]


@dataclass
class Drawing:
    """What a thread has drawn, and what ends it early."""

    seconds: float
    """How long it may take."""
    top: int | None = None
    """How many alternatives to note with each token; None notes no log-probabilities."""
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when nobody waits for it any more."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set to let it end with what there is."""
    late: bool = False
    """Whether it ended before its end, as its time was up."""
    prompt: list[int] = field(default_factory=list)
    streams: list[list[Token]] = field(default_factory=list)
    """The tokens of each stream: one, or more where candidates are drawn."""
    reply: Reply | None = None
    """The reply, whose ids tell its stream from those of other candidates."""
    finish: Finish = "stop"

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Let its time begin."""
        self.deadline = time.monotonic() + self.seconds

    @property
    def tokens(self) -> list[Token]:
        """The tokens of the reply, as far as they are drawn."""
        said = list(self.reply.ids) if self.reply else []
        for tokens in self.streams:
            ids = [token.id for token in tokens]
            if ids and said and (said[-len(ids) :] == ids or ids[: len(said)] == said):
                return tokens
        return self.streams[-1] if self.streams else []

    @property
    def drawn(self) -> int:
        """How many tokens were drawn, those of candidates that were not chosen among them."""
        return sum(map(len, self.streams))


class Watched:
    """An engine for one drawing: it notes the tokens, and stops when nobody waits or the time is up."""

    def __init__(self, engine: Engine, drawing: Drawing) -> None:
        self._engine, self._drawing = engine, drawing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def stream(
        self,
        prompt: Sequence[int],
        sampling: SamplingConfig,
        stop: Collection[int],
        seed: int | None = None,
        begun: int = 0,
        top: int | None = None,
    ) -> Iterator[Token]:
        drawing, tokens = self._drawing, list[Token]()
        drawing.prompt = list(prompt)
        drawing.streams.append(tokens)
        if drawing.top is not None:
            top = max(top or 0, drawing.top)
        # It is opened here, not when it is first asked: candidates that are open at once share forward passes.
        return self._noted(self._engine.stream(prompt, sampling, stop, seed=seed, begun=begun, top=top), tokens)

    def _noted(self, stream: Iterator[Token], tokens: list[Token]) -> Generator[Token]:
        drawing = self._drawing
        with closing(cast(Generator[Token], stream)):
            while True:
                if drawing.gone.is_set():
                    raise Gone
                if drawing.over.is_set() or time.monotonic() > drawing.deadline:
                    drawing.late = True
                    return
                if (token := next(stream, None)) is None:
                    return
                tokens.append(token)
                yield token


Draw = Callable[[Drawing], Iterator[str]]


def say(
    voice: Voice,
    scene: Scene,
    sampling: SamplingConfig,
    seed: int | None,
    stops: Collection[str] = (),
    begun: str = "",
) -> Draw:
    """Draws a reply to a scene; `begun` is the text it goes on from."""

    def draw(drawing: Drawing) -> Iterator[str]:
        watched = replace(voice, engine=cast(Engine, Watched(voice.engine, drawing)))
        reply = watched.answer(scene, sampling, seed, begun=Reply(begun) if begun else None)
        drawing.reply = reply
        stopped = yield from until(iter(reply), stops)
        drawing.finish = "length" if not stopped and (reply.cut or drawing.late) else "stop"

    return draw


def go_on(
    engine: Engine,
    renderer: Renderer,
    prompt: Sequence[int],
    sampling: SamplingConfig,
    seed: int | None,
    stops: Collection[str] = (),
) -> Draw:
    """Draws what follows raw ids."""

    def texts(drawing: Drawing) -> Generator[str]:
        end = renderer.tokenizer.eos_token_id
        ends = {renderer.end_id} | ({end} if end is not None else set())
        ids, shown = list[int](), 0
        # Words are decoded beside the last token of the prompt: some tokenizers drop a space at the start of a text.
        first = list(prompt[-1:])
        start = len(renderer.decode(first))
        for token in Watched(engine, drawing).stream(prompt, sampling, ends, seed=seed):
            ids.append(token.id)
            text = renderer.decode(first + ids)[start:]
            whole = text.rstrip("\ufffd")
            if len(whole) > shown:
                yield whole[shown:]
                shown = len(whole)

    def draw(drawing: Drawing) -> Iterator[str]:
        stopped = yield from until(texts(drawing), stops)
        most = min(sampling.max_new_tokens, engine.context - len(prompt))
        drawing.finish = "length" if not stopped and (drawing.late or drawing.drawn >= most) else "stop"

    return draw


def until(pieces: Generator[str], stops: Collection[str]) -> Generator[str, None, bool]:
    """The pieces up to the first of the stop strings; returns whether there was one.

    What may be the beginning of a stop string is held back.
    """
    text, shown = "", 0
    for piece in pieces:
        text += piece
        if found := [at for stop in stops if (at := text.find(stop, shown)) >= 0]:
            pieces.close()
            if min(found) > shown:
                yield text[shown : min(found)]
            return True
        safe = len(text) - max((_overlap(text[shown:], stop) for stop in stops), default=0)
        if safe > shown:
            yield text[shown:safe]
            shown = safe
    if len(text) > shown:
        yield text[shown:]
    return False


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that `stop` begins with."""
    return next((size for size in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:size])), 0)


class Job:
    """One thread that draws; iterate over it in the event loop for the pieces. It raises what the thread raised."""

    def __init__(self, draw: Draw, drawing: Drawing) -> None:
        self.drawing = drawing
        self.first_piece: float | None = None
        """When the first piece was drawn, in seconds of `time.monotonic`."""
        self.ended = 0.0
        """When the thread was done; 0 while it draws."""
        self._events: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._draw = draw

    def start(self, when_ended: Callable[[Job], None]) -> None:
        """Begin to draw; `when_ended` is called in the event loop when the thread is done, however it ends."""
        self._when_ended = when_ended
        self.drawing.begin()
        threading.Thread(target=self._run, name="reply", daemon=True).start()

    def cancel(self) -> None:
        """End the thread at its next token."""
        self.drawing.gone.set()

    def _run(self) -> None:
        end: BaseException | None = None
        try:
            for piece in self._draw(self.drawing):
                self.first_piece = self.first_piece or time.monotonic()
                self._tell(self._events.put_nowait, piece)
        except BaseException as error:  # it is raised where the pieces are read
            end = error
        self.ended = time.monotonic()
        self._tell(self._when_ended, self)
        self._tell(self._events.put_nowait, end)

    def _tell(self, call: Callable[..., object], *values: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *values)
        except RuntimeError:  # the loop is closed: the server has left
            self.cancel()

    async def pieces(self) -> AsyncGenerator[str]:
        while (event := await self._events.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event
