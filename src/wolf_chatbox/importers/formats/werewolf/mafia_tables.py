"""The Mafia Dataset: games of mafia between people (Ibraheem et al. 2022), three tables a game.

Dallinger (https://dallinger.readthedocs.io) exports them: node.csv (players), info.csv (messages, votes and the game's
notices), network.csv (the table and the winner). Columns are found by their names.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import VILLAGER, WEREWOLF, Player
from wolf_chatbox.importers.files.source import MAX_LINE, Source, clean
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.formats.scripts.script import column_of
from wolf_chatbox.importers.shared.games import Record, check_table
from wolf_chatbox.importers.shared.messages import from_iso

TABLES = ("info", "node", "network")
COLUMNS = {
    "id": ("id", "nodeid", "infoid"),
    "kind": ("type", "kind"),
    "origin": ("originid", "origin", "nodeid", "speaker", "player", "author", "from"),
    "text": ("contents", "content", "message", "text", "utterance"),
    "time": ("creationtime", "createdat", "timestamp", "time"),
    "name": ("fakename", "name", "player", "speaker", "property1"),
    "role": ("role", "type"),
    "alive": ("alive", "property2"),
    "died": ("deathtime", "property3"),
    "winner": ("winner", "property2"),
}
NEEDED = {"info": ("origin", "text"), "node": ("id", "name", "role"), "network": ("winner",)}
ROLES = {"mafioso": WEREWOLF, "mafia": WEREWOLF, "bystander": VILLAGER, "villager": VILLAGER, "town": VILLAGER}
WINS = {"mafia": WEREWOLF, "mafiosi": WEREWOLF, "bystanders": VILLAGER, "bystander": VILLAGER, "town": VILLAGER}
PHASE = re.compile(r"Phase Change to (Day|Night)time")
NEAR = timedelta(seconds=5)
"""A death is recorded at most so long after the change of phase."""
DALLINGER = {"id", "creation_time", "type", "failed", "time_of_death"}


@dataclass(frozen=True)
class Table:
    rows: list[dict[str, str]]
    columns: dict[str, str]
    """Names of the columns by part (a key of COLUMNS)."""

    def cell(self, row: dict[str, str], part: str) -> str:
        return clean(row.get(self.columns.get(part, ""), ""))


@dataclass(frozen=True)
class Seat:
    name: str
    role: str
    died: datetime | None
    dead: bool


def claims(head: str) -> bool:
    header = _header(head)
    return header >= DALLINGER and (
        "contents" in header or "max_size" in header or header >= {"participant_id", "network_id"}
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the game in the tables of a folder; from messages alone, a game without roles."""
    tables: dict[str, Table] = {}
    for part in (source, *source.more):
        kind = _kind(part)
        tables[kind] = _table(part, kind)
    for name in TABLES:
        path = source.folder / f"{name}.csv"
        if name not in tables and path.is_file():
            tables[name] = _table(Source.open(path, config.encoding), name)
    if "info" not in tables:
        tally.note(source.path, "skipped a game without its messages (info.csv)")
        return
    lacking = [f"{name}.csv" for name in TABLES if name not in tables]
    if lacking:
        tally.note(source.path, f"{' and '.join(lacking)} of the game are missing; it is read without them")
    seats = _seats(tables.get("node"))
    check_table(seats, str(source.path))
    network = tables.get("network")
    outcome = network.rows[0] if network and network.rows else {}
    won = network.cell(outcome, "winner").lower() if network else ""
    record = Record(str(source.path), tally)
    notices = _Play(tables["info"], seats, record).run()
    if won in WINS:
        record.happen("end")
    facts = {"network": {key: value for key, value in outcome.items() if value}, "notices": notices}
    players = [Player(seat.name, seat.role, facts=_facts(tables.get("node"), key)) for key, seat in seats.items()]
    players = players or [Player(name) for name in dict.fromkeys(turn.speaker for turn in record.turns)]
    group = f"mafia_tables {source.folder.name or source.path.stem}"
    yield from record.conversation(
        "mafia-dataset",
        group,
        players,
        winner=WINS.get(won, ""),
        votes_are_public=True,
        facts={key: value for key, value in facts.items() if value},
    )


def _header(head: str) -> set[str]:
    return {name.strip(' "').lower() for name in head.partition("\n")[0].strip().split(",")}


def _kind(source: Source) -> str:
    header = _header(source.head)
    named = next((name for name in ("network", "node", "info") if name in source.path.stem.lower()), "")
    if header & {"contents", "content", "message", "text", "utterance"}:
        return "info"
    return "network" if header & {"max_size", "winner"} else named or "node"


def _table(source: Source, kind: str) -> Table:
    """The rows of a table; raises DataError when a needed column is missing."""
    csv.field_size_limit(MAX_LINE)
    try:
        rows = list(csv.DictReader(source.lines(), restkey="", restval="", strict=True))
    except csv.Error as error:
        raise DataError(f"{source.path}: not a readable table ({error}). Export it again as CSV.") from error
    names = [name for name in rows[0] if name] if rows else []
    columns = {part: column for part, known in COLUMNS.items() if (column := column_of(names, None, known)) is not None}
    lacking = [COLUMNS[part][0] for part in NEEDED[kind] if rows and part not in columns]
    if lacking:
        found = " ".join(", ".join(names)[:200].split())
        raise DataError(
            f"{source.path}, line 1: the {kind} table lacks {', '.join(lacking)} (found: {found}). Rename the columns."
        )
    return Table(
        [{key: value for key, value in row.items() if key and isinstance(value, str)} for row in rows], columns
    )


def _seats(table: Table | None) -> dict[str, Seat]:
    """The players by the ids of their nodes; the game's own node (source) is no player."""
    found: dict[str, Seat] = {}
    for row in table.rows if table else ():
        role = table.cell(row, "role").lower() if table else ""
        if table and role != "source" and (name := table.cell(row, "name")):
            dead = table.cell(row, "alive").lower() == "false"
            found[table.cell(row, "id")] = Seat(
                name, ROLES.get(role, role.upper()), from_iso(table.cell(row, "died")), dead
            )
    return found


def _facts(table: Table | None, key: str) -> dict[str, str]:
    if table is None:
        return {}
    row = next(
        row for row in table.rows if table.cell(row, "id") == key and table.cell(row, "role").lower() != "source"
    )
    read = {table.columns.get(part) for part in ("name", "role")}
    return {column: value for column, value in row.items() if value and column not in read}


class _Play:
    """Replays the messages and votes in the order of their times.

    The game begins at night. What is said then reaches the mafia alone, and a bystander's message nobody.
    """

    def __init__(self, info: Table, seats: dict[str, Seat], record: Record) -> None:
        self.notices: list[str] = []
        """The game's notices, but for changes of phase."""
        self._info, self._seats, self._record = info, seats, record
        self._names = {seat.name: seat for seat in seats.values()}
        self._dying = sorted((seat for seat in seats.values() if seat.dead), key=lambda seat: seat.died or datetime.max)
        self._phase = "Day"

    def run(self) -> list[str]:
        """Replay all of the game; returns its notices."""
        rows = _in_time(self._info)
        if any(PHASE.match(self._info.cell(row, "text")) for _, row in rows):
            self._phase = "Night"
        self._record.day = 0 if self._phase == "Night" else 1
        self._record.happen("night" if self._phase == "Night" else "day")
        for time, row in rows:
            kind, text = self._info.cell(row, "kind").lower(), self._info.cell(row, "text")
            change = PHASE.match(text) if kind in ("info", "") else None
            if change and change[1] != self._phase:
                self._change(change[1], text, time)
            elif change or kind == "info":
                self.notices.append(text)
            else:
                self._act(kind, text, time, row)
        self._die(None)
        return self.notices

    def _change(self, phase: str, text: str, time: datetime | None) -> None:
        self._die(time + NEAR if time else None)
        self._phase = phase
        self._record.day += phase == "Day"
        self._record.happen("day" if phase == "Day" else "night", text=text)

    def _act(self, kind: str, text: str, time: datetime | None, row: dict[str, str]) -> None:
        """A message or a vote; the text of both begins with the player's name and a colon."""
        prefix, colon, said = text.partition(":")
        origin = self._info.cell(row, "origin")
        seat = self._seats.get(origin) or self._names.get(origin) or self._names.get(prefix)
        name = seat.name if seat else prefix if colon else ""
        said = said.strip() if colon and prefix == name else text
        secret = self._phase == "Night"
        mafioso = seat is not None and seat.role == WEREWOLF
        if kind != "vote":
            channel = ("whisper" if mafioso else "thought") if secret else ""
            self._record.say(name, said, channel, time, _rest(self._info, row))
        elif not secret or mafioso:
            self._record.happen("attack_vote" if secret else "vote", name, said)
        else:
            self.notices.append(text)

    def _die(self, until: datetime | None) -> None:
        """Who died by then dies in the phase that ends; a player voted out in the day shows the role."""
        now = [seat for seat in self._dying if until is None or (seat.died is not None and seat.died <= until)]
        self._dying = [seat for seat in self._dying if seat not in now]
        for seat in now:
            if self._phase == "Day":
                self._record.happen("execute", target=seat.name, result=seat.role)
            else:
                self._record.happen("attack", target=seat.name, result="killed")


def _in_time(info: Table) -> list[tuple[datetime | None, dict[str, str]]]:
    """The rows with their times, sorted; a row without one stays after the row before it."""
    rows: list[tuple[datetime, datetime | None, dict[str, str]]] = []
    before = datetime.min
    for row in info.rows:
        time = from_iso(info.cell(row, "time"))
        before = time or before
        rows.append((before, time, row))
    return [(time, row) for _, time, row in sorted(rows, key=lambda row: row[0])]


def _rest(table: Table, row: dict[str, str]) -> dict[str, str]:
    read = {table.columns.get(part) for part in ("text", "time", "origin")}
    return {column: value for column, value in row.items() if value and column not in read}


FORMAT = Format(
    title="Mafia Dataset (node, info and network CSV)",
    documentation="https://github.com/omonida/mafia-dataset",
    notes="name the folder that holds `node.csv`, `info.csv`, `network.csv`; columns are found by their names",
    claims=claims,
    read=read,
    joins=True,
)
