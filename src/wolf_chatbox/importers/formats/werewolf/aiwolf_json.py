"""The JSON of aiwolf-nlp-server: a game's packets (`.json`), and the events that its page received (realtime `.jsonl`).

A file of packets is {"game_id", "win_side", "agents": [{"idx", "team", "name", "role"}], "entries": [{"agent",
"request", "response", "error", …}]}, with each request as a string of JSON. A realtime file has {"id", "idx", "day",
"agents", "event", "message", "from_idx", "to_idx", …} a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.aiwolf_packets import Packets
from wolf_chatbox.importers.shared.aiwolf_play import Play, Seat, time_of
from wolf_chatbox.importers.shared.games import fields, items, rest, words
from wolf_chatbox.importers.streams.json_stream import JsonStream, json_lines

KNOWN = ("id", "idx", "day", "is_day", "agents", "event", "message", "from_idx", "to_idx", "bubble_idx", "timestamp")
BEGIN, TALK, WHISPER, END = "開始", "トーク", "囁き", "終了"
VOTE, EXECUTE, ATTACK_VOTE, ATTACK, DIVINE, GUARD = "投票", "追放", "襲撃投票", "襲撃", "占い", "護衛"


def claims(head: str) -> bool:
    start = head.lstrip()
    if not start.startswith("{"):
        return False
    line = start.partition("\n")[0]
    packets = '"request_timestamp"' in head or '\\"request\\"' in head
    return ('"entries"' in head and '"agents"' in head and packets) or (
        '"is_day"' in line and '"event"' in line and '"agents"' in line
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the game. A damaged file gives what comes before the damage, and then the error."""
    if '"is_day"' in source.head and '"entries"' not in source.head:
        yield from _realtime(source, config, tally)
        return
    packets = Packets(str(source.path))
    facts: dict[str, Any] = {}
    cut: DataError | None = None
    try:
        with JsonStream(source) as stream:
            for key in stream.fields():
                if key == "entries" and stream.begins() == "[":
                    for entry in stream.items():
                        packets.take(fields(entry))
                elif key == "agents":
                    packets.agents = [fields(agent) for agent in items(stream.value())]
                else:
                    facts[key] = stream.value()
    except DataError as error:  # keep what was read before the damage
        cut = error
    play = Play(source, config, tally)
    yield from play.finish(packets.play(play, facts))
    if cut:
        raise cut


def _realtime(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    cut: DataError | None = None

    def events() -> Iterator[tuple[str, dict[str, Any]]]:
        nonlocal cut
        try:
            yield from ((where, fields(event)) for where, event in json_lines(source))
        except DataError as error:
            cut = error

    for number, (_, lines) in enumerate(groupby(events(), lambda event: words(event[1].get("id"))), 1):
        yield from _watched(Play(source, config, tally), lines, number)
    if cut:
        raise cut


def _watched(play: Play, lines: Iterator[tuple[str, dict[str, Any]]], number: int) -> Iterator[Conversation]:
    seats: dict[int, Seat] = {}
    for where, event in lines:
        agents = {
            idx: agent for agent in map(fields, items(event.get("agents"))) if isinstance(idx := agent.get("idx"), int)
        }
        if not agents:
            raise DataError(f'{where}: an event without "agents". Pass the file as the server wrote it.')
        for idx, agent in agents.items():
            if idx not in seats:
                seats[idx] = Seat(
                    words(agent.get("name")),
                    words(agent.get("role")),
                    idx,
                    facts=rest(agent, "idx", "name", "role", "is_alive"),
                )
        play.facts.setdefault("game_id", words(event.get("id")))
        _happens(play, seats, agents, event)
        if more := rest(event, *KNOWN):
            play.facts.setdefault("other_events", []).append({"idx": event.get("idx"), **more})
    play.facts = {key: value for key, value in play.facts.items() if value}
    yield from play.finish(list(seats.values()), number)


def _happens(play: Play, seats: dict[int, Seat], agents: dict[int, dict[str, Any]], event: dict[str, Any]) -> None:
    what, day = words(event.get("event")), _whole(event.get("day"))
    actor, target, speaker = (_seat(seats, event.get(key)) for key in ("from_idx", "to_idx", "bubble_idx"))
    if what in (TALK, WHISPER) and speaker:
        play.talk(
            day,
            speaker.name,
            words(event.get("message")),
            "whisper" if what == WHISPER else "",
            time_of(event.get("timestamp")),
        )
    elif what in (VOTE, ATTACK_VOTE, GUARD) and actor and target:
        play.act(day, {VOTE: "vote", ATTACK_VOTE: "attack_vote", GUARD: "guard"}[what], actor.name, target.name)  # type: ignore[arg-type]
    elif what == DIVINE and actor and target:
        play.act(day, "divine", actor.name, target.name, "WEREWOLF" if target.role == "WEREWOLF" else "HUMAN")
    elif what == EXECUTE:
        play.act(day, "execute", target=target.name if target else "")
    elif what == ATTACK:
        alive = target is not None and agents.get(target.number or 0, {}).get("is_alive") is not False
        play.act(
            day,
            "attack",
            target=target.name if target else "",
            result="" if not target else "guarded" if alive else "killed",
        )
    elif what == END:
        play.end(day, words(event.get("message")))
    elif what != BEGIN:
        play.facts.setdefault("other_events", []).append(rest(event, "id", "agents"))


def _seat(seats: dict[int, Seat], number: Any) -> Seat | None:
    return seats.get(number) if isinstance(number, int) else None


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


FORMAT = Format(
    title="AIWolf game (JSON, realtime)",
    documentation="https://github.com/aiwolfdial/aiwolf-nlp-server/tree/main/doc",
    notes=(
        "the server's packets (`.json`) and realtime files (`.jsonl`). Packets hold the most: profiles, rules, "
        "whether votes were public, errors. Of several files of one game the first is read; the others are dropped "
        "and counted, unless one holds more turns"
    ),
    claims=claims,
    read=read,
)
