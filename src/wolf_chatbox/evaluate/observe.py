"""What a model says and expects when it is asked: replies, likelihoods, chats with itself, known beginnings.

Everything is drawn in one thread, in turns, so that the same seed gives the same replies, and replies share forward
passes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.evaluate.entries import Answer, Exchange, Fitted, Probe
from wolf_chatbox.model.voice import Reply, Voice
from wolf_chatbox.scene import Scene

Told = Callable[[int], None]
"""Is told how many are done so far."""
GREEDY = SamplingConfig(temperature=0.0, no_repeat_phrase=0)


def answers(
    voice: Voice,
    exchanges: Sequence[Exchange],
    sampling: SamplingConfig,
    seed: int,
    together: int,
    told: Told = lambda done: None,
) -> list[Answer]:
    """A reply to each exchange, `together` at a time; one whose last turn fills the context is empty."""
    asked = [_opened(voice, exchange.scene, sampling, _seed(seed, number)) for number, exchange in enumerate(exchanges)]
    return [
        Answer("", ended=False) if reply is None else Answer(reply.text, not reply.cut)
        for reply in _finished(asked, together, told)
    ]


def fitted(
    voice: Voice, exchanges: Sequence[Exchange], sampling: SamplingConfig, told: Told = lambda done: None
) -> list[Fitted]:
    """How well the voice expected what was said: every token of the words, and the end of the turn."""
    found = []
    for start in range(0, len(exchanges), SCORED):
        part = exchanges[start : start + SCORED]
        asked = []
        for exchange in part:
            ids = [*voice.renderer.words(exchange.said, exchange.scene), voice.renderer.end_id]
            ids = ids[: voice.engine.context // 2]
            try:
                prompt = voice.prompt(exchange.scene, sampling)
            except ChatError:  # a turn before it fills the context: it stands alone
                prompt = voice.prompt(replace(exchange.scene, turns=()), sampling)
            asked.append((prompt[-(voice.engine.context - len(ids)) :], ids))
        for exchange, scores in zip(part, voice.engine.scores(asked)):
            found.append(Fitted(-sum(scores), len(scores), len(exchange.said.text.encode(errors="replace"))))
        told(len(found))
    return found


SCORED = 8
"""Texts that are scored at once."""


def chats(
    voice: Voice,
    beginnings: Sequence[Sequence[Turn]],
    pair: tuple[str, str],
    turns: int,
    sampling: SamplingConfig,
    seed: int,
    told: Told = lambda done: None,
) -> list[list[Turn]]:
    """Chats of `turns` turns in which both of the pair are drawn from the voice, each after a beginning.

    What a chat begins with is not in the result. A turn may be empty.
    """
    said = [list(beginning) for beginning in beginnings]
    speaking = [_next(chat, pair) for chat in said]
    for number in range(turns):
        asked = [
            _opened(voice, Scene(tuple(chat), speaker=speaker), sampling, _seed(seed, number * len(said) + at))
            for at, (chat, speaker) in enumerate(zip(said, speaking))
        ]
        for at, reply in enumerate(_finished(asked, len(asked))):
            said[at].append(Turn(speaking[at], "" if reply is None else reply.text))
            speaking[at] = _next(said[at], pair)
        told((number + 1) * len(said))
    return [chat[len(beginning) :] for chat, beginning in zip(said, beginnings)]


def continued(voice: Voice, probes: Sequence[Probe], together: int, told: Told = lambda done: None) -> list[bool]:
    """Whether the voice goes on as each probe does, word for word, when it always takes the most likely token."""
    asked = []
    for probe in probes:
        most = len(voice.renderer.words(Turn("", probe.rest), Scene(()))) + 8
        sampling = replace(GREEDY, max_new_tokens=most)
        asked.append(_opened(voice, probe.scene, sampling, 0, Reply(probe.begun)))
    found = []
    for probe, reply in zip(probes, _finished(asked, together, told), strict=True):
        text = "" if reply is None else reply.text
        found.append(" ".join(text.split()).startswith(" ".join(f"{probe.begun}{probe.rest}".split())))
    return found


def _next(chat: Sequence[Turn], pair: tuple[str, str]) -> str:
    return pair[1] if chat and chat[-1].speaker == pair[0] else pair[0]


def _seed(seed: int, number: int) -> int:
    return random.Random(f"{seed} {number}").getrandbits(48)


Opening = Callable[[], Reply | None]


def _opened(voice: Voice, scene: Scene, sampling: SamplingConfig, seed: int, begun: Reply | None = None) -> Opening:
    """A reply that is yet to be asked for; None where the scene does not fit the context."""

    def opening() -> Reply | None:
        try:
            return voice.answer(scene, sampling, seed, begun)
        except ChatError:
            return None

    return opening


def _finished(asked: Iterable[Opening], together: int, told: Told = lambda done: None) -> Iterator[Reply | None]:
    """The replies, whole, in order; at most `together` are open at once, and each in turn draws a piece."""
    waiting, results = list(enumerate(asked)), dict[int, Reply | None]()
    waiting.reverse()
    growing: list[tuple[int, Reply, Iterator[str]]] = []
    while waiting or growing:
        while waiting and len(growing) < together:
            number, opening = waiting.pop()
            reply = results[number] = opening()
            if reply is not None:
                growing.append((number, reply, iter(reply)))
        before = len(growing)
        growing = [one for one in growing if next(one[2], None) is not None]
        if len(growing) < before:
            told(len(results) - len(growing))
    return iter(results[number] for number in range(len(results)))
