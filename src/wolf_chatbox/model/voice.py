"""A model's voice: one reply to one scene. The chat and the validation's samples both ask it.

A voice keeps nothing from one reply to the next. What a reply leaves behind (its ids, whether it was cut) is a value,
which can be given back to continue it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.sampling import Token
from wolf_chatbox.samples.rendering import Renderer
from wolf_chatbox.scene import Scene

FULL = "the reply fills the model's context. Send a message instead."
SAFE_START = 40
"""Characters after which the start of a line can no longer be another speaker's name."""


@dataclass
class Reply:
    """A reply while it is drawn: iterate over it for its pieces. The fields say what there is so far.

    reply = voice.answer(scene, sampling)
    for piece in reply:
        print(piece, end="", flush=True)
    if reply.cut:
        reply = voice.answer(scene, sampling, begun=reply)
    """

    text: str = ""
    ids: list[int] = field(default_factory=list)
    """The ids of the text, and of what is not yet settled; empty where the text ended before another speaker's name."""
    cut: bool = False
    """Whether it ended at `max_new_tokens`, or at the end of the context."""
    pieces: Generator[str] | None = None

    def __iter__(self) -> Generator[str]:
        assert self.pieces is not None, "a reply that is given to `answer` has no pieces"
        return self.pieces


@dataclass(frozen=True)
class Voice:
    """Answers scenes with one engine and one renderer."""

    engine: Engine
    renderer: Renderer
    speakers: Mapping[str, int] = field(default_factory=dict)
    """The speakers that the model knows, with how many turns of each; a reply ends where one of them would speak."""
    history_tokens: int | None = None
    """Tokens of history at most, as many as a row of the training; None allows the whole context."""

    def answer(
        self, scene: Scene, sampling: SamplingConfig, seed: int | None = None, begun: Reply | None = None
    ) -> Reply:
        """The reply of `scene.speaker`, to be iterated; `begun` is a reply to continue, or only its text.

        Raises ChatError, at once, when the last turn or the reply fills the context; while it is iterated ModelError
        when the model's logits are NaN or infinite.
        """
        assert scene.speaker is not None, "nobody is to speak"
        reply = Reply(begun.text, list(begun.ids)) if begun else Reply()
        if reply.text and not reply.ids:
            reply.ids = self.renderer.words(Turn(scene.speaker, reply.text), scene)
        try:
            prompt = self._prompt(scene, sampling, len(reply.ids))
        except ChatError as error:
            raise (ChatError(FULL) if begun else error) from None
        if len(prompt) + len(reply.ids) >= self.engine.context:
            raise ChatError(FULL)
        reply.pieces = self._draw(reply, prompt, self._other_speaker(scene), sampling, seed)
        return reply

    def _prompt(self, scene: Scene, sampling: SamplingConfig, begun: int) -> list[int]:
        """The prompt that leaves room for the reply, of which `begun` tokens are there already."""
        room = self.engine.context - min(sampling.max_new_tokens, self.engine.context // 2) - begun
        try:
            prompt = self.renderer.prompt(scene, min(self.history_tokens or room, room))
        except ChatError:  # a message longer than a row may still fit into the context, alone
            prompt = self.renderer.prompt(scene, room)
        return prompt or [self.renderer.end_id]

    def _other_speaker(self, scene: Scene) -> re.Pattern[str]:
        """Matches where a line begins with the name of a speaker and a colon."""
        names = (scene.speakers() | set(self.speakers) | {scene.speaker or "", scene.narrator}) - {""}
        longest_first = sorted(names, key=len, reverse=True)
        return re.compile(rf"\n\s*(?:{'|'.join(map(re.escape, longest_first))})\s*[:：]")

    def _draw(
        self, reply: Reply, prompt: list[int], other: re.Pattern[str], sampling: SamplingConfig, seed: int | None
    ) -> Generator[str]:
        """Draw the reply's tokens; yields what each adds to its text."""
        most = len(reply.ids) + min(sampling.max_new_tokens, self.engine.context - len(prompt) - len(reply.ids))
        tokens = self.engine.stream([*prompt, *reply.ids], sampling, self._stop_ids(), seed=seed, begun=len(reply.ids))
        decoded = self._decode(reply.ids)
        # Ids of a stopped reply may hold text that was not settled; a reply that is only text may decode differently.
        shown = reply.text if decoded.startswith(reply.text) else decoded
        try:
            for text in self._settled_texts(reply.ids, tokens, other):
                if len(text) > len(shown):
                    piece, shown = text[len(shown) :], text
                    reply.text += piece
                    yield piece
        finally:
            reply.cut = len(reply.ids) == most

    def _settled_texts(self, ids: list[int], tokens: Iterable[Token], other: re.Pattern[str]) -> Iterator[str]:
        """The text of `ids`, which grow with each token, as far as no later token changes it; at the end all of it."""
        text = self._decode(ids)
        for token in tokens:
            ids.append(token.id)
            text = self._decode(ids)
            if found := other.search(text):
                text = text[: found.start()]
                ids.clear()
                break
            yield settled(text)
        yield text.rstrip().rstrip("\ufffd")

    def _decode(self, ids: list[int]) -> str:
        return self.renderer.decode(ids).lstrip()

    def _stop_ids(self) -> set[int]:
        end = self.renderer.tokenizer.eos_token_id
        return {self.renderer.end_id} | ({end} if end is not None else set())


def settled(text: str) -> str:
    """The part of a growing text that no later token changes: whole characters, and whole lines or a line's safe start.

    The start of a line waits as long as it may turn out to be the name of another speaker.
    """
    text = text.rstrip("\ufffd")
    head, newline, line = text.rpartition("\n")
    if newline and len(line) < SAFE_START and ":" not in line and "：" not in line:
        text = head
    return text.rstrip()
