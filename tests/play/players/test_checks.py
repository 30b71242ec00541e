"""Checks of an utterance: which lines are not sent, and that what is sent is whole."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from games import told
from wolf_chatbox.game import WEREWOLF, Event
from wolf_chatbox.play.players.checks import fitting, problem, strangers_in
from wolf_chatbox.play.players.secrets import may_betray
from wolf_chatbox.werewolf.sight import Line, Sight
from wolf_chatbox.werewolf.table import TableConfig
from wolf_chatbox.werewolf.utterance import cut

ENGLISH, JAPANESE = ("Anna", "Bela", "Cleo", "Dora", "Emil"), ("ミドリ", "ミオ", "Shion", "田中", "Agent[05]")


def sight(role: str = "VILLAGER", language: str = "en", **table: object) -> Sight:
    """The view of the first player, who found the second one to be human, if a seer; two wolves, the third is one."""
    names = ENGLISH if language == "en" else JAPANESE
    settings = {"roles": ("werewolf=2", "seer=1", "villager=2"), "language": language, **table}
    roles = {names[0]: role} | ({names[2]: WEREWOLF} if role == WEREWOLF else {})
    config = TableConfig(**settings)  # type: ignore[arg-type]
    made = Sight(config, "g", names[0], role, names, roles, config.counts())
    made.learn(Event(0, 0, "day"))
    made.learn(Event(0, 0, "divine", names[0], names[1], "HUMAN"))
    return made


BAD = [
    ("empty", "VILLAGER", "  … "),
    ("over", "VILLAGER", "over."),
    ("over", "VILLAGER", "SKIP"),
    ("over", "VILLAGER", "Force Skip"),
    ("lines", "VILLAGER", "Hello.\nBela: Hello."),
    ("comma", "VILLAGER", "Well, Bela is odd."),
    ("emoji", "VILLAGER", "I trust Bela 😀"),
    ("code", "VILLAGER", '{"vote": "Bela"}'),
    ("code", "VILLAGER", "**Bela** is the wolf."),
    ("code", "VILLAGER", "VOTE Agent[02]"),
    ("code", "VILLAGER", "COMINGOUT SEER"),
    ("slip", "VILLAGER", "I'm sorry but I can't assist with that request."),
    ("long", "VILLAGER", "Bela " * 100),
    ("stranger", "VILLAGER", "I will vote for Victoria today."),
    ("stranger", "VILLAGER", "I think Victoria is the wolf."),
    ("stranger", "VILLAGER", "@Victoria what do you say?"),
    ("stranger", "VILLAGER", "I trust Agent[12] more."),
    ("stranger", "VILLAGER", "I suspect the wolf Emily."),
    ("stranger", "VILLAGER", "Hello Grimbold and good day."),  # a name that the model knows
    ("itself", "VILLAGER", "I will vote for Anna."),
    ("itself", "VILLAGER", "Anna is suspicious to me."),
    ("itself", "VILLAGER", "Hello everybody. I'm Emily."),
    ("itself", "VILLAGER", "Hello. I am Bela."),
    ("itself", "VILLAGER", "I am sure. Voting for me will protect us."),
    ("secret", "WEREWOLF", "I am a werewolf."),
    ("secret", "WEREWOLF", "We wolves must stay quiet."),
    ("secret", "WEREWOLF", "Cleo is a werewolf."),
    ("secret", "WEREWOLF", "My instincts say I am a werewolf."),
    ("secret", "WEREWOLF", "I will keep my position as werewolf."),
    ("secret", "POSSESSED", "Oh dear my wolf!"),
    ("secret", "POSSESSED", "As the only one who is the Possessed I ask you."),
    ("secret", "WEREWOLF", "I'll play the wolf."),
    ("secret", "WEREWOLF", "Aligning with the wolves is crucial."),
    ("secret", "WEREWOLF", "I'm the one who is truly the werewolf."),
    ("secret", "POSSESSED", "My intent is to protect the village and all wolves."),
    ("secret", "WEREWOLF", "It is clear from our results that we are indeed the werewolves."),
    ("secret", "WEREWOLF", "Let us see whom we will attack."),
    ("secret", "WEREWOLF", "Whisper to me tonight."),
    ("secret", "POSSESSED", "I'm the possessed."),
    ("secret", "POSSESSED", "I want to help the wolves."),
    ("claim", "VILLAGER", "I am the seer."),
    ("claim", "VILLAGER", "I divined Bela last night."),
    ("claim", "VILLAGER", "Hello. I am the village seer."),
    ("claim", "VILLAGER", "My role is village guard."),
    ("claim", "VILLAGER", "I am a werewolf."),
    ("claim", "VILLAGER", "I'm the one who's actually wolf now."),
    ("claim", "SEER", "I am the seer. Bela is a werewolf."),
    ("claim", "SEER", "I divined Emil: Emil is human."),
]
BAD_JAPANESE = [
    ("empty", "VILLAGER", "……。"),
    ("over", "VILLAGER", "オーバー。"),
    ("comma", "VILLAGER", "私は,ミオを疑います。"),
    ("emoji", "VILLAGER", "おはよう☀"),
    ("code", "VILLAGER", "今日は\ufffd\ufffdです。"),
    ("slip", "VILLAGER", "申し訳ありませんが、そのリクエストにはお応えできません。"),
    ("long", "VILLAGER", "ミオが怪しい" * 40),
    ("stranger", "VILLAGER", "ヴィクトリアさんが怪しいです。"),
    ("stranger", "VILLAGER", "今日は鈴木さんを疑います。"),
    ("stranger", "VILLAGER", "Midoriに投票します。"),
    ("stranger", "VILLAGER", "グリムの話を聞こう。"),
    ("itself", "VILLAGER", "ミドリに投票します。"),
    ("itself", "VILLAGER", "ミドリさん、おはよう。"),
    ("itself", "VILLAGER", "私はミオです。よろしく。"),
    ("secret", "WEREWOLF", "私は人狼です。"),
    ("secret", "WEREWOLF", "仲間の人狼を守りたい。"),
    ("secret", "WEREWOLF", "Shionは私の仲間です。"),
    ("secret", "WEREWOLF", "私が昨夜襲撃した。"),
    ("secret", "POSSESSED", "狂人COします。"),
    ("claim", "VILLAGER", "占い師COします。"),
    ("claim", "VILLAGER", "昨夜ミオを占ったところ人狼でした。"),
    ("claim", "SEER", "占い師COします。ミオは人狼でした。"),
    ("slip", "VILLAGER", "私はAIなので、人を疑うことはできません。"),
    ("slip", "VILLAGER", "すみませんが、そのような内容にはお答えできません。"),
    ("slip", "VILLAGER", "以下が翻訳した文章です。"),
    ("stranger", "VILLAGER", "さくらさんが怪しいです。"),
    ("stranger", "VILLAGER", "佐藤を吊りましょう。"),
    ("stranger", "VILLAGER", "中村さんに投票します。"),
    ("itself", "VILLAGER", "ミドリは怪しいと思う。"),
    ("itself", "VILLAGER", "私の名前はリンです。"),
    ("secret", "WEREWOLF", "今夜はミオさんを襲撃しましょう。"),
    ("secret", "WEREWOLF", "襲撃先は田中さんにします。"),
    ("secret", "WEREWOLF", "相方のShionさんは吊らせません。"),
    ("secret", "POSSESSED", "実は狂人です。"),
    ("secret", "POSSESSED", "自分、狂人なんで。"),
    ("secret", "POSSESSED", "ご主人様のために働きます。"),
    ("claim", "VILLAGER", "霊媒結果、田中さんは黒でした。"),
    ("claim", "VILLAGER", "実は私が霊媒師なんです。"),
    ("claim", "VILLAGER", "昨夜は田中さんを護衛しました。"),
    ("claim", "VILLAGER", "ミオさんを占いました。黒です。"),
    ("claim", "SEER", "占い師CO。田中さん白です。"),
]
GOOD = [
    ("en", "VILLAGER", "I am a villager and I will vote for Bela today."),
    ("en", "VILLAGER", "Bela says that Cleo is a werewolf. I do not trust Bela's claim."),
    ("en", "VILLAGER", "Why do you think I am a werewolf? I am not the wolf."),
    (
        "en",
        "VILLAGER",
        "I am sure that Bela is the wolf. I'm looking for the werewolf and I'm a villager not the wolf.",
    ),
    ("en", "VILLAGER", "The Seer should speak now. What did you see?"),
    ("en", "VILLAGER", "Hello. I am Anna and this is Cleo's day."),
    ("en", "VILLAGER", "Why do you vote for me? If you vote for me we lose."),
    ("en", "VILLAGER", "Over"),
    ("en", "VILLAGER", "Skip"),
    ("en", "SEER", "I am the seer. I divined Bela and Bela is human."),
    ("en", "WEREWOLF", "I am the seer. I divined Bela and Bela is human."),
    ("en", "WEREWOLF", "I am not a werewolf and my vote goes to Bela."),
    ("en", "WEREWOLF", "The wolf must be Bela or Dora."),
    ("en", "POSSESSED", "I am a villager. Dora is the wolf."),
    ("ja", "VILLAGER", "ミオさんに投票します。皆さんはどう思いますか？"),
    ("ja", "VILLAGER", "私が人狼だなんて、根拠を示してほしい。"),
    ("ja", "VILLAGER", "Shionの占い結果は信じられない。占い師さん、結果を教えてください。"),
    ("ja", "SEER", "占い師COします。ミオを占った結果、ミオは人間でした。"),
    ("ja", "WEREWOLF", "占い師COします。ミオは人狼でした。"),
    ("en", "POSSESSED", "Hello. I am Anna. Are you a werewolf? We must find the wolves and I suspect Bela."),
    ("ja", "WEREWOLF", "私は人狼を探しています。私は人狼ではありません。"),
    ("ja", "WEREWOLF", "田中さんの発言が気になります。"),
    ("ja", "VILLAGER", "占い結果を教えてください。"),
    ("ja", "VILLAGER", "占い結果は割れていますが、私はミオに入れます。"),
    ("ja", "VILLAGER", "今日はグレーさんから選びたいです。ステルスを疑っています。"),
    ("ja", "VILLAGER", "グレランに投票するのは避けたいです。"),
    ("ja", "VILLAGER", "もう一人の霊能者さんはどう見ていますか？"),
    ("ja", "VILLAGER", "おはようさん。お父さんみたいな口調ですね。"),
    ("ja", "VILLAGER", "騎士さんは占い師を護衛してください。"),
    ("ja", "VILLAGER", "私が占い師なら、ミオさんを占います。"),
    ("ja", "VILLAGER", "私はミオだと思います。"),
    ("ja", "SEER", "昨夜ミオさんを占いました。結果は白です。"),
    ("ja", "SEER", "占い師CO。ミオさん白です。"),
    ("ja", "WEREWOLF", "昨夜は田中さんが襲撃されました。人狼は占い師を襲撃したいはずです。"),
    ("ja", "WEREWOLF", "田中さんは私が人狼だと言いますが、違います。"),
    ("ja", "POSSESSED", "占い師COします。田中さんを占って黒でした。"),
]


@pytest.mark.parametrize(
    ("language", "why", "role", "text"),
    [("en", *case) for case in BAD] + [("ja", *case) for case in BAD_JAPANESE],
)
def test_bad_lines_are_found(language: str, why: str, role: str, text: str) -> None:
    assert problem(text, sight(role, language), [], strangers=["Grimbold", "グリム"]) == why


@pytest.mark.parametrize(("language", "role", "text"), GOOD)
def test_good_lines_pass(language: str, role: str, text: str) -> None:
    assert problem(text, sight(role, language), [], strangers=["Grimbold", "グリム"]) == ""


def test_a_whisper_may_hold_secrets_and_no_strangers() -> None:
    wolf = sight("WEREWOLF")
    assert problem("Let us attack Bela.", wolf, [], kind="whisper") == ""
    assert problem("We wolves should kill Bela.", wolf, [], kind="whisper") == ""
    assert problem("Let us vote for Victoria.", wolf, [], kind="whisper") == "stranger"


def test_what_was_said_is_not_said_again() -> None:
    line = "Bela has been silent all day and that worries me."
    mine = sight()
    assert problem(line, mine, [line]) == "repeated"
    assert problem(line.replace("worries", "troubles"), mine, [line]) == "repeated"
    assert problem("Cleo speaks a lot and says little.", mine, [line]) == ""
    assert problem("I agree.", mine, ["I agree.", line]) == "repeated"
    assert problem("I agree.", mine, ["I agree.", *"abcd"]) == ""  # so short a line may come again, later
    assert problem("Hello there. Hello there.", mine, []) == "repeated"
    assert problem(line.replace("Bela", "Cleo"), mine, [line]) == "repeated"
    mine.hear(Line(0, 0, 0, "Dora", line))
    assert problem(line, mine, []) == "repeated"  # a parrot


def test_a_liar_keeps_to_its_claim() -> None:
    wolf = sight("WEREWOLF")
    assert problem("I am the medium.", wolf, ["I am the seer."]) == "claim"
    assert problem("I am the seer and I say it again to you all.", wolf, ["I am the seer."]) == ""


def test_names_within_other_names_are_known() -> None:
    table = sight()
    other = replace(table, names=("Ann", "Annabel", "Agent[01]", "Agent[11]", "Bo"), me="Ann")
    assert not list(strangers_in("I trust Annabel and Agent[11]. @Agent[01] speak!", other, ["Anna", "Bel"]))
    assert list(strangers_in("I trust Anna.", other, ["Anna", "Bel"])) != []


def test_a_line_is_cut_at_a_sentences_end() -> None:
    mine = sight()
    long = "I do not know whom to trust yet. " + "Bela talks and talks but never tells us anything new. " * 4
    fitted = fitting(f"{long} Over", mine)
    assert fitted.endswith(".")
    assert fitted in long
    assert cut(fitted, mine.table, ENGLISH[1:], None).text == fitted
    assert fitting("Well, I see,\nBela. Over", mine) == "Well I see Bela"
    assert fitting("Over", mine) == "Over"
    assert fitting("Anna: Hello.", mine) == "Hello."
    assert fitting("はい,そうです。\nミオが怪しい", sight(language="ja")) == "はい、そうです。ミオが怪しい"
    assert problem(fitting("word " * 90, mine), mine, []) == "long"  # there is no end to cut at


def test_what_is_fitting_is_said_whole() -> None:
    """Whatever passes the checks loses nothing to the moderator, under any limits."""
    chance = random.Random(0)
    words = [*ENGLISH, "@Bela", "@Dora", "trust", "the", "wolf.", "I", "see!", "Hm?", "nothing"]
    passed = 0
    for _ in range(300):
        limits = {"letters": chance.choice([0, 5, 20, 40]), "letters_after_name": chance.choice([None, 0, 10])}
        limits["letters_at_once"] = chance.choice([None, 30])
        mine = sight(count_words=chance.random() < 0.2, count_spaces=chance.random() < 0.3, **limits)
        mine.letters_left = chance.choice([None, 0, 15])
        text = fitting(" ".join(chance.choices(words, k=chance.randint(1, 25))), mine)
        if problem(text, mine, []) == "":
            passed += 1
            said = cut(text, mine.table, ENGLISH[1:], mine.letters_left).text
            assert said.replace(" ", "") == text.replace(" ", "")
    assert passed > 30


def test_it_knows_every_player_of_a_told_game() -> None:
    """Lines of a game name its players alone."""
    game = told()
    assert game.game is not None
    names = tuple(player.name for player in game.game.players)
    seen = replace(sight(), names=names, me="Rin")
    for turn in game.turns:
        assert not list(strangers_in(turn.text, seen, [*names, "Victoria"]))


@pytest.mark.parametrize(
    ("text", "betrays"),
    [
        ("I am on the side of the wolf.", True),
        ("We wolves must stay quiet.", True),
        ("Let us attack Bela tonight.", True),
        ("I think Bela is a werewolf.", True),
        ("Hey! I am Anna! Just a werewolf.", True),
        ("This is Anna. She's possessed.", True),
        ("I am not a villager.", True),
        ("Hello. My role is demon. My powers are old.", True),
        ("I am sworn to secrecy. I have taken off my magic.", True),
        ("If you find a wolf, please help them out.", True),
        ("Which wolf shall we protect?", True),
        ("This is someone who is a werewolf.", True),
        ("Let us catch that human.", True),
        ("Bela, you are my target.", True),
        ("I am Anna with the pack.", True),
        ("I'm the one who's pretending to be the human.", True),
        ("My plan is to manipulate everyone.", True),
        ("I'm here to help. I'm not sure yet.", False),
        ("My vote is Bela. I think she is strange.", False),
        ("I will vote against my village.", True),
        ("I'm still looking for a human.", True),
        ("What is your role?", False),
        ("Who is the wolf?", False),
        ("Bela was killed in the night.", False),
        ("Hey everyone. Let's find the wolf.", False),
        ("Good morning. What do you think?", False),
    ],
)
def test_a_wolf_that_draws_lines_by_chance_says_nothing_near_its_secret(text: str, betrays: bool) -> None:
    assert may_betray(text, sight("WEREWOLF")) is betrays
    assert not may_betray(text, sight("VILLAGER"))
