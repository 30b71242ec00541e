"""The value that all rooms share: a conversation of named speakers, and its JSON Lines form."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TextIO

from wolf_chatbox.errors import DataError
from wolf_chatbox.game import Game

CHANNELS = ("", "whisper", "thought", "grave")
"""Who hears a turn of a game: everybody, the wolves, only the speaker, the dead."""
PARTNER = "{{user}}"
"""Stands in the texts of a character's card for whoever talks with the character."""


class Turn(NamedTuple):
    """What one speaker says at once."""

    speaker: str
    text: str
    time: datetime | None = None
    """Local time as shown in the export (no time zone); None if the source has none."""
    channel: str = ""
    """One of CHANNELS."""
    heard: tuple[str, ...] = ()
    """Who heard it, the speaker among them, in a chat where not everybody did; empty: everybody."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: `{"speaker": …, "text": …}`; `"time"` (ISO 8601), `"channel"` and `"heard"` if set."""
        form: dict[str, Any] = {"speaker": self.speaker, "text": self.text}
        if self.time is not None:
            form["time"] = self.time.isoformat()
        if self.channel:
            form["channel"] = self.channel
        return form | {"heard": list(self.heard)} if self.heard else form


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in order, and the group they belong to (an episode, a chat, a game); the split never divides a group."""

    turns: tuple[Turn, ...]
    group: str = ""
    game: Game | None = None
    """The facts of a werewolf game: its players, and what happened between the turns."""
    briefings: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What a character knows before the first turn, by its name; nobody else hears it. A conversation that comes from
    a character's card has the character's, if need be an empty one."""

    def speakers(self) -> set[str]:
        return {turn.speaker for turn in self.turns}

    def names(self) -> list[str]:
        """All names, each once: the speakers, then who only hears, is briefed, or plays a game without speaking."""
        speakers = [turn.speaker for turn in self.turns]
        hearers = [name for turn in self.turns for name in turn.heard]
        players = [player.name for player in self.game.players] if self.game else []
        return list(dict.fromkeys([*speakers, *hearers, *self.briefings, *players]))

    def changed(self, name: Callable[[str], str], text: Callable[[str], str]) -> Conversation:
        """A copy with other names and texts, wherever there are any but in the group's name and a game's facts."""
        game = self.game and self.game.changed(name, text)
        turns = tuple(
            turn._replace(speaker=name(turn.speaker), text=text(turn.text), heard=tuple(map(name, turn.heard)))
            for turn in self.turns
        )
        briefings = {name(who): text(told) for who, told in self.briefings.items()}
        return replace(self, turns=turns, game=game, briefings=briefings)

    def with_turns(self, kept: Sequence[int], turns: Iterable[Turn]) -> Conversation:
        """A copy with other turns: the new versions of those at the positions `kept`, in order."""
        return replace(self, turns=tuple(turns), game=self.game and self.game.kept(kept))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: `{"group": …, "turns": [{"speaker": …, "text": …}, …]}`.

        With `"game"` if it is one, and `"briefings"` if there are any.
        """
        form: dict[str, Any] = {"group": self.group, "turns": [turn.to_dict() for turn in self.turns]}
        form |= {} if self.game is None else {"game": self.game.to_dict()}
        return form | ({"briefings": dict(self.briefings)} if self.briefings else {})

    @classmethod
    def from_dict(cls, value: Any, where: str = "conversation") -> Conversation:
        """The inverse of `to_dict`; raises DataError, beginning with `where`, for any other value."""
        turns = value.get("turns") if isinstance(value, dict) else None
        if not isinstance(turns, list):
            raise DataError(f'{where}: a conversation is {{"group": …, "turns": [{{"speaker": …, "text": …}}]}}.')
        for turn in turns:
            if not (
                isinstance(turn, dict) and isinstance(turn.get("speaker"), str) and isinstance(turn.get("text"), str)
            ):
                raise DataError(f'{where}: each turn needs "speaker" and "text", both strings.')
        group = value.get("group")
        made = tuple(
            Turn(
                turn["speaker"],
                turn["text"],
                _time(turn.get("time"), where),
                _channel(turn.get("channel"), where),
                _heard(turn.get("heard"), where),
            )
            for turn in turns
        )
        game = value.get("game")
        return cls(
            made,
            str(group) if group is not None else "",
            Game.from_dict(game, where) if game is not None else None,
            _briefings(value.get("briefings"), where),
        )


@lru_cache(maxsize=10_000)
def folded(name: str) -> str:
    """A name for comparison: without differences of case, width and composition of accents (NFKC, case-folded)."""
    whole = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(character for character in whole if unicodedata.category(character) != "Cf").split())


def addressed(text: str, partner: str) -> str:
    """A text of a character's card as one for whoever talks with the character."""
    return text.replace(PARTNER, partner)


def is_unicode(text: str) -> bool:
    """Whether a text can be encoded: it has no halves of surrogate pairs, which stand for bytes that are not UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _time(value: Any, where: str) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except (TypeError, ValueError) as error:
        raise DataError(f'{where}: "time" {value!r} is not a date and time such as 2024-05-01T18:30:00.') from error


def _channel(value: Any, where: str) -> str:
    if value is not None and value not in CHANNELS:
        raise DataError(f'{where}: "channel" {value!r} is none of {", ".join(filter(None, CHANNELS))}.')
    return value or ""


def _heard(value: Any, where: str) -> tuple[str, ...]:
    if value is not None and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise DataError(f'{where}: "heard" is not a list of names.')
    return tuple(value or ())


def _briefings(value: Any, where: str) -> dict[str, str]:
    if value is not None and not (isinstance(value, dict) and all(isinstance(told, str) for told in value.values())):
        raise DataError(f'{where}: "briefings" does not give each character a text.')
    return value or {}


def parse_json(text: str, where: str, line: int = 1) -> Any:
    """Parse JSON that begins at `line` of the file `where`; raises DataError with the position of an error."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{where}, line {line + error.lineno - 1}, column {error.colno}: not JSON ({error.msg}). Correct it there."
        ) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets nested thousands deep
        raise DataError(f"{where}, line {line}: not JSON that can be read ({error}). Correct it there.") from error


def write_conversations(conversations: Iterable[Conversation], file: TextIO) -> int:
    """Write JSON Lines, one conversation per line; returns the number of conversations."""
    count = 0
    for conversation in conversations:
        file.write(json.dumps(conversation.to_dict(), ensure_ascii=False) + "\n")
        count += 1
    return count


def parse_conversations(lines: Iterable[str], where: str) -> Iterator[Conversation]:
    """Read JSON Lines back; raises DataError with the line number if a line is not a conversation."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield Conversation.from_dict(parse_json(line, where, number), f"{where}, line {number}")
