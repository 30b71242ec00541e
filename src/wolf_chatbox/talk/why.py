"""How the last reply came about: what its prompt held, what was recalled, what there was to choose from."""

from __future__ import annotations

from collections.abc import Iterator

from wolf_chatbox.errors import ChatError
from wolf_chatbox.talk.memory import Recalled
from wolf_chatbox.talk.session import ChatSession


def why(session: ChatSession) -> Iterator[str]:
    """The account of the last reply, line by line; raises ChatError when none was drawn."""
    drawn = session.drawn
    if drawn is None:
        raise ChatError("no reply was drawn yet. Send a message first.")
    reply, scene = drawn.reply, drawn.scene
    held = session.voice.held(scene, session.sampling)
    yield f"{scene.speaker} read {held} of {len(scene.turns)} turns heard so far: {len(reply.prompt)} tokens."
    yield f"Engine: {session.voice.engine.decoder.name}, seed {drawn.seed}."
    if reply.repeated:
        yield "It says one of the last replies again: so did each other try."
    for recalled in drawn.recalled:
        yield _recollection(recalled)
    if session.recollection is not None and not drawn.recalled:
        yield "Nothing of earlier chats fits."
    reverse = session.voice.reverse
    if reply.candidates:
        also = " (and of the message, by the reverse model)" if reverse else ""
        yield f"Best of {len(reply.candidates)}, by mean log-probability{also} less repetition:"
    for number, candidate in enumerate(reply.candidates):
        mark = "*" if number == reply.chosen else " "
        mixed = f"{candidate.likelihood:.2f}"
        if reverse and candidate.reverse is not None:
            mixed = f"{1 - reverse.weight:.2f} x {mixed} + {reverse.weight:.2f} x {candidate.reverse:.2f}"
        yield f"{mark} {candidate.score:6.2f} = {mixed} - {candidate.repetition:.2f}  {_line(candidate.text)}"


def _recollection(recalled: Recalled) -> str:
    said = " / ".join(f"{turn.speaker}: {_line(turn.text)}" for turn in recalled.turns)
    return f"Recalled from {recalled.when:%Y-%m-%d} by {', '.join(recalled.words)} ({recalled.score:.1f}): {said}"


def _line(text: str) -> str:
    return " ".join(text.split())
