"""What the importers of werewolf share: what was said and what happened, in order, becomes a conversation with its game."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sized
from datetime import datetime
from typing import Any

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import Event, Game, Kind, Player
from wolf_chatbox.importers.corpora import conversations as jsonl
from wolf_chatbox.importers.source import clean

KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30fa]")
HAN = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")
ENOUGH = 20_000
"""Characters that tell a game's language."""
MOST_PLAYERS = 100
"""Of one game. What each of them does to each other grows with the square of it, and no table is that large."""


class Record:
    """A game while it is read. Everything that was said is counted; what happened, and what else is told, is kept."""

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
        """Keep what somebody said, with what else the source tells of it, or count why not."""
        speaker, text = clean(speaker), clean(text)
        if not text or not speaker:
            self._tally.dropped["no speaker" if text else "no text"] += 1
            return
        self._tally.kept += 1
        self.turns.append(Turn(speaker, text, time, channel))
        self._told.append(facts or {})

    def happen(self, kind: Kind, actor: str = "", target: str = "", result: str = "", text: str = "") -> int:
        """Something happens now, after what was said so far; returns its number. An announcement without words is none."""
        if kind == "announce" and not text.strip():
            return -1
        if kind in ("execute", "death") or result == "killed":
            self.dead.add(target)
        self._events.append(Event(len(self.turns), self.day, kind, clean(actor), clean(target), result, clean(text)))
        return len(self._events) - 1

    def amend(self, number: int, result: str) -> None:
        """What came of an event is told only later."""
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
        """Yield the game, if anything was said in it. Raises DataError when two players have one name, and when they are too many.

        What happened to nobody at the table cannot stand among its events: it is kept with the facts, and told.
        """
        table = tuple(_seated(each, self.where) for each in players)
        check_table(table, self.where)
        names = {"", *(each.name for each in table)}
        if len(names) <= len(table):
            raise DataError(f"{self.where}: a player without a name, or two of one name. Give each a name of its own.")
        events = [each for each in self._events if {each.actor, each.target} <= names]
        strange = [each for each in self._events if not {each.actor, each.target} <= names]
        more = dict(facts)
        if strange:
            more["events_of_nobody_known"] = [each.to_dict() for each in strange]
            self._tally.notes.append(
                f"{self.where}: {len(strange)} events name nobody at the table, kept as facts only"
            )
        if any(self._told):
            more["turns"] = self._told
        game = Game(
            source, language(self.turns), table, tuple(events), winner, votes_are_public, facts=plain(more, self.where)
        )
        if self.turns:
            yield Conversation(tuple(self.turns), clean(group), game)


def check_table(players: Sized, where: str) -> None:
    """Raise DataError for a table with more players than MOST_PLAYERS."""
    if len(players) > MOST_PLAYERS:
        raise DataError(
            f"{where}: {len(players):,} players in one game, where at most {MOST_PLAYERS} are read. Give one game at a time."
        )


def _seated(player: Player, where: str) -> Player:
    return Player(clean(player.name), clean(player.role), player.seat, clean(player.dealt), plain(player.facts, where))


def plain(value: Any, where: str) -> Any:
    """A JSON value in which every text can be written to a file; raises DataError when it is nested too deep."""
    try:
        return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except (RecursionError, ValueError) as error:
        raise DataError(f"{where}: not JSON that can be kept ({error}). Correct it there.") from error


def language(turns: Iterable[Turn]) -> str:
    """ja, zh or en, by the script that the turns are written in."""
    text = "".join(turn.text for turn in turns)[:ENOUGH]
    kana, han, latin = (len(script.findall(text)) for script in (KANA, HAN, LATIN))
    if kana + han <= latin / 4:  # one sign stands for about as much as four letters
        return "en"
    return "ja" if kana > han / 10 else "zh"


def is_json(head: str) -> bool:
    """Whether a file begins as JSON, and not as our own form, whose facts may hold what another format is known by."""
    return head.lstrip().startswith(("{", "[")) and not jsonl.claims(head)


def fields(value: Any) -> dict[str, Any]:
    """A JSON value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A JSON value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def words(value: Any) -> str:
    """A JSON value as text, if it is a text or a number, else nothing."""
    return (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        else ""
    )


def rest(value: Mapping[str, Any], *known: str) -> dict[str, Any]:
    """The fields of a JSON object that nothing else has read."""
    return {key: each for key, each in value.items() if key not in known}
