"""What the importers of werewolf share: turns and events, in order, become a conversation with its game."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import replace
from datetime import datetime
from typing import Any

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import Event, Game, Kind, Player
from wolf_chatbox.importers.files.source import clean
from wolf_chatbox.importers.formats.corpora import conversations as jsonl

KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30fa]")
HAN = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")
ENOUGH = 20_000
"""Characters that the language is recognised from."""
MOST_PLAYERS = 100
"""Of one game: the events between players grow with the square of their number, and no table is larger."""


class Record:
    """A game while it is read. Every turn is kept or counted as dropped; events and other facts are kept."""

    def __init__(self, where: str, tally: Tally) -> None:
        self.where = where
        """The file, for errors and notes."""
        self.day = 0
        self.turns: list[Turn] = []
        self.dead: set[str] = set()
        self._events: list[Event] = []
        self._told: list[Mapping[str, Any]] = []
        self._tally = tally

    def say(
        self,
        speaker: str,
        text: str,
        channel: str = "",
        time: datetime | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a turn, with the source's other facts on it, or count why not."""
        speaker, text = clean(speaker), clean(text)
        if not text or not speaker:
            self._tally.dropped["no speaker" if text else "no text"] += 1
            return
        self._tally.kept += 1
        self.turns.append(Turn(speaker, text, time, channel))
        self._told.append(facts or {})

    def happen(self, kind: Kind, actor: str = "", target: str = "", result: str = "", text: str = "") -> int:
        """Add an event after the turns so far; returns its number. An announcement without text is none (-1)."""
        if kind == "announce" and not text.strip():
            return -1
        if kind in ("execute", "death") or result == "killed":
            self.dead.add(target)
        self._events.append(Event(len(self.turns), self.day, kind, clean(actor), clean(target), result, clean(text)))
        return len(self._events) - 1

    def amend(self, number: int, result: str) -> None:
        """Set the result of an event that the source tells only later."""
        self._events[number] = self._events[number]._replace(result=result)

    def conversation(
        self,
        source: str,
        group: str,
        players: Iterable[Player],
        *,
        winner: str = "",
        votes_are_public: bool = False,
        facts: Mapping[str, Any],
    ) -> Iterator[Conversation]:
        """Yield the game, if it has turns. Raises DataError for two players of one name, and for too many players.

        Events that name no player become facts, and a note reports them.
        """
        table = tuple(_seated(player, self.where) for player in players)
        check_table(table, self.where)
        names = {"", *(player.name for player in table)}
        if len(names) <= len(table):
            raise DataError(
                f"{self.where}: a player has no name, or two have the same. Give every player a name of its own."
            )
        events = [event for event in self._events if {event.actor, event.target} <= names]
        strange = [event for event in self._events if not {event.actor, event.target} <= names]
        more = dict(facts)
        if strange:
            more["events_of_nobody_known"] = [event.to_dict() for event in strange]
            self._tally.note(self.where, f"{len(strange)} events name no player, kept as facts only")
        if any(self._told):
            more["turns"] = self._told
        game = Game(
            source, language(self.turns), table, tuple(events), winner, votes_are_public, facts=plain(more, self.where)
        )
        if self.turns:
            yield Conversation(tuple(self.turns), clean(group), game)


def check_table(players: Sized, where: str) -> None:
    """Raise DataError when there are more than MOST_PLAYERS."""
    if len(players) > MOST_PLAYERS:
        raise DataError(
            f"{where}: {len(players):,} players in one game, of at most {MOST_PLAYERS}. Split the file into games."
        )


def _seated(player: Player, where: str) -> Player:
    return replace(
        player,
        name=clean(player.name),
        role=clean(player.role),
        dealt=clean(player.dealt),
        facts=plain(player.facts, where),
    )


def plain(value: Any, where: str) -> Any:
    """A JSON value whose texts can all be written to a file; raises DataError when it is nested too deep."""
    try:
        return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except (RecursionError, ValueError) as error:
        raise DataError(f"{where}: JSON that cannot be kept ({error}). Correct it there.") from error


def language(turns: Iterable[Turn]) -> str:
    """ja, zh or en, by the script of the turns."""
    text = "".join(turn.text for turn in turns)[:ENOUGH]
    kana, han, latin = (len(script.findall(text)) for script in (KANA, HAN, LATIN))
    if kana + han <= latin / 4:  # one sign is worth about four letters
        return "en"
    return "ja" if kana > han / 10 else "zh"


def is_json(head: str) -> bool:
    """Whether a file is JSON, but not our own format, whose facts may contain another format's marks."""
    return head.lstrip().startswith(("{", "[")) and not jsonl.claims(head)


def fields(value: Any) -> dict[str, Any]:
    """A JSON value if it is an object, else an empty object."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A JSON value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def words(value: Any) -> str:
    """A JSON string or number as text, else nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def rest(value: Mapping[str, Any], *known: str) -> dict[str, Any]:
    """The fields of a JSON object but for the known ones."""
    return {key: field for key, field in value.items() if key not in known}
