"""Points of view: what a player is shown, and that it is nothing more."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from games import DATA, PLAYERS, cut, disguise, games, real_games, told
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.game import Event, Game, Player
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.scene import Scene
from wolf_chatbox.werewolf.views import view, watch


def shown(views: Sequence[Scene]) -> list[tuple[str, list[str]]]:
    return [(scene.opening, [f"{turn.speaker}: {turn.text}" for turn in scene.turns]) for scene in views]


def test_a_wolf_is_told_this() -> None:
    days = shown(list(watch(told(), "Ken")))
    assert days[1:] == [
        (
            "You are Ken, a werewolf. Werewolves beside you: Aoi. It is day 0. Alive: Ken, Rin, Mio, Aoi, Jun.",
            [
                "Rin: Good morning.",
                "Jun: Hello.",
                "Moderator: Night falls.",
                "Moderator: Only the werewolves hear:",
                "Aoi: Whom do we eat?",
            ],
        ),
        (
            "You are Ken, a werewolf. Werewolves beside you: Aoi. It is day 1. Alive: Ken, Rin, Mio, Aoi, Jun.",
            [
                "Ken: I did nothing.",
                "Moderator: The votes: Ken, Rin and Mio for Aoi; Aoi for Rin; Jun for nobody.",
                "Moderator: Aoi was voted out.",
                "Moderator: Only the werewolves hear:",
                "Ken: Jun it is.",
                "Moderator: The werewolves' votes for an attack: Ken for Jun.",
                "Moderator: In the night Jun died.",
            ],
        ),
        (
            "You are Ken, a werewolf. Werewolves beside you: Aoi. It is day 2. Alive: Ken, Rin, Mio. Dead: Aoi, Jun.\n"
            "Day 1: The votes: Ken, Rin and Mio for Aoi; Aoi for Rin; Jun for nobody. Aoi was voted out. "
            "The werewolves' votes for an attack: Ken for Jun. In the night Jun died.",
            [
                "Mio: Aoi was a wolf.",
                "Ken: Was it?",
                "Moderator: The game is over: the village won. The roles: Ken is a werewolf, Rin is the seer, "
                "Mio is the medium, Aoi is a werewolf, Jun is a villager.",
            ],
        ),
        (
            "You are Ken, a werewolf. Werewolves beside you: Aoi. The game is over. Alive: Ken, Rin, Mio. "
            "Dead: Aoi, Jun.\n"
            "Day 1: The votes: Ken, Rin and Mio for Aoi; Aoi for Rin; Jun for nobody. Aoi was voted out. "
            "The werewolves' votes for an attack: Ken for Jun. In the night Jun died.\n"
            "Day 2: The game is over: the village won. The roles: Ken is a werewolf, Rin is the seer, "
            "Mio is the medium, Aoi is a werewolf, Jun is a villager.",
            ["Jun: Well played."],
        ),
    ]


def test_others_are_told_less_and_other_things() -> None:
    hidden = told(public=False)
    seer = shown(list(watch(hidden, "Rin")))[3][0].split("\n")
    assert seer == [
        "You are Rin, the seer. It is day 2. Alive: Ken, Rin, Mio. Dead: Aoi, Jun.",
        "Day 1: You voted for Aoi. Aoi was voted out. In the night Jun died.",
        "Day 0: You found out that Ken is a werewolf.",
    ]
    medium = shown(list(watch(hidden, "Mio")))[3][0]
    assert medium.endswith("\nDay 1: You found out that Aoi, who was voted out, was a werewolf."), "which no log tells"
    villager = list(watch(hidden, "Jun"))
    assert villager[1].turns[1:] == (
        Turn("Moderator", "Only thought, not said:"),
        Turn("Jun", "I trust Rin.", channel="thought"),
        Turn("Moderator", "Everybody hears:"),
        Turn("Jun", "Hello."),
        Turn("Moderator", "Night falls."),
    )
    dead = shown(list(watch(hidden, "Aoi")))[3][1]
    assert dead[:4] == [
        "Moderator: Only the dead hear:",
        "Aoi: I miss you all.",
        "Moderator: Everybody hears:",
        "Mio: Aoi was a wolf.",
    ]
    moderator = shown(list(watch(hidden, None)))[3][0].split("\n")
    assert moderator[0].startswith(
        "The roles: Ken is a werewolf, Rin is the seer, Mio is the medium, Aoi is a werewolf, Jun is a villager. "
        "It is day 2."
    )
    assert moderator[1:] == [
        "Day 0: Rin found out that Ken is a werewolf.",
        "Day 1: The votes: Ken, Rin and Mio for Aoi; Aoi for Rin; Jun for nobody. Aoi was voted out. "
        "The werewolves' votes for an attack: Ken for Jun. The werewolves attacked Jun, who died. "
        "Mio found out that Aoi, who was voted out, was a werewolf.",
    ]


def test_a_japanese_game_is_told_in_japanese() -> None:
    assert shown(list(watch(told("ja"), "Ken")))[3] == (
        "あなたはKen、役職は人狼です。仲間の人狼: Aoi。今は2日目です。生存者: Ken、Rin、Mio。死亡者: Aoi、Jun。\n"
        "1日目: 投票: Ken・Rin・Mio→Aoi、Aoi→Rin、Jun→なし。Aoiが追放されました。"
        "襲撃先の投票: Ken→Jun。夜の間にJunが死亡しました。",
        [
            "Mio: Aoi was a wolf.",
            "Ken: Was it?",
            "司会: ゲームは終わりました。村人陣営の勝利です。"
            "役職: Kenは人狼、Rinは占い師、Mioは霊媒師、Aoiは人狼、Junは村人。",
        ],
    )
    assert list(watch(told("zh"), "Ken"))[1].opening == list(watch(told("en"), "Ken"))[1].opening


def test_nobody_is_told_how_one_died_at_night_and_everybody_by_day() -> None:
    events = (
        Event(0, 1, "day"),
        Event(0, 1, "death", target="Jun", result="shot"),
        Event(0, 1, "night"),
        Event(0, 1, "attack", target="Mio", result="guarded"),
        Event(0, 1, "death", target="Aoi", result="poisoned"),
        Event(0, 1, "attack", target="Ken", result="killed"),
        Event(0, 2, "day"),
        Event(0, 2, "night"),
        Event(0, 2, "attack", target="Mio", result="guarded"),
        Event(0, 3, "day"),
    )
    last = list(watch(Conversation((), "", Game("made", "en", PLAYERS, events)), "Rin"))[-1]
    assert last.opening.split("\n")[1:] == [
        "Day 1: Jun died (shot). In the night Ken, Aoi died.",
        "Day 2: In the night nobody died.",
    ]


@pytest.mark.parametrize(
    ("victim", "executed", "learns"), [("Jun", "Aoi", "a werewolf"), ("Jun", "Rin", "human"), ("Mio", "Aoi", "")]
)
def test_a_medium_that_lives_learns_whether_it_was_a_wolf(victim: str, executed: str, learns: str) -> None:
    events = (
        Event(0, 1, "day"),
        Event(0, 1, "execute", target=executed),
        Event(0, 1, "attack", target=victim, result="killed"),
        Event(0, 2, "day"),
    )
    last = list(watch(Conversation((), "", Game("made", "en", PLAYERS, events)), "Mio"))[-1]
    assert last.opening.partition(", who was voted out, was ")[2].removesuffix(".") == learns


def test_cards_that_change_hands_are_seen_at_the_end() -> None:
    players = (Player("Ken", "SEER", dealt="WEREWOLF"), Player("Rin", "WEREWOLF", dealt="ROBBER"))
    events = (
        Event(0, 0, "night"),
        Event(0, 0, "know", "Rin", "Ken", "WEREWOLF"),
        Event(0, 0, "know", "Rin", text="You took Ken's card."),
        Event(0, 0, "announce", text="Good morning."),
        Event(0, 1, "day"),
        Event(1, 1, "divine", "Ken", "Rin"),
        Event(1, 1, "end"),
    )
    talk = Conversation((Turn("Ken", "Hi."),), "", Game("made", "en", players, events))
    assert list(watch(talk, "Rin"))[-1].opening.split("\n") == [
        "You are Rin, the robber. The game is over. Alive: Ken, Rin.",
        "Day 1: The game is over. The roles: Ken is the seer, Rin is a werewolf.",
        "At first: You found out that Ken is a werewolf. Told to you alone: You took Ken's card.",
    ]
    assert shown(list(watch(talk, "Ken")))[1] == (
        "You are Ken, a werewolf. It is day 1. Alive: Ken, Rin.",
        [
            "Ken: Hi.",
            "Moderator: You tried to find out what Rin is.",
            "Moderator: The game is over. The roles: Ken is the seer, Rin is a werewolf.",
        ],
    )
    assert shown(list(watch(talk, None)))[:2] == [
        (next(watch(talk, None)).opening, ["Moderator: Night falls.", "Moderator: Good morning."]),
        (
            "The roles: Ken is a werewolf, Rin is the robber. It is day 1. Alive: Ken, Rin.\n"
            "At first: Rin found out that Ken is a werewolf. Told to Rin alone: You took Ken's card.",
            [
                "Ken: Hi.",
                "Moderator: Ken tried to find out what Rin is.",
                "Moderator: The game is over. The roles: Ken is the seer, Rin is a werewolf.",
            ],
        ),
    ]


def test_what_is_told_before_the_first_turn_is_part_of_the_briefing() -> None:
    events = (
        Event(0, 1, "day"),
        Event(0, 1, "divine", "Rin", "Ken", "WEREWOLF"),
        Event(0, 1, "announce", text="Speak!"),
        Event(1, 1, "divine", "Rin", "Mio", "HUMAN"),
    )
    talk = Conversation((Turn("Rin", "Hi."),), "", Game("made", "en", PLAYERS, events))
    assert shown(view(talk, "player:SEER")) == [
        (
            "You are Rin, the seer. It is day 1. Alive: Ken, Rin, Mio, Aoi, Jun.\n"
            "Day 1: You found out that Ken is a werewolf.",
            ["Moderator: Speak!", "Rin: Hi.", "Moderator: You found out that Mio is human."],
        )
    ]


def test_a_second_ballot_comes_after_the_first_is_told() -> None:
    events = (
        Event(0, 1, "day"),
        *(Event(1, 1, "vote", voter, target) for voter, target in [("Ken", "Rin"), ("Rin", "Ken")]),
        Event(1, 1, "announce", text="A tie."),
        *(
            Event(2, 1, "vote", voter, target)
            for voter, target in [("Ken", "Rin"), ("Rin", ""), ("Ken", ""), ("Rin", "Rin")]
        ),
        Event(2, 1, "execute"),
    )
    talk = Conversation(
        (Turn("Ken", "Hi."), Turn("Ken", "Again?")), "", Game("made", "en", PLAYERS[:2], events, votes_are_public=True)
    )
    assert shown(list(watch(talk, "Ken")))[-1][1] == [
        "Ken: Hi.",
        "Moderator: The votes: Ken for Rin; Rin for Ken.",
        "Moderator: A tie.",
        "Ken: Again?",
        "Moderator: The votes: Ken for Rin; Rin for nobody.",
        "Moderator: The votes: Ken for nobody; Rin for Rin.",
        "Moderator: Nobody was voted out.",
    ]


def test_before_roles_are_dealt_nobody_has_one() -> None:
    talk = Conversation(
        (Turn("Ken", "Hi."), Turn("Ken", "Oh.")), "", Game("made", "en", PLAYERS[:2], (Event(1, 1, "day"),))
    )
    assert [scene.opening for scene in view(talk, "player")] == [
        "You are Ken. The game has not begun. Alive: Ken, Rin.",
        "You are Ken, a werewolf. It is day 1. Alive: Ken, Rin.",
    ]


def test_the_narrator_has_a_name_of_its_own() -> None:
    players = (Player("moderator"), Player("Ken"))
    talk = Conversation((Turn("Ken", "Hi."), Turn("Moderator 2", "Welcome.")), "", Game("made", "en", players, ()))
    assert {scene.narrator for scene in view(talk, "player")} == {"Moderator 3"}


# The laws


def lives_like(views: Sequence[Scene]) -> list[tuple[str, tuple[Turn, ...], str]]:
    return [(scene.opening, scene.turns, scene.narrator) for scene in views]


def before_the_end(conversation: Conversation) -> Conversation:
    assert conversation.game is not None
    events = conversation.game.events
    return cut(conversation, next((number for number, event in enumerate(events) if event.kind == "end"), len(events)))


def shows_nothing_hidden(conversation: Conversation, chance: random.Random) -> None:
    """Whatever is behind what a player is told, the player's views are the same."""
    assert conversation.game is not None
    shorter = before_the_end(conversation)
    for player in conversation.game.players:
        other = disguise(shorter, player.name, chance)
        assert lives_like(list(watch(other, player.name))) == lives_like(list(watch(shorter, player.name)))


def shows_nothing_to_come(conversation: Conversation, chance: random.Random) -> None:
    """What a player saw until an event does not depend on what came later; a view of the whole game begins with it."""
    assert conversation.game is not None
    events = conversation.game.events
    begun = next((number for number, event in enumerate(events) if event.kind in ("day", "night")), None)
    if begun is None:
        return
    number = chance.randrange(begun + 1, len(events) + 1)
    mediums = [at for at, event in enumerate(events) if event.kind == "medium"]
    if mediums and mediums[0] >= number:
        return  # whether the source tells of mediums is not known yet
    for name in [*(player.name for player in conversation.game.players), None]:
        *past, present = watch(cut(conversation, number), name)
        whole = list(watch(conversation, name))
        assert whole[: len(past)] == past
        if any(place >= 0 for place in present.places):  # before the first turn there may be more to tell
            assert whole[len(past)].opening == present.opening
        assert whole[len(past)].turns[: len(present.turns)] == present.turns


def is_learnt_once(conversation: Conversation) -> None:
    assert conversation.game is not None
    players = {player.name for player in conversation.game.players}
    for kind in ("player", "moderator"):
        learnt: Counter[int] = Counter()
        for scene in view(conversation, kind):
            assert len(scene.turns) == len(scene.places)
            for place, turn in zip(scene.places, scene.turns):
                assert (place < 0) == (turn.speaker == scene.narrator)
                assert place < 0 or conversation.turns[place] == turn
                learnt[place] += turn.speaker in scene.learners
            said = [place for place in scene.places if place >= 0]
            assert said == sorted(set(said))
        assert +learnt == Counter(at for at, turn in enumerate(conversation.turns) if turn.speaker in players)


@settings(max_examples=200)
@given(games(), st.integers(0, 2**32))
def test_laws_of_games_that_could_be(conversation: Conversation, seed: int) -> None:
    for chance in map(random.Random, range(seed, seed + 5)):
        shows_nothing_hidden(conversation, chance)
        shows_nothing_to_come(conversation, chance)
    is_learnt_once(conversation)


def test_laws_of_all_games_that_are_there() -> None:
    count: Counter[str] = Counter()
    for number, (source, conversation) in enumerate(
        [("made", told()), ("made", told("ja", public=False)), *real_games()]
    ):
        shows_nothing_hidden(conversation, random.Random(number))
        shows_nothing_to_come(conversation, random.Random(number))
        is_learnt_once(conversation)
        count[source] += 1
    assert count["made"] == 2
    assert not (DATA / "aiwolf_nlp_viewer").exists() or count["aiwolf_nlp_viewer"] >= 100


def test_the_law_would_notice() -> None:
    """Hidden facts that are shown to the wrong eyes make a difference."""
    shorter = before_the_end(told(public=False))
    for player in PLAYERS:
        others = [disguise(shorter, player.name, random.Random(seed)) for seed in range(20)]
        assert any(lives_like(list(watch(other, None))) != lives_like(list(watch(shorter, None))) for other in others)
        everybody_else = [other.name for other in PLAYERS if other != player]
        assert any(
            lives_like(list(watch(other, name))) != lives_like(list(watch(shorter, name)))
            for other in others
            for name in everybody_else
        )


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("form", [".log", ".json"])
def test_a_view_tells_what_the_players_of_a_real_server_were_told(number: int, form: str) -> None:
    """Packets of aiwolf-nlp-server, against the views of the same game as its log and its JSON tell it."""
    log = DATA / "aiwolf_server_samples" / f"game{number}{form}"
    if not log.exists():
        pytest.skip("needs packets of a real server, which are not part of the project")
    [conversation] = read_conversations(log)
    game = conversation.game
    assert game is not None
    names = [player.name for player in game.players]
    lived = {name: {_day(scene): scene for scene in watch(conversation, name)} for name in names}
    whispered: dict[str, set[str]] = {}
    compared = 0
    for entry in json.loads(log.with_suffix(".json").read_text())["entries"]:
        packet = json.loads(entry["request"])
        info = packet.get("info")
        if info is None or packet["request"] not in ("DAILY_INITIALIZE", "TALK", "DAILY_FINISH", "WHISPER"):
            continue
        name, day = info["agent"], info["day"]
        part = lived[name].get(day)
        if part is None:
            continue
        compared += 1
        roles = {"WEREWOLF": "a werewolf", "HUMAN": "human"}
        if "divine_result" in info:
            judged = info["divine_result"]
            assert (
                f"Day {day - 1}: You found out that {judged['target']} is {roles[judged['result']]}."
                in part.opening.split("\n")
            )
        if "medium_result" in info:
            judged = info["medium_result"]
            sentence = f"You found out that {judged['target']}, who was voted out, was {roles[judged['result']]}."
            assert (sentence in part.opening) == (info["status_map"][name] == "ALIVE")
        yesterday = next((line for line in part.opening.split("\n") if line.startswith(f"Day {day - 1}: ")), "")
        if "executed_agent" in info:
            assert f"{info['executed_agent']} was voted out." in yesterday
        if day > 1:
            assert (
                f"In the night {info['attacked_agent']} died."
                if "attacked_agent" in info
                else "In the night nobody died."
            ) in yesterday
        for vote in info.get("vote_list", []):
            if not game.votes_are_public:  # a log does not tell whether they were
                assert vote["agent"] != name or f"You voted for {vote['target']}." in yesterday
                continue
            [of_one_mind] = [
                voters
                for voters in yesterday.split(": ", 2)[2].split(".")[0].split("; ")
                if voters.endswith(f" for {vote['target']}")
            ]
            assert vote["agent"] in of_one_mind
        if packet["request"] == "DAILY_INITIALIZE":
            line = part.opening.split("\n")[0]
            alive = [player for player, status in info["status_map"].items() if status == "ALIVE"]
            assert sorted(line.partition("Alive: ")[2].partition(".")[0].split(", ")) == sorted(alive)
        others = sorted(set(info["role_map"]) - {name})
        assert ("Werewolves beside you: " in part.opening) == bool(others)
        assert all(wolf in part.opening.partition("Werewolves beside you: ")[2].partition(".")[0] for wolf in others)
        heard = {(turn.speaker, " ".join(turn.text.split())) for turn in part.turns}
        for talk in packet.get("talk_history", []) + (
            packet.get("whisper_history", []) if info["status_map"][name] == "ALIVE" else []
        ):
            if not (talk["skip"] or talk["over"]):
                assert (talk["agent"], " ".join(talk["text"].split())) in heard
        if packet.get("whisper_history"):
            whispered.setdefault(name, set()).update(talk["text"] for talk in packet["whisper_history"])
    assert compared > 20
    wolves = {player.name for player in game.players if player.role == "WEREWOLF"}
    assert set(whispered) <= wolves
    for name in set(names) - wolves:
        assert not any(turn.channel == "whisper" for part in lived[name].values() for turn in part.turns)


def _day(part: Scene) -> int:
    return int(part.opening.partition("It is day ")[2].partition(".")[0] or -1)
