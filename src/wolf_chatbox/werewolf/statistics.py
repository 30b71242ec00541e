"""Statistics of werewolf games: players, winners, amount of talk, claimed roles, and the course of one game."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wolf_chatbox.conversation import CHANNELS, Conversation
from wolf_chatbox.game import SIDES, Game
from wolf_chatbox.werewolf.claims import CLAIMED_IN, claims_in
from wolf_chatbox.werewolf.observer import Observer

HEARD_BY = {"": "everybody", "whisper": "the wolves", "thought": "nobody (thoughts)", "grave": "the dead"}
NO_WINNER = "none or unknown"
Played = tuple[Conversation, Game]


@dataclass(frozen=True)
class Table:
    """The games of one data set, language and size."""

    source: str
    language: str
    players: int
    games: int


@dataclass(frozen=True)
class RoleWins:
    """How often the side of a role wins, in games that have the role (at their end) and a known winner."""

    role: str
    games: int
    won: int
    share: float


@dataclass(frozen=True)
class Talk:
    """The talk in one channel, in the games in which it is used."""

    channel: str
    games: int
    speakers: int
    """Counted in each game separately."""
    utterances: int
    characters: int

    def a_game(self, count: int) -> float:
        return count / self.games

    def a_player(self, count: int) -> float:
        return count / self.speakers


@dataclass(frozen=True)
class Claims:
    """The roles that players of a role claim in public before the end; a claim counts once per player and game."""

    role: str
    players: int
    """Players who were dealt this role, in games whose language has patterns of claims."""
    claimed: dict[str, int]


@dataclass(frozen=True)
class Day:
    """A day and the night after it."""

    name: str
    talk: dict[str, int]
    """Utterances by channel."""
    told: list[str]
    """What happened, in English sentences, as the moderator knows it."""

    def said(self) -> str:
        """Utterances by who hears them, in words."""
        counts = ", ".join(f"{count:,} to {HEARD_BY[channel]}" for channel, count in self.talk.items())
        return f"utterances: {counts}" if counts else "nothing said"


@dataclass(frozen=True)
class Timeline:
    group: str
    source: str
    language: str
    roles: dict[str, str]
    """By player, as dealt."""
    days: list[Day]


@dataclass(frozen=True)
class GameStatistics:
    games: int
    tables: list[Table]
    wins: dict[str, int]
    """Games by winning side; "" if none won or the source does not say."""
    roles: list[RoleWins]
    talk: list[Talk]
    claims: list[Claims]
    timeline: Timeline
    """Of the game of median length."""


def count_games(conversations: Sequence[Conversation]) -> GameStatistics | None:
    """Statistics of the games among these conversations; None where there are none."""
    played = [(conversation, conversation.game) for conversation in conversations if conversation.game is not None]
    if not played:
        return None
    tables = Counter((game.source, game.language, len(game.players)) for _, game in played)
    middle, _ = sorted(played, key=lambda pair: len(pair[0].turns))[len(played) // 2]
    return GameStatistics(
        len(played),
        [Table(*key, count) for key, count in sorted(tables.items())],
        dict(Counter(game.winner for _, game in played).most_common()),
        wins_by_role([game for _, game in played]),
        talk_by_channel(played),
        claims_by_role(played),
        timeline(middle),
    )


def wins_by_role(games: Sequence[Game]) -> list[RoleWins]:
    """The most frequent role first; roles whose side is not known are left out."""
    with_role: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for game in games:
        for role in {player.role for player in game.players} & SIDES.keys() if game.winner else ():
            with_role[role] += 1
            won[role] += SIDES[role] == game.winner
    order = sorted(with_role, key=lambda role: (-with_role[role], list(SIDES).index(role)))
    return [RoleWins(role, with_role[role], won[role], won[role] / with_role[role]) for role in order]


def talk_by_channel(played: Sequence[Played]) -> list[Talk]:
    found = []
    for channel in CHANNELS:
        turns = [
            (place, turn)
            for place, (conversation, _) in enumerate(played)
            for turn in conversation.turns
            if turn.channel == channel
        ]
        if turns:
            games, speakers = {place for place, _ in turns}, {(place, turn.speaker) for place, turn in turns}
            found.append(Talk(channel, len(games), len(speakers), len(turns), sum(len(turn.text) for _, turn in turns)))
    return found


def claims_by_role(played: Sequence[Played]) -> list[Claims]:
    """By the role that the speaker was dealt, in the order of SIDES; players of unknown role are left out."""
    players: Counter[str] = Counter()
    claimed: dict[str, Counter[str]] = {}
    for conversation, game in played:
        if game.language not in CLAIMED_IN:
            continue
        roles = {player.name: player.first_role for player in game.players if player.first_role}
        players.update(roles.values())
        end = next((event.at for event in game.events if event.kind == "end"), len(conversation.turns))
        aloud = [turn for turn in conversation.turns[:end] if turn.channel == "" and turn.speaker in roles]
        for name, claim in sorted(
            {(turn.speaker, claim) for turn in aloud for claim in claims_in(turn.text, game.language)}
        ):
            claimed.setdefault(roles[name], Counter())[claim] += 1
    order = [*SIDES]
    known = sorted(players, key=lambda role: (order.index(role) if role in SIDES else len(order), role))
    return [Claims(role, players[role], dict(claimed.get(role, Counter()).most_common())) for role in known]


def timeline(conversation: Conversation) -> Timeline:
    """The course of a game, day by day; what comes before the first day counts as a day."""
    game = conversation.game
    assert game is not None
    moderator = Observer(conversation, replace(game, language="en"), None)
    for event in game.events:
        for _ in moderator.witness(event):
            pass
    moderator.close("vote")
    moderator.close("attack_vote")
    mornings = [event.at for event in game.events if event.kind == "day"]
    talk: list[Counter[str]] = [Counter() for _ in moderator.story]
    for place, turn in enumerate(conversation.turns):
        talk[bisect_right(mornings, place)][turn.channel] += 1
    days = [
        Day(name.rstrip(": "), dict(said), told)
        for (name, told, _), said in zip(moderator.story, talk, strict=True)
        if told or said
    ]
    roles = {player.name: player.first_role for player in game.players}
    return Timeline(conversation.group, game.source, game.language, roles, days)
