"""The steps of a game: who is asked, who may speak, and who is told where the game is."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Literal, NamedTuple

from wolf_chatbox.werewolf.sight import Kind


class Ask(NamedTuple):
    """Everybody in `who` is asked; no answer depends on another one. A reply is a text, or None: there was none."""

    kind: Kind
    who: tuple[str, ...]


class Listen(NamedTuple):
    """Anybody in `who` may speak; send (name, text), or None when the time is up."""

    kind: Kind
    who: tuple[str, ...]
    begins: bool
    """Whether the time begins now."""


class Tell(NamedTuple):
    """Everybody in `who` is told where the game is; nothing is to be sent."""

    what: Literal["initialize", "daily_initialize", "daily_finish", "finish", "phase_start", "phase_end", "broadcast"]
    who: tuple[str, ...]
    kind: Kind = "talk"


Step = Ask | Listen | Tell
Answer = Mapping[str, str | None] | tuple[str, str] | None
Course = Generator[Step, Answer, None]
