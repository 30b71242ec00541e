"""Points of view: what a player is shown, and that it is nothing more."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from games import DATA, cut, disguise, games, real_games
from wolf_chatbox.cli import app, run
from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.conversation import Conversation, Turn, write_conversations
from wolf_chatbox.dataset import prepare
from wolf_chatbox.errors import ConfigError, DataError, StyleError
from wolf_chatbox.events import Evaluated
from wolf_chatbox.game import Event, Game, Player
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.rendering import Renderer, make_renderer
from wolf_chatbox.training import train
from wolf_chatbox.views import View, learners_of, view, watch

PLAYERS = (Player("Ken", "WEREWOLF"), Player("Rin", "SEER"), Player("Mio", "MEDIUM"), Player("Aoi", "WEREWOLF"), Player("Jun", "VILLAGER"))


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
        *(Event(5, 1, "vote", voter, target) for voter, target in [("Ken", "Aoi"), ("Rin", "Aoi"), ("Mio", "Aoi"), ("Aoi", "Rin"), ("Jun", "")]),
        Event(5, 1, "execute", target="Aoi"),
        Event(6, 1, "attack_vote", "Ken", "Jun"),
        Event(6, 1, "attack", target="Jun", result="killed"),
        Event(6, 2, "day"),
        Event(9, 2, "end"),
    )
    return Conversation(turns, "one", Game("made", language, PLAYERS, events, "VILLAGER", public))


def shown(views: Sequence[View]) -> list[tuple[str, list[str]]]:
    return [(each.briefing, [f"{turn.speaker}: {turn.text}" for turn in each.turns]) for each in views]


def test_a_wolf_is_told_this() -> None:
    days = shown(list(watch(told(), "Ken")))
    assert days[1:] == [
        (
            "You are Ken, a werewolf. Werewolves beside you: Aoi. It is day 0. Alive: Ken, Rin, Mio, Aoi, Jun.",
            ["Rin: Good morning.", "Jun: Hello.", "Moderator: Night falls.", "Moderator: Only the werewolves hear:", "Aoi: Whom do we eat?"],
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
                "Moderator: The game is over: the village won. The roles: Ken is a werewolf, Rin is the seer, Mio is the medium, "
                "Aoi is a werewolf, Jun is a villager.",
            ],
        ),
        (
            "You are Ken, a werewolf. Werewolves beside you: Aoi. The game is over. Alive: Ken, Rin, Mio. Dead: Aoi, Jun.\n"
            "Day 1: The votes: Ken, Rin and Mio for Aoi; Aoi for Rin; Jun for nobody. Aoi was voted out. "
            "The werewolves' votes for an attack: Ken for Jun. In the night Jun died.\n"
            "Day 2: The game is over: the village won. The roles: Ken is a werewolf, Rin is the seer, Mio is the medium, "
            "Aoi is a werewolf, Jun is a villager.",
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
    assert dead[:4] == ["Moderator: Only the dead hear:", "Aoi: I miss you all.", "Moderator: Everybody hears:", "Mio: Aoi was a wolf."]
    moderator = shown(list(watch(hidden, None)))[3][0].split("\n")
    assert moderator[0].startswith(
        "The roles: Ken is a werewolf, Rin is the seer, Mio is the medium, Aoi is a werewolf, Jun is a villager. It is day 2."
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
        "1日目: 投票: Ken・Rin・Mio→Aoi、Aoi→Rin、Jun→なし。Aoiが追放されました。襲撃先の投票: Ken→Jun。夜の間にJunが死亡しました。",
        [
            "Mio: Aoi was a wolf.",
            "Ken: Was it?",
            "司会: ゲームは終わりました。村人陣営の勝利です。役職: Kenは人狼、Rinは占い師、Mioは霊媒師、Aoiは人狼、Junは村人。",
        ],
    )
    assert list(watch(told("zh"), "Ken"))[1].briefing == list(watch(told("en"), "Ken"))[1].briefing


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
    assert last.briefing.split("\n")[1:] == ["Day 1: Jun died (shot). In the night Ken, Aoi died.", "Day 2: In the night nobody died."]


@pytest.mark.parametrize(("victim", "executed", "learns"), [("Jun", "Aoi", "a werewolf"), ("Jun", "Rin", "human"), ("Mio", "Aoi", "")])
def test_a_medium_that_lives_learns_whether_it_was_a_wolf(victim: str, executed: str, learns: str) -> None:
    events = (
        Event(0, 1, "day"),
        Event(0, 1, "execute", target=executed),
        Event(0, 1, "attack", target=victim, result="killed"),
        Event(0, 2, "day"),
    )
    last = list(watch(Conversation((), "", Game("made", "en", PLAYERS, events)), "Mio"))[-1]
    assert last.briefing.partition(", who was voted out, was ")[2].removesuffix(".") == learns


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
    assert list(watch(talk, "Rin"))[-1].briefing.split("\n") == [
        "You are Rin, the robber. The game is over. Alive: Ken, Rin.",
        "Day 1: The game is over. The roles: Ken is the seer, Rin is a werewolf.",
        "At first: You found out that Ken is a werewolf. Told to you alone: You took Ken's card.",
    ]
    assert shown(list(watch(talk, "Ken")))[1] == (
        "You are Ken, a werewolf. It is day 1. Alive: Ken, Rin.",
        ["Ken: Hi.", "Moderator: You tried to find out what Rin is.", "Moderator: The game is over. The roles: Ken is the seer, Rin is a werewolf."],
    )
    assert shown(list(watch(talk, None)))[:2] == [
        (next(watch(talk, None)).briefing, ["Moderator: Night falls.", "Moderator: Good morning."]),
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
            "You are Rin, the seer. It is day 1. Alive: Ken, Rin, Mio, Aoi, Jun.\nDay 1: You found out that Ken is a werewolf.",
            ["Moderator: Speak!", "Rin: Hi.", "Moderator: You found out that Mio is human."],
        )
    ]


def test_a_second_ballot_comes_after_the_first_is_told() -> None:
    events = (
        Event(0, 1, "day"),
        *(Event(1, 1, "vote", voter, target) for voter, target in [("Ken", "Rin"), ("Rin", "Ken")]),
        Event(1, 1, "announce", text="A tie."),
        *(Event(2, 1, "vote", voter, target) for voter, target in [("Ken", "Rin"), ("Rin", ""), ("Ken", ""), ("Rin", "Rin")]),
        Event(2, 1, "execute"),
    )
    talk = Conversation((Turn("Ken", "Hi."), Turn("Ken", "Again?")), "", Game("made", "en", PLAYERS[:2], events, votes_are_public=True))
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
    talk = Conversation((Turn("Ken", "Hi."), Turn("Ken", "Oh.")), "", Game("made", "en", PLAYERS[:2], (Event(1, 1, "day"),)))
    assert [each.briefing for each in view(talk, "player")] == [
        "You are Ken. The game has not begun. Alive: Ken, Rin.",
        "You are Ken, a werewolf. It is day 1. Alive: Ken, Rin.",
    ]


def test_the_narrator_has_a_name_of_its_own() -> None:
    players = (Player("moderator"), Player("Ken"))
    talk = Conversation((Turn("Ken", "Hi."), Turn("Moderator 2", "Welcome.")), "", Game("made", "en", players, ()))
    assert {each.narrator for each in view(talk, "player")} == {"Moderator 3"}


# The laws


def lives_like(views: Sequence[View]) -> list[tuple[str, tuple[Turn, ...], str]]:
    return [(each.briefing, each.turns, each.narrator) for each in views]


def before_the_end(conversation: Conversation) -> Conversation:
    assert conversation.game is not None
    events = conversation.game.events
    return cut(conversation, next((number for number, each in enumerate(events) if each.kind == "end"), len(events)))


def shows_nothing_hidden(conversation: Conversation, chance: random.Random) -> None:
    """Whatever is behind what a player is told, the player's views are the same."""
    assert conversation.game is not None
    shorter = before_the_end(conversation)
    for player in conversation.game.players:
        other = disguise(shorter, player.name, chance)
        assert lives_like(list(watch(other, player.name))) == lives_like(list(watch(shorter, player.name)))


def shows_nothing_to_come(conversation: Conversation, chance: random.Random) -> None:
    """What a player lived until an event is the same whatever happened later, and a view of the whole game begins with it."""
    assert conversation.game is not None
    events = conversation.game.events
    begun = next((number for number, each in enumerate(events) if each.kind in ("day", "night")), None)
    if begun is None:
        return
    number = chance.randrange(begun + 1, len(events) + 1)
    if not any(each.kind == "medium" for each in events[:number]) and any(each.kind == "medium" for each in events):
        return  # whether the source tells of mediums is not known yet
    for name in [*(each.name for each in conversation.game.players), None]:
        *past, present = watch(cut(conversation, number), name)
        whole = list(watch(conversation, name))
        assert whole[: len(past)] == past
        if any(place >= 0 for place in present.places):  # before the first turn there may be more to tell
            assert whole[len(past)].briefing == present.briefing
        assert whole[len(past)].turns[: len(present.turns)] == present.turns


def is_learnt_once(conversation: Conversation) -> None:
    assert conversation.game is not None
    players = {each.name for each in conversation.game.players}
    for kind in ("player", "moderator"):
        learnt: Counter[int] = Counter()
        for each in view(conversation, kind):
            assert len(each.turns) == len(each.places)
            assert each.game is None
            for place, turn in zip(each.places, each.turns):
                assert (place < 0) == (turn.speaker == each.narrator)
                assert place < 0 or conversation.turns[place] == turn
                learnt[place] += turn.speaker in each.learners
            assert list(filter(lambda place: place >= 0, each.places)) == sorted({place for place in each.places if place >= 0})
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
    for number, (source, conversation) in enumerate([("made", told()), ("made", told("ja", public=False)), *real_games()]):
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
        assert any(lives_like(list(watch(each, None))) != lives_like(list(watch(shorter, None))) for each in others)
        everybody_else = [each.name for each in PLAYERS if each != player]
        assert any(lives_like(list(watch(each, name))) != lives_like(list(watch(shorter, name))) for each in others for name in everybody_else)


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
    lived = {each.name: {_day(part): part for part in watch(conversation, each.name)} for each in game.players}
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
            assert f"Day {day - 1}: You found out that {judged['target']} is {roles[judged['result']]}." in part.briefing.split("\n")
        if "medium_result" in info:
            judged = info["medium_result"]
            sentence = f"You found out that {judged['target']}, who was voted out, was {roles[judged['result']]}."
            assert (sentence in part.briefing) == (info["status_map"][name] == "ALIVE")
        yesterday = next((line for line in part.briefing.split("\n") if line.startswith(f"Day {day - 1}: ")), "")
        if "executed_agent" in info:
            assert f"{info['executed_agent']} was voted out." in yesterday
        if day > 1:
            assert (f"In the night {info['attacked_agent']} died." if "attacked_agent" in info else "In the night nobody died.") in yesterday
        for vote in info.get("vote_list", []):
            if not game.votes_are_public:  # a log does not tell whether they were
                assert vote["agent"] != name or f"You voted for {vote['target']}." in yesterday
                continue
            [of_one_mind] = [each for each in yesterday.split(": ", 2)[2].split(".")[0].split("; ") if each.endswith(f" for {vote['target']}")]
            assert vote["agent"] in of_one_mind
        if packet["request"] == "DAILY_INITIALIZE":
            line = part.briefing.split("\n")[0]
            alive = [each for each in info["status_map"] if info["status_map"][each] == "ALIVE"]
            assert sorted(line.partition("Alive: ")[2].partition(".")[0].split(", ")) == sorted(alive)
        others = sorted(set(info["role_map"]) - {name})
        assert ("Werewolves beside you: " in part.briefing) == bool(others)
        assert all(each in part.briefing.partition("Werewolves beside you: ")[2].partition(".")[0] for each in others)
        heard = {(turn.speaker, " ".join(turn.text.split())) for turn in part.turns}
        for talk in packet.get("talk_history", []) + (packet.get("whisper_history", []) if info["status_map"][name] == "ALIVE" else []):
            if not (talk["skip"] or talk["over"]):
                assert (talk["agent"], " ".join(talk["text"].split())) in heard
        if packet.get("whisper_history"):
            whispered.setdefault(name, set()).update(each["text"] for each in packet["whisper_history"])
    assert compared > 20
    wolves = {each.name for each in game.players if each.role == "WEREWOLF"}
    assert set(whispered) <= wolves
    for name in {each.name for each in game.players} - wolves:
        assert not any(turn.channel == "whisper" for part in lived[name].values() for turn in part.turns)


def _day(part: View) -> int:
    return int(part.briefing.partition("It is day ")[2].partition(".")[0] or -1)


# What a model learns


def renderers(tokenizer: Any, chat_tokenizer: Any) -> list[Renderer]:
    names = [each.name for each in PLAYERS]
    return [
        make_renderer(tokenizer, "named", None, "Ken", names),
        make_renderer(tokenizer, "dialogpt", None, "Ken", names),
        make_renderer(chat_tokenizer, "chat", None, "Ken", names, by_view=True),
    ]


@settings(max_examples=30)
@given(games(), st.integers(60, 300), st.integers(0, 40))
def test_the_prompt_for_a_turn_in_a_view_is_a_prefix_of_what_training_saw(
    tokenizer: Any, chat_tokenizer: Any, conversation: Conversation, room: int, context: int
) -> None:
    for renderer in renderers(tokenizer, chat_tokenizer):
        for part in view(conversation, "player"):
            for max_tokens in (10**6, room):
                samples = renderer.render(part, max_tokens, context).samples
                opening = renderer.opening(part, max_tokens)
                assert len(opening) <= max(max_tokens // 2, len(renderer.head(part.narrator)) + 20)
                assert all(sample.ids[: len(opening)] == opening for sample in samples)
            [whole] = renderer.render(part, 10**6, 0).samples
            for at, turn in enumerate(part.turns):
                if turn.speaker in part.learners:
                    prompt = renderer.prompt(part.turns[:at], turn.speaker, 10**6, part)
                    assert whole.ids[: len(prompt)] == prompt
                    assert whole.learn[len(prompt)], "and what comes next is learnt"


@settings(max_examples=40)
@given(games(), st.integers(80, 300), st.integers(0, 40))
def test_rows_of_a_game_account_for_every_turn(tokenizer: Any, conversation: Conversation, room: int, context: int) -> None:
    assert conversation.game is not None
    renderer = make_renderer(tokenizer, "named", None, "Ken", conversation.speakers() or {"Ken"})
    for kind in ("player", "player:SEER", "moderator"):
        rendered = renderer.render(conversation, room, context, view(conversation, kind))
        learners = learners_of(conversation.game, kind)
        assert rendered.learnt == sum(turn.speaker in learners for turn in conversation.turns)
        assert rendered.learnt + rendered.context + rendered.unused == len(conversation.turns)
        words = [each for sample in rendered.samples for each, learn in zip(sample.ids, sample.learn) if learn]
        if not rendered.cut:
            text = tokenizer.decode(words).split(tokenizer.eos_token)
            assert Counter(each.strip() for each in text if each) == Counter(turn.text for turn in conversation.turns if turn.speaker in learners)


def test_a_long_briefing_keeps_who_one_is_and_what_one_alone_knows(tokenizer: Any) -> None:
    part = list(watch(told(), "Rin"))[3]
    renderer = make_renderer(tokenizer, "named", None, "Ken", ["Ken", "Rin"])
    whole = len(renderer.opening(part, 10**6))
    text = tokenizer.decode(renderer.opening(part, 2 * whole - 2))
    assert text == (
        "Moderator: You are Rin, the seer. It is day 2. Alive: Ken, Rin, Mio. Dead: Aoi, Jun.\n"
        "Day 0: You found out that Ken is a werewolf.<|endoftext|>"
    )
    assert len(renderer.opening(part, 40)) == 20


def test_a_chat_model_is_the_player_whose_view_it_is(chat_tokenizer: Any) -> None:
    [renderer] = [each for each in renderers(chat_tokenizer, chat_tokenizer) if each.style.name == "chat"]
    [*_, sample] = renderer.render(told(), 10**6, 0, view(told(), "player:SEER")).samples
    assert chat_tokenizer.decode(sample.ids) == (
        "<|im_start|>system\nYou are Rin, the seer. It is day 0. Alive: Ken, Rin, Mio, Aoi, Jun.<|im_end|>\n"
        "<|im_start|>assistant\nGood morning.<|im_end|>\n"
    )
    [*_, sample] = renderer.render(told(), 10**6, 0, view(told(), "player", "Ken")).samples
    text = chat_tokenizer.decode(sample.ids)
    assert text.startswith("<|im_start|>system\nYou are Ken, a werewolf. Werewolves beside you: Aoi. It is day 2.")
    assert text.endswith("<|im_start|>user\nMio: Aoi was a wolf.<|im_end|>\n<|im_start|>assistant\nWas it?<|im_end|>\n")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "games.jsonl"
    with path.open("w", encoding="utf-8") as file:
        write_conversations([Conversation((Turn("Rin", f"Morning {number}."), *told().turns[1:]), "", told().game) for number in range(4)], file)
        write_conversations([Conversation((Turn("Ken", "No game."), Turn("Pat", "None.")), f"chat {number}") for number in range(4)], file)
    return path


def test_each_turn_of_the_data_is_counted_once(tokenizer: Any, corpus: Path) -> None:
    def turns(**settings: Any) -> dict[str, int]:
        return prepare(TrainConfig(data=(str(corpus),), **({"validation_share": 0} | settings)), tokenizer, 200).turns()

    assert turns() == {"read": 48, "learnt": 48, "held out": 0, "context only": 0, "dropped": 0}
    assert turns(view="moderator") == turns()
    # Rin speaks once a game, at its very beginning; what the chats say is learnt all the same.
    assert turns(view="player:SEER") == {"read": 48, "learnt": 12, "held out": 0, "context only": 0, "dropped": 36}
    # Mio speaks once, when a grave's turn was not heard.
    assert turns(persona="Mio") == {"read": 48, "learnt": 4, "held out": 0, "context only": 0, "dropped": 44}
    assert turns(persona="Jun") == {"read": 48, "learnt": 12, "held out": 0, "context only": 4, "dropped": 32}
    held = turns(validation_share=0.3, seed=1)
    assert held["learnt"] + held["held out"] == 48
    assert held["held out"] in (10, 12, 14)


def test_speakers_are_counted_on_the_games(tokenizer: Any, corpus: Path) -> None:
    dataset = prepare(TrainConfig(data=(str(corpus),), validation_share=0), tokenizer, 200)
    assert dataset.speakers == {"Ken": 16, "Jun": 12, "Aoi": 8, "Rin": 4, "Mio": 4, "Pat": 4}
    assert dataset.persona is None
    assert all(turns[-1].speaker in part.learners for part, turns in dataset.contexts if isinstance(part, View))


def test_games_alone_can_be_learnt_as_chats_without_a_persona(chat_tokenizer: Any, corpus: Path, tmp_path: Path) -> None:
    config = TrainConfig(data=(str(corpus),), style="chat", validation_share=0)
    with pytest.raises(StyleError, match="--persona"):
        prepare(config, chat_tokenizer, 200)
    alone = tmp_path / "alone.jsonl"
    alone.write_text("".join(line for line in corpus.read_text().splitlines(keepends=True) if '"game"' in line))
    dataset = prepare(TrainConfig(data=(str(alone),), style="chat", validation_share=0), chat_tokenizer, 200)
    assert dataset.renderer.style.name == "chat"
    assert dataset.persona is None
    assert dataset.turns()["learnt"] == 40
    with pytest.raises(StyleError, match="--persona"):
        prepare(TrainConfig(data=(str(alone),), style="chat", view="moderator", validation_share=0), chat_tokenizer, 200)


def test_a_view_that_cannot_be_is_refused(tokenizer: Any, corpus: Path, tmp_path: Path) -> None:
    for name in ("players", "player:", "player:KING", "moderator:SEER", ""):
        with pytest.raises(ConfigError, match=r"view = .*: must be player, moderator, or player:ROLE"):
            TrainConfig(data=("x",), view=name)
    TrainConfig(data=("x",), view="player:seer")
    alone = tmp_path / "alone.jsonl"
    alone.write_text("".join(line for line in corpus.read_text().splitlines(keepends=True) if '"game"' in line))
    with pytest.raises(DataError, match="no turn that a player:FOX speaks"):
        prepare(TrainConfig(data=(str(alone),), view="player:FOX", validation_share=0), tokenizer, 200)


@pytest.mark.usefixtures("fp32")
def test_a_run_learns_from_views_and_talks_from_them(tiny_gpt2: Path, corpus: Path, tmp_path: Path) -> None:
    told_of: list[object] = []
    config = TrainConfig(
        data=(str(corpus),),
        model=str(tiny_gpt2),
        output=tmp_path / "model",
        max_tokens=128,
        view="player:WEREWOLF",
        validation_share=0.3,
        sampling=SamplingConfig(max_new_tokens=4),
    )
    train(config, told_of.append)
    record = json.loads((tmp_path / "model" / "run.json").read_text())
    assert record["settings"]["view"] == "player:WEREWOLF"
    assert record["data"]["speakers"]["Mio"] == 4, "who is not learnt is known all the same"
    replies = [reply for event in told_of if isinstance(event, Evaluated) for reply in event.replies]
    assert replies
    assert {reply.said.speaker for reply in replies} <= {"Ken", "Aoi", "Pat"}


def test_inspect_shows_what_a_view_would_learn(tiny_gpt2: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def look(view: str) -> Any:
        assert run(lambda: app(["data", "inspect", str(corpus), "--model", str(tiny_gpt2), "--view", view, "--json"], exit_on_error=False), {}) == 0
        return json.loads(capsys.readouterr().out)["tokens"]

    everybody, seers = look("player"), look("player:seer")
    assert seers["learnt"] < everybody["learnt"] / 2
    assert any("You are Rin, the seer." in text and not learnt for sample in seers["samples"] for text, learnt in sample)
    assert run(lambda: app(["data", "inspect", str(corpus), "--model", str(tiny_gpt2), "--view", "king"], exit_on_error=False), {}) == 2
    assert capsys.readouterr().err.startswith("error: --view king: must be player, moderator, or player:ROLE")
