"""What becomes of an utterance at the table: markers, the mention of a player, and the limits of its length.

The order and the quirks are those of aiwolf-nlp-server: https://github.com/aiwolfdial/aiwolf-nlp-server
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from wolf_chatbox.werewolf.table import TableConfig

OVER, SKIP, FORCE_SKIP = "Over", "Skip", "ForceSkip"
"""A player has nothing to say any more, or not now. They are exact: `over` is speech."""


class Cut(NamedTuple):
    """An utterance within its limits."""

    text: str
    cost: int
    """What it takes from the characters that are left for the day."""


def plain(text: str, *, lines: bool) -> str:
    """A reply without line ends; with `lines`, as in a chat, only without white space around it.

    Half a surrogate pair, which stands for a byte that is no UTF-8 and which no log may hold, becomes `?`.
    """
    text = text.encode(errors="replace").decode()
    return text.strip() if lines else re.sub(r"[\r\n]", "", text)


def cut(text: str, table: TableConfig, names: Sequence[str], left: int | None) -> Cut:
    """Cut a text to the limits of the table.

    `names` are the other players in the order of their seats, `left` the characters that the speaker has left for the
    day beyond the free ones; None: no such budget. An @Name divides the text; its two parts have limits of their own.
    """
    free, after = table.letters, table.letters if table.letters_after_name is None else table.letters_after_name
    spare = left or 0
    mention = _mention(text, table, names)
    if mention is None:
        kept = _first(text, table, _limit(free, spare, table.letters_at_once))
        return Cut(kept, max(0, counted(kept, table) - free) if left is not None else 0)
    at, name = mention
    head = _first(text[:at], table, _limit(free, spare, table.letters_at_once))
    cost = max(0, counted(head, table) - free) if left is not None else 0
    at_once = None if table.letters_at_once is None else max(0, table.letters_at_once - counted(head, table))
    tail = _first(text[at + len(name) + 1 :], table, _limit(after, spare - cost, at_once))
    cost += max(0, counted(tail, table) - after) if left is not None else 0
    return Cut(f"{head} @{name} {tail}", cost)


def _limit(free: int, spare: int, at_once: int | None) -> int | None:
    """How much may be kept; None: everything."""
    most = free + spare if free else None
    known = [bound for bound in (most, at_once) if bound is not None]
    return min(known) if known else None


def _mention(text: str, table: TableConfig, names: Sequence[str]) -> tuple[int, str] | None:
    """Where the mention that counts begins, and whom it names: the first in the text; in v0, the first by seat."""
    found = [(text.index(f"@{name}"), name) for name in names if f"@{name}" in text]
    if not found:
        return None
    # Of two names at one place the longer one is meant: @Agent[1] stands within @Agent[11] nowhere, @Ann within @Anna.
    return found[0] if table.protocol == "v0" else min(found, key=lambda one: (one[0], -len(one[1])))


def counted(text: str, table: TableConfig) -> int:
    """How much of its limits a text takes: characters, or words."""
    if table.count_words:
        return len(text.split())
    return len(text) if table.count_spaces else sum(not letter.isspace() for letter in text)


def _first(text: str, table: TableConfig, most: int | None) -> str:
    """The beginning of a text that counts `most`, with its own spacing."""
    if most is None or counted(text, table) <= most:
        return text
    if most <= 0:
        return ""
    if not table.count_words and table.count_spaces:
        return text[:most]
    units = re.finditer(r"\S+" if table.count_words else r"\S", text)
    return text[: [found.end() for _, found in zip(range(most), units)][-1]]
