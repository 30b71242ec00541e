"""The Mafia Dataset: games of mafia between people, three tables a game (Ibraheem et al. 2022, https://github.com/omonida/mafia-dataset).

They are what Dallinger (https://dallinger.readthedocs.io) exports: node.csv (players), info.csv (messages, votes, and the game's
own notices), network.csv (the table and who won). Columns are found by their names.
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
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.games import Record, check_table
from wolf_chatbox.importers.messages import from_iso
from wolf_chatbox.importers.scripts.script import column_of
from wolf_chatbox.importers.source import MAX_LINE, Source, clean

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
"""A death is written at most so long after the change of phase that brought it."""
DALLINGER = {"id", "creation_time", "type", "failed", "time_of_death"}


@dataclass(frozen=True)
class Table:
    rows: list[dict[str, str]]
    columns: dict[str, str]
    """The name of the column that holds each part (a key of COLUMNS), of those that are there."""

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
    """Yield the game that the tables of a folder tell; of messages alone, a game whose roles are not known."""
    tables: dict[str, Table] = {}
    for each in (source, *source.more):
        tables[_kind(each)] = _table(each, _kind(each))
    for name in TABLES:
        path = source.folder / f"{name}.csv"
        if name not in tables and path.is_file():
            tables[name] = _table(Source.open(path, config.encoding), name)
    if "info" not in tables:
        tally.notes.append(f"{source.path}: a game's table without its messages (info.csv), passed over")
        return
    lacking = [f"{name}.csv" for name in TABLES if name not in tables]
    if lacking:
        tally.notes.append(
            f"{source.path}: the game's {' and '.join(lacking)} are not beside it, so not all of it is known"
        )
    seats = _seats(tables.get("node"))
    check_table(seats, str(source.path))
    network = tables.get("network")
    told = network.rows[0] if network and network.rows else {}
    won = network.cell(told, "winner").lower() if network else ""
    record = Record(str(source.path), tally)
    notices = _play(tables["info"], seats, record)
    if won in WINS:
        record.happen("end")
    facts = {"network": {key: value for key, value in told.items() if value}, "notices": notices}
    players = [Player(seat.name, seat.role, facts=_told(tables.get("node"), key)) for key, seat in seats.items()]
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
    """The rows of a table; raises DataError where it lacks a column that it cannot do without."""
    csv.field_size_limit(MAX_LINE)
    try:
        rows = list(csv.DictReader(source.lines(), restkey="", restval="", strict=True))
    except csv.Error as error:
        raise DataError(f"{source.path}: not a table that can be read ({error}). Export it again as CSV.") from error
    names = [name for name in rows[0] if name] if rows else []
    columns = {part: column for part, known in COLUMNS.items() if (column := column_of(names, None, known)) is not None}
    lacking = [COLUMNS[part][0] for part in NEEDED[kind] if rows and part not in columns]
    if lacking:
        found = " ".join(", ".join(names)[:200].split())
        raise DataError(
            f"{source.path}, line 1: a table of {kind} without {', '.join(lacking)} (found: {found}). Name the columns so."
        )
    return Table(
        [{key: value for key, value in row.items() if key and isinstance(value, str)} for row in rows], columns
    )


def _seats(table: Table | None) -> dict[str, Seat]:
    """The players by the ids of their nodes. The game's own node (source) is none."""
    found: dict[str, Seat] = {}
    for row in table.rows if table else ():
        role = table.cell(row, "role").lower() if table else ""
        if table and role != "source" and (name := table.cell(row, "name")):
            dead = table.cell(row, "alive").lower() == "false"
            found[table.cell(row, "id")] = Seat(
                name, ROLES.get(role, role.upper()), from_iso(table.cell(row, "died")), dead
            )
    return found


def _told(table: Table | None, key: str) -> dict[str, str]:
    if table is None:
        return {}
    row = next(
        each for each in table.rows if table.cell(each, "id") == key and table.cell(each, "role").lower() != "source"
    )
    read = {table.columns.get(part) for part in ("name", "role")}
    return {column: value for column, value in row.items() if value and column not in read}


def _play(info: Table, seats: dict[str, Seat], record: Record) -> list[str]:
    """Tell the messages and votes in the order of their times; returns the game's notices that are no change of phase.

    The game begins at night. Whatever is said then reaches the mafia alone, and a bystander's message nobody.
    """
    rows = _in_time(info)
    phased = any(PHASE.match(info.cell(row, "text")) for _, row in rows)
    phase = "Night" if phased else "Day"
    record.day = 0 if phased else 1
    record.happen("night" if phased else "day")
    names = {seat.name: seat for seat in seats.values()}
    waiting = sorted((seat for seat in seats.values() if seat.dead), key=lambda seat: seat.died or datetime.max)
    notices: list[str] = []
    for time, row in rows:
        kind, text, origin = (info.cell(row, part) for part in ("kind", "text", "origin"))
        kind = kind.lower()
        change = PHASE.match(text) if kind in ("info", "") else None
        if change and change[1] != phase:
            waiting = _die(record, waiting, phase, time + NEAR if time else None)
            phase = change[1]
            record.day += phase == "Day"
            record.happen("day" if phase == "Day" else "night", text=text)
            continue
        prefix, named, said = text.partition(":")
        seat = seats.get(origin) or names.get(origin) or (names.get(prefix) if kind != "info" else None)
        name = seat.name if seat else prefix if named and kind != "info" else ""
        said = said.strip() if named and prefix == name else text
        secret = phase == "Night"
        mafioso = seat is not None and seat.role == WEREWOLF
        if kind == "info" or change:
            notices.append(text)
        elif kind != "vote":
            record.say(name, said, ("whisper" if mafioso else "thought") if secret else "", time, _rest(info, row))
        elif not secret or mafioso:
            record.happen("attack_vote" if secret else "vote", name, said)
        else:
            notices.append(text)
    _die(record, waiting, phase, None)
    return notices


def _in_time(info: Table) -> list[tuple[datetime | None, dict[str, str]]]:
    """The rows with their times, in order of these; a row without one stays behind the row that it follows."""
    rows: list[tuple[datetime, datetime | None, dict[str, str]]] = []
    before = datetime.min
    for row in info.rows:
        time = from_iso(info.cell(row, "time"))
        before = time or before
        rows.append((before, time, row))
    return [(time, row) for _, time, row in sorted(rows, key=lambda each: each[0])]


def _die(record: Record, waiting: list[Seat], phase: str, until: datetime | None) -> list[Seat]:
    """Those who died by then die in the phase that ends; returns the others. Whom the day votes out shows its role."""
    now = [seat for seat in waiting if until is None or (seat.died is not None and seat.died <= until)]
    for seat in now:
        if phase == "Day":
            record.happen("execute", target=seat.name, result=seat.role)
        else:
            record.happen("attack", target=seat.name, result="killed")
    return [seat for seat in waiting if seat not in now]


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
