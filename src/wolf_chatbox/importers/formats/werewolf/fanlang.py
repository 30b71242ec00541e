"""FanLang-9: Chinese games of nine people, their speech transcribed (Wu et al. 2024, https://arxiv.org/abs/2402.02330).

One object a game: `game_state` (roles, and the actions and votes of each night and day), `judge`, `task` (what the
screen showed, with times), and `audio`, in the order of the speeches: `"Day 1 Daytime - [9] is speaking": {"text": …,
"summary": …, "format": …}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, parse_json
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.game import VILLAGER, WEREWOLF, Player
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.games import Record, check_table, fields, is_json, items, rest, words

SPEECH = re.compile(
    r"Day (\d{1,3}) \w{1,20} - \[(\d{1,3})\] (is speaking|gives the last words)(?: \(round (\d{1,3})\))?"
)
PERIOD = re.compile(r"Day (\d{1,3}) (Night|Daytime)")
WINS = {"werewolves win": WEREWOLF, "the good side wins": VILLAGER}


class Speech(NamedTuple):
    speaker: str
    round: int
    last_words: bool
    value: dict[str, Any]


def claims(head: str) -> bool:
    return is_json(head) and bool(re.search(r'"Day \d+ ?, ?\w+ - Judge - |"Day \d+ (?:Night|Daytime)"\s*:\s*\{', head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the game. Players are named by their seats, as they call each other: `3号`.

    Votes are public: in every game the players argue from them (票型).
    """
    whole = fields(parse_json(source.text(), str(source.path)))
    state = fields(whole.get("game_state"))
    roles = {f"{seat}号": words(role).upper() for seat, role in fields(state.get("roles")).items()}
    check_table(roles, str(source.path))
    record = Record(str(source.path), tally)
    speeches = _speeches(whole.get("audio"), tally)
    days = {int(match[1]) for key in state if (match := PERIOD.fullmatch(key))}
    for day in sorted(days | speeches.keys()):
        _night(record, day - 1, fields(state.get(f"Day {day} Night")), roles)
        _day(record, day, fields(state.get(f"Day {day} Daytime")), speeches.get(day, []))
    winner = WINS.get(words(state.get("Game Result")).strip().lower(), "")
    if winner:
        record.happen("end")
    facts = rest(whole, "audio", "game_state") | rest(state, "roles", "final", "player_id")
    yield from record.conversation(
        "fanlang",
        f"fanlang {source.path.stem}",
        _players(state, roles),
        winner=winner,
        votes_are_public=True,
        facts=facts,
    )


def _speeches(audio: Any, tally: Tally) -> dict[int, list[Speech]]:
    found: dict[int, list[Speech]] = {}
    for key, value in fields(audio).items():
        match = SPEECH.fullmatch(key)
        if match:
            speech = Speech(
                f"{match[2]}号", int(match[4] or 1), match[3] != "is speaking", fields(value) | {"key": key}
            )
            found.setdefault(int(match[1]), []).append(speech)
        else:
            tally.dropped["no speaker"] += 1
    return found


def _players(state: dict[str, Any], roles: dict[str, str]) -> Iterator[Player]:
    ids = items(state.get("player_id"))
    for at, (seat, name) in enumerate(zip(fields(state.get("roles")), roles)):
        facts = {"final": fields(state.get("final")).get(seat), "player_id": ids[at] if at < len(ids) else None}
        number = int(seat) if re.fullmatch(r"\d{1,3}", seat, re.ASCII) else None
        yield Player(name, roles[name], number, facts={key: value for key, value in facts.items() if value is not None})


def _name(seat: Any) -> str:
    """The player of a seat; -1 is nobody."""
    return f"{seat}号" if isinstance(seat, int) and seat > 0 else ""


def _night(record: Record, day: int, did: dict[str, Any], roles: dict[str, str]) -> None:
    """The night after a day. Nobody learns who was poisoned and who attacked: both are found dead."""
    if not did:
        return
    record.day = day
    record.happen("night")
    seer, witch = (next((name for name, role in roles.items() if role == wanted), "") for wanted in ("SEER", "WITCH"))
    dead = [_name(seat) for seat in items(did.get("Death Message"))]
    victim, poisoned, saved = (
        _name(did.get("Werewolf")),
        _name(did.get("Witch poison")),
        _name(did.get("Witch antidote")),
    )
    if target := _name(did.get("Seer")):
        record.happen("divine", seer, target, WEREWOLF if roles.get(target) == WEREWOLF else "HUMAN")
    if victim:
        for wolf in (name for name, role in roles.items() if role == WEREWOLF and name not in record.dead):
            record.happen("attack_vote", wolf, victim)  # one choice of all of them
    if saved:
        record.happen("guard", witch, saved, "antidote")
    if poisoned:
        record.happen("know", witch, poisoned, text=f"You used the poison on {poisoned}.")
    if "Werewolf" in did:
        record.happen("attack", target=victim, result=("killed" if victim in dead else "guarded") if victim else "")
    for name in dead:
        if name != victim:
            record.happen("death", target=name, result="poisoned" if name == poisoned else "")


def _day(record: Record, day: int, did: dict[str, Any], speeches: list[Speech]) -> None:
    """A day's speeches and votes: after the first round, after the second of a tie, and before last words."""
    if not (did or speeches):
        return
    record.day = day
    record.happen("day")
    ballots = [fields(value) for key, value in did.items() if key.startswith("Voting Pattern")]
    exiled = _name(did.get("Voting Result"))
    cast = 0

    def vote(rounds: int) -> None:
        nonlocal cast
        for ballot in ballots[cast:rounds]:
            for voter, target in ballot.items():
                record.happen("vote", f"{voter}号", _name(target))
            cast += 1
            if cast < len(ballots):
                record.happen(
                    "announce",
                    text="The vote is a tie. Those with the most votes speak again, then the others vote again.",
                )

    executed = "Voting Result" not in did
    for speech in speeches:
        if speech.last_words and speech.speaker == exiled and not executed:
            vote(len(ballots))
            record.happen("execute", target=exiled)
            executed = True
        vote(speech.round - 1)
        record.say(speech.speaker, words(speech.value.get("text")), facts=rest(speech.value, "text"))
    vote(len(ballots))
    if not executed:
        record.happen("execute", target=exiled)
    if gone := _name(did.get("suicide")):
        record.happen("death", target=gone, result="self-destruct")


FORMAT = Format(
    title="FanLang game (JSON)",
    documentation="https://github.com/boluoweifenda/werewolf",
    notes="Chinese; players are called by their seats, `3号`",
    claims=claims,
    read=read,
)
