"""Werewolf Among Us: One Night Ultimate Werewolf on video (Lai et al. 2023, https://aclanthology.org/2023.findings-acl.411).

{Youtube,Ego4D}/{train,val,test}.json: a list of games. `votingOutcome` holds whom each player voted for, as an index of
`playerNames`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import SIDES, VILLAGER, WEREWOLF, Player
from wolf_chatbox.importers.files.source import Source, clean
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.games import Record, fields, is_json, items, rest, words
from wolf_chatbox.importers.streams.json_stream import JsonStream

KNOWN = ("Dialogue", "playerNames", "startRoles", "endRoles", "votingOutcome")


def claims(head: str) -> bool:
    return is_json(head) and all(re.search(rf'"{key}"\s*:', head) for key in ("Dialogue", "Rec_Id", "utterance"))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the games. A speaker without a seat (a moderator, a timer) stays a speaker; labels are kept per turn."""
    with JsonStream(source) as stream:
        for number, value in enumerate(stream.items() if stream.begins() == "[" else [stream.value()], 1):
            yield from _game(fields(value), f"{source.path}, game {number}", f"{source.path.stem} {number}", tally)


def _game(value: dict[str, Any], where: str, fallback: str, tally: Tally) -> Iterator[Conversation]:
    if not isinstance(value.get("Dialogue"), list):
        raise DataError(
            f'{where}: no "Dialogue" list (found: {", ".join(value)[:200]}). Pass the file as its authors publish it.'
        )
    record = Record(where, tally)
    record.day = 1
    record.happen("day")
    for line in map(fields, value["Dialogue"]):
        record.say(words(line.get("speaker")), words(line.get("utterance")), facts=rest(line, "speaker", "utterance"))
    players = list(_players(value))
    votes = _votes(value, len(players))
    for player, vote in zip(players, votes):
        if vote is not None:
            record.happen("vote", player.name, players[vote].name)
    outcome = (
        None
        if None in votes
        else _outcome([player.role for player in players], [vote for vote in votes if vote is not None])
    )
    winners: list[str] = []
    if outcome is not None:
        dead, winners = outcome
        for place in dead:
            record.happen("execute", target=players[place].name, result=players[place].role)
        if not dead:
            record.happen("execute")
    record.happen("end")
    facts = rest(value, *KNOWN)
    if None in votes:
        facts["votingOutcome"] = value.get("votingOutcome")
    if len(winners) > 1:
        facts["winners"] = winners
    video = words(value.get("video_name")) or words(value.get("EG_ID"))
    group = " ".join(
        filter(None, ["werewolf_among_us", video, words(value.get("Game_ID"))])
        if video
        else ["werewolf_among_us", fallback]
    )
    winner = winners[0] if len(winners) == 1 else ""
    yield from record.conversation(
        "werewolf-among-us", group, players, winner=winner, votes_are_public=True, facts=facts
    )


def _players(value: dict[str, Any]) -> Iterator[Player]:
    start, end = ([words(role).strip().upper() for role in items(value.get(key))] for key in ("startRoles", "endRoles"))
    for place, name in enumerate(items(value.get("playerNames"))):
        first, last = (roles[place] if place < len(roles) else "" for roles in (start, end))
        yield Player(clean(words(name)), last or first, place + 1, first if last and first != last else "")


def _votes(value: dict[str, Any], players: int) -> list[int | None]:
    """Whom each player voted for, by index; None if unknown (`NA`)."""
    found = items(value.get("votingOutcome"))[:players]
    votes = [
        int(vote) if re.fullmatch(r"\d{1,2}", vote := words(value).removesuffix(".0"), re.ASCII) else None
        for value in found
    ]
    return [vote if vote is not None and vote < players else None for vote in votes] + [None] * (players - len(found))


def _outcome(roles: Sequence[str], votes: Sequence[int]) -> tuple[list[int], list[str]] | None:
    """Who dies, by index, and which sides win; None if a role is unknown.

    The rules of One Night Ultimate Werewolf (Bezier Games): whoever has the most votes dies, in a tie all of them,
    unless nobody has more than one; a dying hunter also kills whom it voted for. The village wins when a werewolf
    dies, or when there is none and nobody (or the minion) dies; the tanner wins when it dies, and then no werewolf
    wins.
    """
    if not roles or any(role not in SIDES for role in roles):
        return None
    counts = Counter(votes)
    most = max(counts.values())
    dead = {place for place, count in counts.items() if count == most > 1}
    while more := {votes[place] for place in dead if roles[place] == "HUNTER"} - dead:
        dead |= more
    killed = {roles[place] for place in dead}
    winners = ["TANNER"] if "TANNER" in killed else []
    if WEREWOLF in roles:
        winners += [VILLAGER] if WEREWOLF in killed else [WEREWOLF] if not winners else []
    elif not dead or "MINION" in killed:
        winners.append(VILLAGER)
    elif "MINION" in roles and not winners:
        winners.append(WEREWOLF)
    return sorted(dead), winners


FORMAT = Format(
    title="Werewolf Among Us",
    documentation="https://huggingface.co/datasets/bolinlai/Werewolf-Among-Us",
    notes=(
        "JSON; labels are kept per turn; the winner follows from roles and votes by the rules of One Night, where "
        "all are known"
    ),
    claims=claims,
    read=read,
)
