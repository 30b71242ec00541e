"""A chat with several characters: who is spoken to, and who speaks next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wolf_chatbox.conversation import folded


def mentioned(text: str, names: Sequence[str]) -> str | None:
    """Who of the names a text speaks to: the first with an @ before it, else the first that it says; or None.

    Names are compared without differences of case, width and accents' composition.
    """
    said = folded(text)
    for sign in ("@", ""):
        found = [(match.start(), -len(name), name) for name in names if (match := _pattern(sign, name).search(said))]
        if found:
            return min(found)[2]
    return None


def of_name(name: str, names: Sequence[str]) -> str | None:
    """Who of the names has this name, whatever its case and width; or None."""
    return next((known for known in names if folded(known) == folded(name)), None)


def addressed(text: str, names: Sequence[str]) -> str | None:
    """Who of the names stands at the beginning of a text, after an @; or None."""
    fitting = [name for name in names if _pattern("@", name).match(folded(text))]
    return max(fitting, key=len, default=None)


def _pattern(sign: str, name: str) -> re.Pattern[str]:
    """Matches a name within a folded text; one in Latin letters only as a whole word."""
    word = folded(name)
    before = r"(?<![^\W_])" if word[:1].isascii() and not sign else ""
    after = r"(?![^\W_])" if word[-1:].isascii() else ""
    return re.compile(f"{before}{sign}{re.escape(word)}{after}")


def in_turn(names: Sequence[str], said: Sequence[str]) -> str:
    """The one after who spoke last: `said` are the speakers so far, the names go round."""
    last = next((name for name in reversed(said) if name in names), None)
    return names[0] if last is None else names[(names.index(last) + 1) % len(names)]


def choose(chances: Mapping[str, float], at: float) -> str:
    """The name where the chances, laid side by side in their order, reach the share `at` (0 to 1) of their sum."""
    rest = at * sum(chances.values())
    for name, chance in chances.items():
        rest -= chance
        if rest < 0:
            return name
    return list(chances)[-1]
