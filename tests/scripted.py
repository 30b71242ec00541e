"""A chat with an engine whose replies are written down beforehand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model.engines.sampling import Token
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.talk.session import ChatSession


class Scripted:
    """An engine that gives the written replies, token by token, and remembers its prompts."""

    def __init__(self, tokenizer: Any, *replies: str, context: int = 256) -> None:
        self.tokenizer = tokenizer
        self.replies = list(replies)
        self.context = context
        self.prompts: list[list[int]] = []
        self.decoder = SimpleNamespace(name="scripted", fingerprint="none")

    def save(self, prompt: Sequence[int]) -> None:
        """It has read nothing."""

    def stream(
        self,
        prompt: Sequence[int],
        sampling: SamplingConfig,
        stop: Collection[int],
        seed: int | None = None,
        begun: int = 0,
        top: int | None = None,
        names: Collection[str] = (),
    ) -> Iterator[Token]:
        self.prompts.append(list(prompt))
        if begun:  # it goes on where it was cut
            ids = self.tokenizer(f" {self.last}", add_special_tokens=False).input_ids
            assert self.tokenizer.decode(prompt[-begun:]) == self.tokenizer.decode(ids[:begun])
            yield from map(Token, ids[begun:][: sampling.max_new_tokens])
            return
        reply = self.last = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        for id in self.tokenizer(f" {reply}", add_special_tokens=False).input_ids[: sampling.max_new_tokens]:
            if id in stop:
                return
            yield Token(id)


SPEAKERS = {"Rick": 5, "Morty": 4, "Beth": 2}


def voice(
    tokenizer: Any,
    *replies: str,
    style: str = "named",
    context: int = 256,
    speakers: dict[str, int] = SPEAKERS,
    history_tokens: int | None = None,
) -> Voice:
    """A voice of Rick, whose engine says `replies`, one after the other."""
    renderer = make_renderer(tokenizer, style, "Rick", "Morty", SPEAKERS)
    return Voice(Scripted(tokenizer, *replies, context=context), renderer, speakers, history_tokens)


def talk(
    tokenizer: Any,
    *replies: str,
    persona: str = "Rick",
    user: str = "Morty",
    sampling: SamplingConfig = SamplingConfig(max_new_tokens=100),  # noqa: B008
    **settings: Any,
) -> ChatSession:
    return ChatSession(voice(tokenizer, *replies, **settings), persona=persona, user=user, sampling=sampling)
