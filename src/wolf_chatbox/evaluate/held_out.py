"""Which conversations were learnt, and which exchanges of the others are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.split import unit_of
from wolf_chatbox.errors import DataError
from wolf_chatbox.evaluate.entries import Exchange
from wolf_chatbox.samples.dataset import scenes_of
from wolf_chatbox.samples.learnt import Learnt
from wolf_chatbox.samples.rendering import Renderer
from wolf_chatbox.scene import Scene
from wolf_chatbox.visible import shortlist

FEW = 0.1
"""A conversation of which a smaller share was learnt was not: some lines are said in many."""
MOST = 0.5
"""One of which a larger share was learnt was; what lies between is left out."""
TAIL = 4
"""Turns after the last learnt one from which on they count as held out: of one long chat the end is."""
FEW_CONVERSATIONS, BLOCK = 10, 5
"""Where there are fewer conversations than this, the bootstrap draws blocks of so many exchanges in a row."""
HISTORY = 30
"""Turns before a reply that are in its scene at most; what the run's rows do not hold leaves the prompt."""


@dataclass(frozen=True)
class Divided:
    """Conversations by what the runs learnt of them."""

    learnt: list[Conversation]
    """What any run learnt."""
    held_out: list[Conversation]
    """What no run learnt."""
    notices: list[str]


def divide(conversations: Sequence[Conversation], runs: Mapping[str, Learnt], files: Sequence[str]) -> Divided:
    """Tell what was learnt from what was held out, for all runs together.

    Raises DataError, with what was learnt, when nothing is left.
    """
    learnt, held_out, unclear = list[Conversation](), list[Conversation](), list[Conversation]()
    by_whom: dict[str, int] = dict.fromkeys(runs, 0)
    for conversation in conversations:
        parts = {name: _first_new(conversation, known) for name, known in runs.items()}
        for name, first in parts.items():
            by_whom[name] += first is not None and first > 0
        if any(first is None for first in parts.values()):
            unclear.append(conversation)
            continue
        first = max((first for first in parts.values() if first is not None), default=0)
        if first:
            learnt.append(_part(conversation, 0, first))
        if first < len(conversation.turns):
            held_out.append(_part(conversation, first, len(conversation.turns)))
    if not held_out:
        whose = ", ".join(f"{count} by {name}" for name, count in by_whom.items())
        groups = shortlist(dict.fromkeys(conversation.group or "(no group)" for conversation in conversations), 3)
        leak = f"nothing is held out: of {len(conversations)} conversations ({groups}) were learnt {whose}"
        raise DataError(f"{', '.join(files)}: {leak}. Name data that no run learnt (--data), or train with a split.")
    notices = []
    if unclear:
        some = f"{len(unclear)} conversation" + ("s" if len(unclear) > 1 else "")
        notices.append(f"left out: {some} learnt in part, or too short to tell")
    return Divided(learnt, held_out, notices)


def _first_new(conversation: Conversation, known: Learnt) -> int | None:
    """The first turn after what was learnt: 0 if nothing was, the number of turns if all was, None if it is unclear."""
    flags = known.knows(conversation)
    told = [flag for flag in flags if flag is not None]
    if not told:
        return None
    share = sum(told) / len(told)
    if share < FEW:
        return 0
    last = max(at for at, flag in enumerate(flags) if flag) + 1  # flag `at` is of the turn after
    if len(conversation.turns) - last - 1 >= TAIL and conversation.game is None:
        return last + 1
    return len(conversation.turns) if share > MOST else None


def _part(conversation: Conversation, first: int, end: int) -> Conversation:
    if (first, end) == (0, len(conversation.turns)):
        return conversation
    return replace(conversation, turns=conversation.turns[first:end])


def exchanges(
    conversations: Sequence[Conversation],
    renderer: Renderer,
    view: str,
    persona: str | None,
    count: int,
) -> list[Exchange]:
    """At most `count` exchanges spread over the conversations, in their order.

    Turns of the persona, or of everybody who is learnt, that answer somebody else. Real replies to the very same turns
    are one another's references. Raises DataError when there is none.
    """
    units: dict[str, int] = {}
    found: list[Exchange] = []
    for number, (conversation, scenes) in enumerate(scenes_of(conversations, view, renderer)):
        unit = units.setdefault(unit_of(conversation) or f"\0{number}", len(units))
        for scene in scenes:
            for at, turn in enumerate(scene.turns):
                asked = turn.speaker == persona if persona else renderer.learns(turn.speaker, scene)
                if at and asked and scene.turns[at - 1].speaker != turn.speaker and turn.text.strip():
                    found.append(Exchange(scene.before(at, HISTORY), turn, unit if conversation.game else number))
    if not found:
        whose = f"no turn by {persona}" if persona else "no turn to answer"
        raise DataError(
            f"the held-out conversations have {whose} after somebody else's. Name other data, or --persona."
        )
    together: dict[tuple[object, ...], list[str]] = {}
    for exchange in found:
        together.setdefault(_asked(exchange.scene), []).append(exchange.said.text)
    chosen = [found[(2 * number + 1) * len(found) // (2 * count)] for number in range(count)]
    return [
        exchange._replace(references=_others(together[_asked(exchange.scene)], exchange.said.text))
        for exchange in (chosen if count < len(found) else found)
    ]


def in_blocks(asked: Sequence[Exchange]) -> list[Exchange]:
    """The same exchanges, whose units are blocks in a row of one conversation where there are few conversations.

    A block bootstrap (Künsch 1989, https://doi.org/10.1214/aos/1176347265): replies far from each other in a
    conversation are less alike than neighbours. It says nothing of how other conversations would differ.
    """
    if len({exchange.conversation for exchange in asked}) >= FEW_CONVERSATIONS:
        return list(asked)
    places: dict[int, int] = {}
    units: dict[tuple[int, int], int] = {}
    found = []
    for exchange in asked:
        place = places[exchange.conversation] = places.get(exchange.conversation, -1) + 1
        unit = units.setdefault((exchange.conversation, place // BLOCK), len(units))
        found.append(exchange._replace(conversation=unit))
    return found


def _asked(scene: Scene) -> tuple[object, ...]:
    return scene.speaker, scene.opening, tuple((turn.speaker, turn.text) for turn in scene.turns)


def _others(texts: Sequence[str], said: str) -> tuple[str, ...]:
    rest = list(texts)
    rest.remove(said)
    return tuple(rest)
