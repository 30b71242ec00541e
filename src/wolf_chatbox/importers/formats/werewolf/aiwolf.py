"""Game logs (`.log`) of the AIWolf servers: AIWolfServer (Java), AIWolfNLPServer and aiwolf-nlp-server.

A record a line, `day,kind,…`, without quoting; speech is the last field, with its commas and line ends.

    0,status,1,SEER,ALIVE,team1,Mio     0,talk,0,0,1,Hello, everybody.,1778646866     0,whisper,0,0,3,…
    1,vote,1,3     1,execute,3,VILLAGER     1,divine,1,2,HUMAN     1,guard,4,1,SEER     1,attackVote,5,4
    1,attack,4,true     2,result,2,0,VILLAGER

Older servers write no names (agents call each other Agent[01]); newer ones write times. A contest has tables (`.csv`)
and a schedule (`.json`) beside its logs: the standings over all games, which are skipped. The split keeps the
translations of a game together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.aiwolf_play import ULID, Play, Seat, time_of

RECORD = re.compile(r"([0-9]{1,4}),([A-Za-z]{1,20}),")
FIRST = re.compile(r"\s*[0-9]{1,4},status,[0-9]{1,4},[A-Z_]{1,20},")
STAMP = re.compile(r",([0-9]{9,19})\s*$")
CHANNELS = {"talk": "", "whisper": "whisper"}


def claims(head: str) -> bool:
    return bool(FIRST.match(head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the game; another may follow its result. Raises DataError if a log does not begin with its players."""
    log = _Log(source, config, tally)
    number = 1
    for day, kind, fields in _records(source, tally):
        if log.play.over:
            yield from log.finish(number)
            log, number = _Log(source, config, tally), number + 1
        log.take(day, kind, fields)
    yield from log.finish(number)


def _records(source: Source, tally: Tally) -> Iterator[tuple[int, str, str]]:
    """Yield the day and kind of each record, and its other fields as one text."""
    day, kind, lines = 0, "", [""]
    outside = 0
    for line in source.lines():
        if record := RECORD.match(line):
            if kind:
                yield day, kind, "\n".join(lines)
            day, kind, lines = int(record[1]), record[2], [line[record.end() :].rstrip("\n")]
        elif kind in CHANNELS:
            lines.append(line.rstrip())
        else:
            outside += bool(line.strip())
    if kind:
        yield day, kind, "\n".join(lines)
    if outside:
        tally.note(source.path, f"skipped {outside} lines that are no records")


class _Log:
    def __init__(self, source: Source, config: ReadConfig, tally: Tally) -> None:
        self.source = source
        self.play = Play(source, config, tally)
        self.seats: dict[str, Seat] = {}
        self.names: set[str] = set()
        self.missing: dict[str, str] = {}
        self.strange: list[str] = []
        self.tally = tally

    def take(self, day: int, kind: str, fields: str) -> None:
        play = self.play
        parts = fields.split(",")
        if kind == "status":
            self._status(day, fields.split(",", 4))
        elif not self.seats:
            raise DataError(f"{play.where}: a {kind!r} record before any status record. Pass the whole log.")
        elif kind in CHANNELS:
            self._talk(day, kind, fields)
        elif kind == "result" and len(parts) > 2:
            play.facts |= {"humans_alive": _number(parts[0]), "werewolves_alive": _number(parts[1])}
            play.end(day, parts[2].strip())
        elif kind in ("vote", "attackVote") and len(parts) > 1:
            play.act(day, "vote" if kind == "vote" else "attack_vote", self._name(parts[0]), self._name(parts[1]))
        elif kind == "divine" and len(parts) > 2:
            play.act(day, "divine", self._name(parts[0]), self._name(parts[1]), parts[2].strip())
        elif kind == "guard" and len(parts) > 1:
            play.act(day, "guard", self._name(parts[0]), self._name(parts[1]))
        elif kind == "execute":  # only the log holds the role, nobody is shown it
            play.act(day, "execute", target=self._name(parts[0]))
        elif kind == "attack" and len(parts) > 1:
            target = "" if parts[0].strip() == "-1" else self._name(parts[0])
            play.act(
                day,
                "attack",
                target=target,
                result=("killed" if parts[1].strip() == "true" else "guarded") if target else "",
            )
        else:
            self.strange.append(f"{day},{kind},{fields}")

    def _status(self, day: int, parts: list[str]) -> None:
        if len(parts) < 4:
            self.strange.append(f"{day},status,{','.join(parts)}")
            return
        number, role, state, connection = (part.strip() for part in parts[:4])
        key = str(_number(number))
        if key not in self.seats:
            name = parts[4].strip() if len(parts) > 4 else ""
            if not name or name in self.names:
                name = f"Agent[{key.zfill(2)}]"
            self.seats[key] = Seat(name, role, _number(number), connection)
            self.names.add(name)
        name = self.seats[key].name
        if not state:
            self.missing.setdefault(key, str(day))
        elif state == "DEAD" and name not in self.play.dead:
            self.play.happen("death", target=name)

    def _talk(self, day: int, kind: str, fields: str) -> None:
        _, _, number, text = (*fields.split(",", 3), "", "", "", "")[:4]
        name = self._name(number)
        stamp = STAMP.search(text)
        if name not in self.names:
            self.tally.dropped["speaker is not a player"] += 1
            return
        self.play.talk(
            day, name, text[: stamp.start()] if stamp else text, CHANNELS[kind], time_of(stamp[1]) if stamp else None
        )

    def _name(self, number: str) -> str:
        seat = self.seats.get(str(_number(number)))
        return seat.name if seat else f"Agent[{number.strip()}]"

    def finish(self, number: int) -> Iterator[Conversation]:
        if not self.seats:
            raise DataError(f"{self.play.where}: no status records, so no players. Pass the whole log.")
        if self.strange:
            self.play.facts["other_records"] = self.strange
            self.tally.note(self.play.where, f"{len(self.strange)} records of an unknown kind, kept as facts only")
        if number == 1 and ULID.fullmatch(self.source.path.stem):  # a log does not hold its id, but may be named so
            self.play.facts["game_id"] = self.source.path.stem
        seats = [
            seat._replace(facts={"missing_from_day": int(self.missing[key])} if key in self.missing else {})
            for key, seat in self.seats.items()
        ]
        yield from self.play.finish(seats, number)


def _number(text: str) -> int:
    return int(text.strip()) if re.fullmatch(r"\s*[0-9]{1,6}\s*", text) else -1


FORMAT = Format(
    title="AIWolf game log",
    documentation="https://github.com/aiwolfdial/aiwolf-nlp-server",
    notes=(
        "logs (`.log`) of AIWolfServer, AIWolfNLPServer and aiwolf-nlp-server, protocol and language divisions; "
        "without names, players are `Agent[01]`, …; times are UTC. `Over`, `Skip` and `ForceSkip` are counted, and are "
        "no turns. Models' refusals and leaked prompts are dropped and counted, not what is said beside them "
        "(`--also-keep slips` keeps all). The `.csv` and `.json` beside a contest's logs are skipped"
    ),
    claims=claims,
    read=read,
)
