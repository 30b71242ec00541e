"""A chat as Markdown (CommonMark 0.31, and GitHub's tables and strikethrough): what was said stays text."""

from __future__ import annotations

import re
from datetime import datetime

from wolf_chatbox.talk.tree import Message, Tree
from wolf_chatbox.visible import visible

SIGNS = re.compile(r"[\\`*_\[\]<>&~|$]")
"""What means something wherever it stands."""
STARTS = re.compile(r"^([ \t]*)(?:([#+=-])|(\d+)([.)]))", re.MULTILINE)
"""What means something at the beginning of a line: a heading, a list, a rule."""
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
"""Four spaces would begin a block of code."""


def to_markdown(tree: Tree, title: str = "", when: datetime | None = None) -> str:
    """The conversation at hand, with who spoke and, if it is known, when; a whisper names who heard it."""
    said = tree.said()
    names = ", ".join(dict.fromkeys(message.speaker for message in said))
    facts = " · ".join(filter(None, [as_text(names), f"{when:%Y-%m-%d %H:%M}" if when else ""]))
    parts = [f"# {as_text(' '.join(title.split()))}" if title.strip() else "", f"*{facts}*" if facts else ""]
    return "\n\n".join([*filter(None, parts), *map(_said, said)]) + "\n"


def _said(message: Message) -> str:
    others = ", ".join(sorted(message.heard - {message.speaker}))
    who = as_text(f"{message.speaker} → {others}" if message.whispered and others else message.speaker)
    return f"**{who}:** {as_text(message.text)}"


def as_text(text: str) -> str:
    """A text in Markdown that shows as it is, line by line; control characters are shown too."""
    text = visible(text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    text = SIGNS.sub(r"\\\g<0>", text)
    text = STARTS.sub(lambda found: f"{found[1]}{_escaped(found)}", text)
    text = INDENT.sub(lambda found: "\N{NO-BREAK SPACE}" * len(found[0].expandtabs(4)), text)
    return re.sub(r"(?<=[^\n])\n(?=[^\n])", "\\\\\n", text)  # the break of a line stays one


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[2]}" if found[2] else f"{found[3]}\\{found[4]}"
