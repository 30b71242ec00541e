"""When a player speaks, in talk at any time.

As in LLMafia (Eckhaus et al. 2025, https://arxiv.org/abs/2506.05309), when to speak is decided apart from what to say,
and before it. There a prompt asks a language model; here the score is the probability that the model gives the player's
own name to stand before the next line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from wolf_chatbox.werewolf.sight import Kind, Line, Sight

SOON = 2.0
"""Seconds until somebody speaks who was spoken to."""
FASTEST, SLOWEST = 0.25, 4.0
"""How much the score may shorten or lengthen a pause."""
GREETINGS = 2
"""Utterances of the first day."""
SILENT = 0.5
"""A share of an equal chance to speak; below it a player waits for others, if it has spoken as much as they."""
_TO_ALL = re.compile(r"\b(?:everyone|everybody|all of you|anyone)\b.*\?|(?:みんな|みなさん|皆).*[？?]", re.IGNORECASE)


def lines_of(sight: Sight, kind: Kind) -> list[Line]:
    """What was said today in this kind of talk."""
    return [line for line in sight.said(whisper=kind == "whisper") if line.day == sight.day]


def speaks_to(text: str, me: str) -> bool:
    """Whether a line names this player, or asks everybody."""
    return me in text or bool(_TO_ALL.search(text))


def is_asked(sight: Sight, kind: Kind) -> bool:
    """Whether anybody spoke to this player since it spoke last."""
    today = lines_of(sight, kind)
    mine = max((at for at, line in enumerate(today) if line.speaker == sight.me), default=-1)
    return any(speaks_to(line.text, sight.me) for line in today[mine + 1 :])


def has_news(sight: Sight, kind: Kind) -> bool:
    """Whether this player has something to add: it has not spoken in this phase, or somebody else has since.

    On the first day, when nobody knows anything, a few words are enough, unless it is asked.
    """
    spoken = sight.table.talks_of(kind) - sight.left
    if spoken <= 0:
        return True
    if sight.day == 0 and spoken >= GREETINGS and not is_asked(sight, kind):
        return False
    today = lines_of(sight, kind)
    return not today or today[-1].speaker != sight.me


def pause(sight: Sight, kind: Kind, seconds: float, chances: Mapping[str, float]) -> float | None:
    """Seconds until this player speaks, if nobody does before; None: it waits for what others say.

    `chances` are those of all living players to speak next, `seconds` is the time that is left. Everybody's pauses
    together use up the time that is left as fast as the utterances that are left.
    """
    today = lines_of(sight, kind)
    if is_asked(sight, kind):
        return min(SOON, seconds / 2)
    said = sum(line.speaker == sight.me for line in today)
    equal = 1 / max(1, len(chances))
    score = chances.get(sight.me, equal) / equal
    others = [line.speaker for line in today if line.speaker != sight.me]
    has_its_share = said > 0 and said * (len(chances) - 1) >= len(others)
    if score < SILENT and has_its_share and today[-1].speaker != sight.me:
        return None
    pace = seconds / (sight.left * max(1, len(chances)) + 1)
    after = pace / min(max(score, 1 / SLOWEST), 1 / FASTEST)
    if today and today[-1].speaker == sight.me:  # nobody likes to talk to itself
        after *= 2
    return min(max(after, SOON), 0.9 * seconds)


def typing(text: str) -> float:
    """Seconds that somebody takes to write a line."""
    return min(8.0, 0.04 * len(text))
