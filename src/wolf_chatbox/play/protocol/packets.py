"""A player's knowledge as the packets of aiwolf-nlp-server: their keys, the order of the keys, and their quirks.

    packet, cursor = packet_of("TALK", sight, cursor)
    text = encode(packet)

Keys that do not apply are left out. What happened yesterday is repeated in every packet of the day.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from wolf_chatbox.game import WEREWOLF, Event
from wolf_chatbox.game import Kind as EventKind
from wolf_chatbox.werewolf.sight import Kind, Line, Sight
from wolf_chatbox.werewolf.steps import Ask, Tell
from wolf_chatbox.werewolf.table import ROLES, TableConfig
from wolf_chatbox.werewolf.utterance import OVER, SKIP

NAME = "NAME"
HISTORIES = {
    "TALK": ("talk",),
    "WHISPER": ("whisper",),
    "ATTACK": ("whisper",),
    "DAILY_FINISH": ("talk", "whisper"),
}
"""The requests that bring what was said since the last of them, and the kinds of talk that they bring."""
WITH_SETTING = ("INITIALIZE", "DAILY_INITIALIZE")

Packet = dict[str, Any]


class Cursor(NamedTuple):
    """How many of the lines that its player heard have been sent: those of the talk, and those of the wolves."""

    talk: int = 0
    whisper: int = 0


def request_of(step: Ask | Tell) -> str:
    """The name of the request that a step of the game is sent as."""
    if isinstance(step, Ask):
        return step.kind.upper()
    if step.what in ("phase_start", "phase_end", "broadcast"):
        return f"{step.kind}_{step.what}".upper()
    return step.what.upper()


NOTHING = Cursor()
"""Where every game begins."""


def packet_of(
    request: str, sight: Sight, cursor: Cursor = NOTHING, times: Mapping[Line, int] | None = None
) -> tuple[Packet, Cursor]:
    """The packet of a request, and what has been sent when it is; `times` are Unix times in ms, which v1 tells."""
    packet: Packet = {"request": request}
    if request == NAME:
        return packet, cursor
    packet["info"] = _info(request, sight)
    if request in WITH_SETTING:
        packet["setting"] = setting_of(sight.table)
    if request.endswith("BROADCAST"):
        kind = request.partition("_")[0].lower()
        packet[f"new_{kind}"] = _talk(sight.lines[-1], sight.table, times)
    if request not in HISTORIES:
        return packet, cursor
    # In a chat, everybody has the lines already; the evening brings all of them once more.
    since = NOTHING if sight.table.talk == "anytime" else cursor
    for kind in HISTORIES[request]:
        if kind == "talk" or sight.role == WEREWOLF:
            first = since.whisper if kind == "whisper" else since.talk
            packet[f"{kind}_history"] = [
                _talk(line, sight.table, times)
                for line in sight.lines[first:]
                if line.day == sight.day and line.whisper == (kind == "whisper")
            ]
    return packet, _moved(cursor, request, sight)


def encode(packet: Packet) -> str:
    """A packet as it is sent."""
    return json.dumps(packet, ensure_ascii=False, separators=(",", ":"))


def setting_of(table: TableConfig) -> Packet:
    """The rules of a table, as players are told them every morning."""
    counts = table.counts()
    form = {
        "agent_count": table.players,
        "max_day": table.days,
        "vote_visibility": table.public_votes,
        "talk": _talk_setting(table, "talk"),
        "whisper": _talk_setting(table, "whisper"),
        "vote": {"max_count": table.ballots, "allow_self_vote": table.self_votes},
        "attack_vote": {
            "max_count": table.attack_ballots,
            "allow_self_vote": table.self_votes,
            "allow_no_target": table.no_attack,
        },
        "timeout": {"action": round(1000 * table.answer_seconds), "response": round(1000 * table.probe_seconds)},
        "role_num_map": {role: counts.get(role, 0) for role in sorted(ROLES)},
    }
    return _without_none(form)


def _talk_setting(table: TableConfig, kind: Kind) -> Packet:
    after = table.letters if table.letters_after_name is None else table.letters_after_name
    length = {
        "count_in_word": table.count_words,
        "count_spaces": table.count_spaces,
        "per_talk": table.letters_at_once,
        "mention_length": after or None,
        "per_agent": table.letters_a_day,
        "base_length": table.letters or None,
    }
    return _without_none(
        {
            "max_count": {"per_agent": table.talks_of(kind), "per_day": table.rounds_of(kind)},
            "max_length": _without_none(length),
            "max_skip": table.skips,
            "duration": round(60_000 * table.talk_minutes) if table.talk == "anytime" else None,
        }
    )


def _info(request: str, sight: Sight) -> Packet:
    """What the player knows of the game, and what happened yesterday."""
    speaks = request.startswith(("TALK", "WHISPER"))
    # The server counts the utterance that it asks for as said in v0.
    left = sight.left - 1 if sight.table.protocol == "v0" else sight.left
    form = {
        "game_id": sight.game_id,
        "day": sight.day,
        "agent": sight.me,
        "profile": sight.profile or None if request == "INITIALIZE" else None,
        "medium_result": _medium_result(sight),
        "divine_result": _divine_result(sight),
        "executed_agent": next((event.target for event in _yesterday(sight, "execute")), None),
        "attacked_agent": next((event.target for event in _yesterday(sight, "attack") if event.target), None),
        "vote_list": _votes(sight, "vote") if sight.table.public_votes else None,
        "attack_vote_list": _votes(sight, "attack_vote"),
        "remain_count": max(0, left) if speaks else None,
        "remain_length": sight.letters_left if speaks else None,
        "remain_skip": sight.skips_left if speaks else None,
        "status_map": {name: "DEAD" if name in sight.dead else "ALIVE" for name in sorted(sight.names)},
        "role_map": dict(sorted(sight.roles.items())),
    }
    return _without_none(form)


def _yesterday(sight: Sight, kind: EventKind) -> list[Event]:
    """What happened yesterday, in order."""
    found = []
    for event in reversed(sight.events):
        if event.day < sight.day - 1:
            break
        if event.kind == kind and event.day == sight.day - 1:
            found.append(event)
    return found[::-1]


def _divine_result(sight: Sight) -> Packet | None:
    for event in _yesterday(sight, "divine"):
        if event.result:
            return {"day": event.day, "agent": event.actor, "target": event.target, "result": event.result}
    return None


def _medium_result(sight: Sight) -> Packet | None:
    """The medium's finding of this morning; the server names the executed player as the one who found it."""
    for event in reversed(sight.events):
        if event.day < sight.day:
            break
        if event.kind == "medium":
            return {"day": event.day - 1, "agent": event.target, "target": event.target, "result": event.result}
    return None


def _votes(sight: Sight, kind: EventKind) -> list[Packet] | None:
    """Yesterday's last ballot; None if nobody voted."""
    ballot: list[Event] = []
    for event in _yesterday(sight, kind):
        if ballot and sight.names.index(event.actor) <= sight.names.index(ballot[-1].actor):
            ballot = []  # the ballot before was a tie
        ballot.append(event)
    return [{"day": event.day, "agent": event.actor, "target": event.target} for event in ballot] or None


def _talk(line: Line, table: TableConfig, times: Mapping[Line, int] | None) -> Packet:
    form: Packet = {
        "idx": line.idx,
        "day": line.day,
        "turn": line.turn,
        "agent": line.speaker,
        "text": line.text,
        "skip": line.text == SKIP,
        "over": line.text == OVER,
    }
    if table.protocol == "v1" and times is not None:
        form["time"] = times[line]
    return form


def _moved(cursor: Cursor, request: str, sight: Sight) -> Cursor:
    """What has been sent after a request; in v0 each of them counts for both kinds of talk, whatever it brought."""
    end = len(sight.lines)
    if sight.table.protocol == "v0":
        return Cursor(end, end)
    brought = HISTORIES[request]
    return Cursor(end if "talk" in brought else cursor.talk, end if "whisper" in brought else cursor.whisper)


def _without_none(form: Packet) -> Packet:
    return {key: value for key, value in form.items() if value is not None}
