"""Games of werewolf that hypothesis makes up, and the real ones that are there, for laws that hold over all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from hypothesis import strategies as st

from conftest import ROOT
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import FormatError
from wolf_chatbox.game import Event, Game, Player
from wolf_chatbox.importers import read_conversations

DATA = ROOT.parent / "shared" / "data"
REAL = (
    "aiwolf_nlp_viewer",
    "aiwolf_server_samples",
    "aiwolf_server_json",
    "llmafia",
    "fanlang_werewolf",
    "werewolf_gpt_onuw",
    "jinro_bbs_archive_xml",
)
NAMES = ("Rin", "Ken", "Mio", "Moderator", "Aoi", "Jun", "Emi")
ROLES = (
    "WEREWOLF",
    "WEREWOLF",
    "SEER",
    "MEDIUM",
    "BODYGUARD",
    "VILLAGER",
    "POSSESSED",
    "MASON",
    "MASON",
    "FOX",
    "GHOST",
    "",
)

PLAYERS = (
    Player("Ken", "WEREWOLF"),
    Player("Rin", "SEER"),
    Player("Mio", "MEDIUM"),
    Player("Aoi", "WEREWOLF"),
    Player("Jun", "VILLAGER"),
)


def told(language: str = "en", *, public: bool = True) -> Conversation:
    """Day 0 and a vision; day 1, Aoi is voted out; the wolf that is left whispers and kills Jun; day 2, and the end."""
    turns = (
        Turn("Rin", "Good morning."),
        Turn("Jun", "I trust Rin.", channel="thought"),
        Turn("Jun", "Hello."),
        Turn("Aoi", "Whom do we eat?", channel="whisper"),
        Turn("Ken", "I did nothing."),
        Turn("Ken", "Jun it is.", channel="whisper"),
        Turn("Aoi", "I miss you all.", channel="grave"),
        Turn("Mio", "Aoi was a wolf."),
        Turn("Ken", "Was it?"),
        Turn("Jun", "Well played."),
    )
    events = (
        Event(0, 0, "day"),
        Event(3, 0, "night"),
        Event(4, 0, "divine", "Rin", "Ken", "WEREWOLF"),
        Event(4, 1, "day"),
        *(
            Event(5, 1, "vote", voter, target)
            for voter, target in [("Ken", "Aoi"), ("Rin", "Aoi"), ("Mio", "Aoi"), ("Aoi", "Rin"), ("Jun", "")]
        ),
        Event(5, 1, "execute", target="Aoi"),
        Event(6, 1, "attack_vote", "Ken", "Jun"),
        Event(6, 1, "attack", target="Jun", result="killed"),
        Event(6, 2, "day"),
        Event(9, 2, "end"),
    )
    return Conversation(turns, "one", Game("made", language, PLAYERS, events, "VILLAGER", public))


@st.composite
def games(draw: st.DrawFn) -> Conversation:
    """A game with everything that can happen, in an order in which it can."""
    chance = draw(st.randoms(use_true_random=False))
    players = tuple(_player(name, chance) for name in NAMES[: draw(st.integers(3, 7))])
    turns: list[Turn] = []
    events: list[Event] = []
    alive, dead = [each.name for each in players], []

    def happen(kind: str, day: int, *what: str) -> None:
        events.append(Event(len(turns), day, kind, *what))  # type: ignore[arg-type]

    def talk(channel: str, speakers: list[str]) -> None:
        for _ in range(chance.randrange(4) if speakers else 0):
            speaker = chance.choice(speakers)
            if chance.random() < 0.2:
                turns.append(Turn(speaker, f"thought {len(turns)}", channel="thought"))
            turns.append(Turn(speaker, f"{channel or 'said'} {len(turns)}", channel=channel))

    def die(name: str) -> None:
        if name in alive:
            alive.remove(name)
            dead.append(name)

    if chance.random() < 0.3:
        talk("", alive)
    logged_mediums = chance.random() < 0.5
    first = chance.randrange(2)
    for day in range(first, first + chance.randrange(1, 5)):
        happen("day", day)
        if chance.random() < 0.3:
            happen("announce", day, "", "", "", f"Morning {day}.")
        talk("", alive)
        talk("grave", dead)
        talk("", [*alive, "a guest"])
        for _ in range(chance.randrange(2)):
            for voter in alive:
                happen("vote", day, voter, chance.choice([*alive, ""]))
            if chance.random() < 0.3:
                happen("announce", day, "", "", "", "That was a vote.")
        executed = chance.choice([*alive, ""]) if day else ""
        if day:
            happen("execute", day, "", executed, chance.choice(["", _role(players, executed)]) if executed else "")
            die(executed)
        if chance.random() < 0.3 and alive:
            happen("death", day, "", chance.choice(alive), "shot")
            die(events[-1].target)
        talk("", [*alive, *dead])
        if chance.random() < 0.7:
            happen("night", day)
        wolves = [each.name for each in players if each.first_role == "WEREWOLF" and each.name in alive]
        for each in players:
            if each.name in alive and each.first_role == "SEER":
                target = chance.choice(NAMES[: len(players)])
                happen("divine", day, each.name, target, chance.choice(["HUMAN", "WEREWOLF"]))
            if each.name in alive and each.first_role == "BODYGUARD":
                happen("guard", day, each.name, chance.choice(NAMES[: len(players)]))
            if each.first_role == "MEDIUM" and executed and logged_mediums:
                happen("medium", day, each.name, executed, "HUMAN")
            if chance.random() < 0.1:
                happen(
                    "know",
                    day,
                    each.name,
                    *chance.choice([("", "", "The card in the middle is a wolf."), ("Ken", "SEER", "")]),
                )
        talk("whisper", wolves)
        talk("grave", dead)
        for wolf in wolves:
            happen("attack_vote", day, wolf, chance.choice(alive))
        if wolves:
            happen("attack", day, "", chance.choice([*alive, ""]), chance.choice(["killed", "guarded"]))
            if events[-1].result == "killed":
                die(events[-1].target)
        talk("whisper", wolves)
        talk("grave", dead)
        if chance.random() < 0.2 and alive:
            happen("death", day, "", chance.choice(alive), "poisoned")
            die(events[-1].target)
    if chance.random() < 0.8:
        happen("end", 9)
        talk("", [each.name for each in players])
    language = chance.choice(["en", "ja", "zh"])
    game = Game(
        "made up", language, players, tuple(events), chance.choice(["", "VILLAGER", "WEREWOLF"]), chance.random() < 0.5
    )
    return Conversation(tuple(turns), "made up", game)


def _player(name: str, chance: random.Random) -> Player:
    return Player(name, chance.choice(ROLES), None, chance.choice(["", "", "", "VILLAGER", "WEREWOLF"]))


def _role(players: tuple[Player, ...], name: str) -> str:
    return next(each.role for each in players if each.name == name)


def real_games() -> Iterator[tuple[str, Conversation]]:
    """All games among the tests' fixtures, and those of the real data where it is there, each with where it is from."""
    for path in sorted((ROOT / "tests" / "fixtures").glob("*/*.jsonl")):
        for conversation in _read(path):
            if conversation.game is not None:
                yield str(path.parent.name), conversation
    for name in REAL:
        if (DATA / name).exists():
            for conversation in _read(DATA / name):
                if conversation.game is not None:
                    yield name, conversation


def _read(path: Path) -> Iterator[Conversation]:
    try:
        yield from read_conversations(path)
    except FormatError:
        assert path.suffix == ".jsonl" or path.is_dir()


def disguise(conversation: Conversation, name: str, chance: random.Random) -> Conversation:
    """The game with all changed that this player does not learn: roles, whispers, visions, guards, votes and winner.

    Written from what `game.Kind` and `conversation.CHANNELS` say about who learns what, independently of the views.
    The game must be cut before its end, after which everybody knows everything.
    """
    game = conversation.game
    assert game is not None
    assert not any(each.kind == "end" for each in game.events)
    names = [each.name for each in game.players]
    me = next(each for each in game.players if each.name == name)
    role = me.dealt or me.role
    wolf = role == "WEREWOLF"
    died = _place_of_death(game, name)

    def told(event: Event, number: int) -> bool:
        mine = event.actor == name
        if event.kind == "vote":
            return mine or game.votes_are_public
        if event.kind == "attack_vote":
            return wolf and number < died[1]
        return mine if event.kind in ("divine", "medium", "guard", "know") else True

    def heard(place: int, turn: Turn) -> bool:
        alive = place < died[0]
        return (
            turn.speaker == name
            or {"": True, "whisper": wolf and alive, "grave": not alive, "thought": False}[turn.channel]
        )

    # What a medium knows of the executed without an event: whether it was a wolf.
    sensed = {each.target for each in game.events if each.kind == "execute"} if role == "MEDIUM" else set()
    players = tuple(_other_role(each, role, me, each.name in sensed, chance) for each in game.players)
    events: list[Event] = []
    night = False
    for number, each in enumerate(game.events):
        night = False if each.kind == "day" else night or each.kind in ("night", "attack")
        if not told(each, number):
            # Whether the source tells of mediums at all is no secret.
            if each.kind != "medium" and chance.random() < 0.4:
                continue
            other = chance.choice(names)
            each = each._replace(
                target=each.target and other, result=chance.choice(["HUMAN", "WEREWOLF"]), text=each.text and "secret"
            )
        elif each.kind == "attack" and each.result != "killed":
            each = each._replace(target=chance.choice([*names, ""]), result="guarded")
        elif each.kind == "death" and night:
            each = each._replace(result=chance.choice(["", "bitten by a bat"]))
        events.append(each)
    kept = [at for at, turn in enumerate(conversation.turns) if heard(at, turn) or chance.random() < 0.6]
    turns = tuple(
        turn if heard(at, turn) else turn._replace(text=f"secret {chance.random()}")
        for at, turn in ((at, conversation.turns[at]) for at in kept)
    )
    winner = chance.choice(["VILLAGER", "WEREWOLF", ""])
    other_game = Game(
        "elsewhere", game.language, players, tuple(events), winner, game.votes_are_public, "x", {"secret": 1}
    )
    whole = Conversation(conversation.turns, conversation.group, other_game)
    return whole.with_turns(kept, turns)


def _other_role(player: Player, role: str, me: Player, sensed: bool, chance: random.Random) -> Player:
    """The player with another role, as far as the one who is `me` cannot tell the difference."""
    first = player.dealt or player.role
    if player.name == me.name:  # one's own role at the end may be another, and one does not know it
        return Player(me.name, chance.choice(["SEER", "TANNER"]) if me.dealt else me.role, me.seat, me.dealt)
    if first == role and role in ("WEREWOLF", "MASON"):
        return Player(player.name, chance.choice(["SEER", "TANNER"]), player.seat, first)
    others = [
        each
        for each in ("WEREWOLF", "SEER", "MEDIUM", "MASON", "VILLAGER", "POSSESSED")
        if each != role or role not in ("WEREWOLF", "MASON")
    ]
    if sensed:
        others = [each for each in others if (each == "WEREWOLF") == (first == "WEREWOLF")] if first else [""]
    return Player(player.name, chance.choice(others), player.seat)


def _place_of_death(game: Game, name: str) -> tuple[int, int]:
    """The turns and events before everybody knows that the player is dead: by day at once, else in the morning."""
    night = dying = False
    for number, each in enumerate(game.events):
        if each.kind == "day":
            if dying:
                return each.at, number
            night = False
        mine = each.target == name and (
            each.kind in ("execute", "death") or (each.kind == "attack" and each.result == "killed")
        )
        if mine and (each.kind == "execute" or (each.kind == "death" and not night)):
            return each.at, number
        dying = dying or mine
        night = night or each.kind in ("night", "attack")
    return len(game.events) + 10**9, 10**9


def cut(conversation: Conversation, events: int) -> Conversation:
    """The game as it stood before this event happened."""
    game = conversation.game
    assert game is not None
    at = game.events[events].at if events < len(game.events) else len(conversation.turns)
    shorter = Game(
        game.source,
        game.language,
        game.players,
        game.events[:events],
        game.winner,
        game.votes_are_public,
        game.same_as,
        game.facts,
    )
    return Conversation(conversation.turns[:at], conversation.group, shorter)
