"""How a reply came about: what its prompt held, what was recalled, what there was to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.model.candidates import Candidate
from wolf_chatbox.model.token_text import TokenText
from wolf_chatbox.talk.memory import Recalled
from wolf_chatbox.talk.session import ChatSession, Drawn
from wolf_chatbox.words import DEFAULT, Words, words_of


@dataclass(frozen=True)
class Account:
    """How a reply came about; the terminal and the page phrase it."""

    speaker: str
    heard: tuple[Turn, ...]
    """The turns that the speaker had heard."""
    held: int
    """How many of them, the last ones, the model read."""
    prompt: str
    """The very text that the model read, with its marks."""
    tokens: int
    """The length of that text."""
    engine: str
    seed: int
    repeated: bool
    """Whether it says one of the last replies again, as every other try did."""
    recalled: tuple[Recalled, ...]
    remembers: bool
    """Whether earlier chats are remembered at all."""
    candidates: tuple[Candidate, ...]
    """What there was to choose from; empty where one reply was drawn."""
    chosen: int
    weight: float | None
    """The share of the reverse model in a score; None without one."""

    @property
    def left_out(self) -> tuple[Turn, ...]:
        """The turns that the speaker had heard and the model did not read."""
        return self.heard[: len(self.heard) - self.held]


def account(session: ChatSession, drawn: Drawn | None = None) -> Account:
    """The account of a reply of this session, by default of the last one; raises ChatError when none was drawn."""
    drawn = drawn or session.drawn
    if drawn is None:
        raise ChatError("no reply was drawn yet. Send a message first.")
    reply, scene, voice = drawn.reply, drawn.scene, session.voice
    return Account(
        scene.speaker or "",
        scene.turns,
        voice.held(scene, session.sampling),
        read_text(session, reply.prompt),
        len(reply.prompt),
        voice.engine.decoder.name,
        drawn.seed,
        reply.repeated,
        drawn.recalled,
        session.recollection is not None,
        reply.candidates,
        reply.chosen,
        voice.reverse.weight if voice.reverse else None,
    )


def read_text(session: ChatSession, ids: list[int]) -> str:
    """The text of a prompt's ids, with its marks."""
    texts = TokenText(session.voice.renderer.tokenizer)
    return b"".join(map(texts.bytes_of, ids)).decode(errors="replace")


def why(session: ChatSession, words: Words | None = None) -> Iterator[str]:
    """The account of the last reply in words, line by line; raises ChatError when none was drawn."""
    told, say = account(session), words or words_of(DEFAULT)
    heard = len(told.heard)
    yield say("terminal.why.read", speaker=told.speaker, held=told.held, count=heard, tokens=told.tokens)
    yield say("terminal.why.engine", engine=told.engine, seed=told.seed)
    if told.repeated:
        yield say("terminal.why.repeated")
    for recalled in told.recalled:
        yield _recollection(recalled, say)
    if told.remembers and not told.recalled:
        yield say("terminal.why.nothing")
    if told.candidates:
        key = "best" if told.weight is None else "best_of_both"
        yield say(f"terminal.why.{key}", count=len(told.candidates))
    for number, candidate in enumerate(told.candidates):
        mark = "*" if number == told.chosen else " "
        mixed = f"{candidate.likelihood:.2f}"
        if told.weight is not None and candidate.reverse is not None:
            mixed = f"{1 - told.weight:.2f} x {mixed} + {told.weight:.2f} x {candidate.reverse:.2f}"
        yield f"{mark} {candidate.score:6.2f} = {mixed} - {candidate.repetition:.2f}  {one_line(candidate.text)}"


def _recollection(recalled: Recalled, say: Words) -> str:
    said = " / ".join(f"{turn.speaker}: {one_line(turn.text)}" for turn in recalled.turns)
    found = say("terminal.comma").join(recalled.words)
    score = f"{recalled.score:.1f}"
    return say("terminal.why.recalled", when=f"{recalled.when:%Y-%m-%d}", words=found, score=score, said=said)


def one_line(text: str) -> str:
    return " ".join(text.split())
