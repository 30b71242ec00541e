"""A game as the files that aiwolf-nlp-server writes: the log (`.log`), and all packets with their answers (`.json`).

    1,status,1,SEER,ALIVE,ann1,Mio     1,talk,0,0,1,Hello.     1,vote,1,3     1,execute,3,VILLAGER
    1,divine,1,2,HUMAN     1,guard,4,1,SEER     1,attackVote,5,4     1,attack,4,true     2,result,2,0,VILLAGER

A game that was broken off is written up to where it went; it has no result.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wolf_chatbox.files import new_file
from wolf_chatbox.game import WEREWOLF, Event
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.sight import Line

RECORD = re.compile(r"\n(?=[0-9]+,[A-Za-z]+,)")
NONE = "NONE"
"""The winner of a game that nobody won."""


class Times(dict[Line, int]):
    """When lines were said, in ms of Unix time: a line is said when somebody asks for the first time."""

    def __missing__(self, line: Line) -> int:
        self[line] = now()
        return self[line]


def now() -> int:
    """The time in ms since 1970."""
    return time.time_ns() // 1_000_000


def log_text(village: Village, teams: Mapping[str, str], times: Mapping[Line, int] | None = None) -> str:
    """The log of a game; `teams` are the names that the players have outside the game, `times` are in ms, for v1."""
    return "\n".join(_rows(village, teams, times))


def write_log(path: Path, village: Village, teams: Mapping[str, str], times: Mapping[Line, int] | None = None) -> None:
    """Write the log of a game, also while it goes on; raises CheckpointError when it cannot be written."""
    with new_file(path, overwrite=True) as file:
        file.write(log_text(village, teams, times))


def packets_text(village: Village, teams: Mapping[str, str], entries: list[dict[str, Any]]) -> str:
    """The packets of a game with their answers, as `entries` of a Record."""
    agents = [
        {"idx": village.seat(name), "name": teams[name], "role": role, "team": team_of(teams[name])}
        for name, role in village.roles.items()
    ]
    form = {"agents": agents, "entries": entries, "game_id": village.game_id, "win_side": village.winner or NONE}
    return json.dumps(form, ensure_ascii=False, separators=(",", ":"))


def write_packets(path: Path, village: Village, teams: Mapping[str, str], entries: list[dict[str, Any]]) -> None:
    """Write the packets of a game; raises CheckpointError when they cannot be written."""
    with new_file(path, overwrite=True) as file:
        file.write(packets_text(village, teams, entries))


def team_of(connection: str) -> str:
    """The team of a connection: its name without the digits at the end."""
    return re.sub(r"[0-9]+$", "", connection)


def _rows(village: Village, teams: Mapping[str, str], times: Mapping[Line, int] | None) -> Iterator[str]:
    dead: set[str] = set()
    said = 0
    for event in village.events:
        for line in village.lines[said : event.at]:
            yield _speech(village, line, times)
        said = event.at
        if event.kind in ("day", "end"):
            yield from _status(village, event.day, dead, teams)
        if event.kind == "end":
            yield _result(village, event.day, dead)
        elif row := _act(village, event):
            yield row
        if event.kind == "execute" or event.result == "killed":
            dead.add(event.target)
    for line in village.lines[said:]:
        yield _speech(village, line, times)


def _status(village: Village, day: int, dead: set[str], teams: Mapping[str, str]) -> Iterator[str]:
    """Who lives, each morning and at the end; of players who are lost, the server does not know."""
    for name, role in village.roles.items():
        lost = village.gone.get(name, day) < day
        state = "" if lost else "DEAD" if name in dead else "ALIVE"
        yield f"{day},status,{village.seat(name)},{role},{state},{teams.get(name, '')},{name}"


def _speech(village: Village, line: Line, times: Mapping[Line, int] | None) -> str:
    kind = "whisper" if line.whisper else "talk"
    text = RECORD.sub("\n ", line.text)  # a line of somebody's text is never a record
    row = f"{line.day},{kind},{line.idx},{line.turn},{village.seat(line.speaker)},{text}"
    return f"{row},{times[line] // 1000}" if times is not None and village.table.protocol == "v1" else row


def _act(village: Village, event: Event) -> str:
    """The row of a vote, or of what happens after it; empty for what the log does not tell."""
    day, actor = event.day, village.seat(event.actor) if event.actor else 0
    target = village.seat(event.target) if event.target else -1
    role = village.roles.get(event.target, "")
    match event.kind:
        case "vote":
            return f"{day},vote,{actor},{target}"
        case "attack_vote":
            return f"{day},attackVote,{actor},{target}"
        case "execute":
            return f"{day},execute,{target},{role}"
        case "divine":
            return f"{day},divine,{actor},{target},{event.result}"
        case "guard":
            return f"{day},guard,{actor},{target},{role}"
        case "attack":
            return f"{day},attack,{target},{'false' if event.result == 'guarded' else 'true'}"
        case _:
            return ""


def _result(village: Village, day: int, dead: set[str]) -> str:
    alive = [role for name, role in village.roles.items() if name not in dead]
    wolves = alive.count(WEREWOLF)
    return f"{day},result,{len(alive) - wolves},{wolves},{village.winner or NONE}"
