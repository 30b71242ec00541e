"""Werewolf Arena: games between language models (Bailis et al. 2024), `game_complete.json`.

A round is a night (whom the werewolves `eliminated`, the doctor `protected`, the seer `unmasked`) and a day (`debate`,
`votes`, `exiled`). The game tells everybody who was removed, but never who voted for whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, parse_json
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.game import VILLAGER, WEREWOLF, Player
from wolf_chatbox.importers.files.source import Source, clean
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.games import Record, check_table, fields, is_json, items, rest, words

ROLES = {"seer": "SEER", "doctor": "BODYGUARD", "villagers": VILLAGER, "werewolves": WEREWOLF}
WINS = {"villagers": VILLAGER, "villager": VILLAGER, "werewolves": WEREWOLF, "werewolf": WEREWOLF}


def claims(head: str) -> bool:
    return is_json(head) and all(re.search(rf'"{key}"\s*:', head) for key in ("session_id", "seer", "doctor"))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the game."""
    state = fields(parse_json(source.text(), str(source.path)))
    players = _players(state)
    check_table(players, str(source.path))
    record = Record(str(source.path), tally)
    rounds = list(map(fields, items(state.get("rounds"))))
    for number, did in enumerate(rounds):
        record.day = number
        _night(record, did, players)
        record.day = number + 1
        _day(record, did)
    winner = WINS.get(words(state.get("winner")).lower(), "")
    if winner:
        record.happen("end")
    more = [rest(did, "debate", "eliminated", "unmasked", "protected", "exiled") for did in rounds]
    facts = rest(state, *ROLES, "players", "rounds", "winner") | {"rounds": more}
    group = f"werewolf_arena {words(state.get('session_id')) or source.path.stem}"
    yield from record.conversation("werewolf-arena", group, players.values(), winner=winner, facts=facts)


def _players(state: dict[str, Any]) -> dict[str, Player]:
    """The players by name, in the order of `players`; a player is an object with a name, or only a name."""
    roles: dict[str, str] = {}
    details: dict[str, dict[str, Any]] = {}
    for key, role in ROLES.items():
        value = state.get(key)
        for player in value if isinstance(value, list) else [value]:
            if name := _name(player):
                roles[name] = role
                details[name] = fields(player)
    listed = state.get("players")
    order = map(_name, listed if isinstance(listed, list) else fields(listed))
    names = [*dict.fromkeys([*(name for name in order if name in roles), *roles])]
    more = fields(listed)
    facts = {name: rest(fields(more.get(name)) | details[name], "name", "role") for name in names}
    return {name: Player(name, roles[name], facts=facts[name]) for name in names}


def _name(player: Any) -> str:
    return clean(words(fields(player).get("name") or player))


def _one(players: dict[str, Player], role: str) -> str:
    return next((player.name for player in players.values() if player.role == role), "")


def _night(record: Record, did: dict[str, Any], players: dict[str, Player]) -> None:
    record.happen("night")
    victim, seen, saved = (clean(words(did.get(key))) for key in ("eliminated", "unmasked", "protected"))
    if victim:
        for player in players.values():
            if player.role == WEREWOLF and player.name not in record.dead:
                record.happen("attack_vote", player.name, victim)  # one chooses, and all are told
    if saved:
        record.happen("guard", _one(players, "BODYGUARD"), saved)
    if seen:
        record.happen("divine", _one(players, "SEER"), seen, players[seen].role if seen in players else "")
    if victim:
        record.happen("attack", target=victim, result="guarded" if victim == saved else "killed")


def _day(record: Record, did: dict[str, Any]) -> None:
    """The debate, and the last of its ballots; the earlier ones are shown to nobody."""
    debate, ballots = items(did.get("debate")), [fields(ballot) for ballot in items(did.get("votes"))]
    if not (debate or ballots):
        return
    record.happen("day")
    for line in debate:
        speaker, text = line if isinstance(line, list) and len(line) == 2 else ("", line)
        record.say(words(speaker), words(text))
    for voter, target in (ballots[-1] if ballots else {}).items():
        record.happen("vote", voter, words(target))
    if ballots:
        record.happen("execute", target=words(did.get("exiled")))


FORMAT = Format(
    title="Werewolf Arena game (JSON)",
    documentation="https://github.com/google/werewolf_arena",
    notes=(
        "`game_complete.json`; the doctor is the bodyguard; votes stay secret, and only the last vote of a round counts"
    ),
    claims=claims,
    read=read,
)
