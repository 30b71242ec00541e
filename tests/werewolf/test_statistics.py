"""What is counted in games of werewolf, and how an inspection shows it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given

from games import DATA, games, told
from wolf_chatbox.cli import app, run
from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn, write_conversations
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.game import Event, Game, Player
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.samples.inspection import inspect
from wolf_chatbox.samples.report import to_html
from wolf_chatbox.werewolf.claims import claims_in
from wolf_chatbox.werewolf.statistics import Day, RoleWins, Table, Talk, count_games


def table(*turns: tuple[str, str], winner: str = "VILLAGER", channel: str = "") -> Conversation:
    """A small game: Rin is the seer, Ken the wolf, Mio was dealt the medium and ends as the wolf's minion."""
    players = (Player("Rin", "SEER"), Player("Ken", "WEREWOLF"), Player("Mio", "MINION", dealt="MEDIUM"))
    said = tuple(Turn(*turn, channel=channel) for turn in turns)
    return Conversation(
        said, "g", Game("made", "en", players, (Event(0, 1, "day"), Event(len(said), 1, "end")), winner)
    )


def test_no_games_no_statistics() -> None:
    assert count_games([Conversation((Turn("Ann", "I am the seer."),), "g")]) is None


def test_wins_are_those_of_the_side_of_the_role_at_the_end() -> None:
    found = count_games(
        [table(("Rin", "Hi."), winner=winner) for winner in ("VILLAGER", "WEREWOLF", "WEREWOLF", "WEREWOLF", "")]
    )
    assert found is not None
    assert found.wins == {"WEREWOLF": 3, "VILLAGER": 1, "": 1}
    assert found.roles == [
        RoleWins("SEER", 4, 1, 0.25),
        RoleWins("WEREWOLF", 4, 3, 0.75),
        RoleWins("MINION", 4, 3, 0.75),
    ]


def test_a_claim_counts_once_a_player_and_game_by_the_role_dealt_and_only_aloud() -> None:
    talk = [
        ("Rin", "I am the seer."),
        ("Rin", "Really, I'm the seer!"),
        ("Ken", "No, I am the real seer."),
        ("Mio", "I'm the medium."),
    ]
    found = count_games(
        [table(*talk), table(("Rin", "Ken says I'm the seer.")), table(("Rin", "I am the seer."), channel="whisper")]
    )
    assert found is not None
    assert {each.role: (each.players, each.claimed) for each in found.claims} == {
        "SEER": (3, {"SEER": 1}),
        "WEREWOLF": (3, {"SEER": 1}),
        "MEDIUM": (3, {"MEDIUM": 1}),
    }


def test_what_is_said_after_the_end_is_no_claim() -> None:
    conversation = told()
    after = Conversation((*conversation.turns, Turn("Rin", "I was the seer.")), "one", conversation.game)
    found = count_games([after])
    assert found is not None
    assert not any(each.claimed for each in found.claims)


@pytest.mark.parametrize(
    ("language", "text", "roles"),
    [
        ("en", "Good morning. I am the seer.", ["SEER"]),
        ("en", "I’m really the true Seer and Ken is a wolf", ["SEER"]),
        ("en", "My role is villager. Have a good game.", ["VILLAGER"]),
        ("en", "I claim Medium. Aoi was human.", ["MEDIUM"]),
        ("en", "Seer CO. Ken is human.", ["SEER"]),
        ("en", "As the bodyguard, I kept watch over Mio.", ["BODYGUARD"]),
        ("en", "If I am the seer, what then?", []),
        ("en", "Ken thinks that I'm a werewolf.", []),
        ("en", "I am not the seer.", []),
        ("en", "Is Ken the seer? I am sure the seer is Rin.", []),
        ("en", "占い師CO", []),
        ("ja", "占いCO、ミオは白。", ["SEER"]),
        ("ja", "おはよう。占い師ＣＯ!", ["SEER"]),
        ("ja", "占い師です。よろしく。", ["SEER"]),
        ("ja", "私は本物の占い師だよ。", ["SEER"]),
        ("ja", "ここで霊媒師COします。", ["MEDIUM"]),
        ("ja", "俺が騎士だ。昨夜はミオを守った。", ["BODYGUARD"]),
        ("ja", "私の役職は村人です。", ["VILLAGER"]),
        ("ja", "ミオの占い師COは早すぎる。", []),
        ("ja", "セルが霊媒師COだ。", []),
        ("ja", "私は占い師ではありません。", []),
        ("ja", "占い師COありがとう。", []),
        ("ja", "あなたは占い師ですか?", []),
        ("ja", "私が占い師だったらどうする?", []),
        ("ja", "ミオの「私は人狼だ」は冗談?", []),
        ("zh", "I am the seer. 占い師CO", []),
    ],
)
def test_claims(language: str, text: str, roles: list[str]) -> None:
    assert list(claims_in(text, language)) == roles


def test_the_course_of_a_game() -> None:
    found = count_games([told("ja")])
    assert found is not None
    assert found.tables == [Table("made", "ja", 5, 1)]
    assert found.talk[1] == Talk("whisper", 1, 2, 2, len("Whom do we eat?") + len("Jun it is."))
    assert found.talk[1].a_game(2) == 2
    assert found.talk[1].a_player(2) == 1
    assert found.timeline.roles["Aoi"] == "WEREWOLF"
    assert found.timeline.days[:2] == [
        Day("Day 0", {"": 2, "thought": 1, "whisper": 1}, ["Rin found out that Ken is a werewolf."]),
        Day(
            "Day 1",
            {"": 1, "whisper": 1},
            [
                "The votes: Ken, Rin and Mio for Aoi; Aoi for Rin; Jun for nobody.",
                "Aoi was voted out.",
                "The werewolves' votes for an attack: Ken for Jun.",
                "The werewolves attacked Jun, who died.",
                "Mio found out that Aoi, who was voted out, was a werewolf.",
            ],
        ),
    ]
    assert found.timeline.days[-1].told[-1].startswith("The game is over: the village won.")


@given(games())
def test_every_utterance_is_counted_and_every_page_holds(conversation: Conversation) -> None:
    found = count_games([conversation])
    assert found is not None
    channels = Counter(turn.channel for turn in conversation.turns)
    assert {each.channel: each.utterances for each in found.talk} == channels
    assert sum((Counter(day.talk) for day in found.timeline.days), Counter()) == channels
    assert "A game of median length" in to_html(inspect([conversation], Tally(kept=len(conversation.turns))))


def test_an_inspection_of_games_shows_both_general_and_game_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Path("games.jsonl").open("w", encoding="utf-8") as file:
        write_conversations([told(), table(("Rin", "I am the <seer>, I am the seer."), ("Ken", "No."))], file)

    def call(*arguments: str) -> str:
        assert (
            run(
                lambda: app.meta(
                    ["data", "inspect", "games.jsonl", *arguments], exit_on_error=False, print_error=False
                ),
                {},
            )
            == 0
        )
        return capsys.readouterr().out

    shown = call()
    assert "12 turns read = 12 kept" in shown
    assert "2 games of werewolf, won by: VILLAGER 2" in shown
    assert "Day 1: utterances: 1 to everybody, 1 to the wolves" in shown
    assert "Aoi was voted out." in shown
    figures = json.loads(call("--json", "--html", "page.html"))
    assert figures["kept"] == 12
    assert figures["games"]["wins"] == {"VILLAGER": 2}
    assert next(each for each in figures["games"]["claims"] if each["role"] == "SEER") == {
        "role": "SEER",
        "players": 2,
        "claimed": {"SEER": 1},
    }
    page = Path("page.html").read_text(encoding="utf-8")
    for title in (
        "Speakers",
        "Werewolf games (2)",
        "Games by winning side",
        "Players who claim to be SEER",
        "A game of median length",
    ):
        assert title in page
    assert "&lt;seer&gt;" in page
    assert run(lambda: app.meta(["data", "inspect", "example"], exit_on_error=False, print_error=False), {}) == 0
    assert "werewolf, won by" not in capsys.readouterr().out


@pytest.mark.skipif(not (DATA / "aiwolf_nlp_viewer").is_dir(), reason="the contest's games are not there")
def test_the_figures_of_the_contest_are_those_of_its_files() -> None:
    """Against the last lines and status lines of the logs, read as plain CSV."""
    folder = DATA / "aiwolf_nlp_viewer"
    winners, sizes = Counter[str](), Counter[int]()
    for path in folder.rglob("*.log"):
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        winners.update(row[-1] for row in rows if row[1:2] == ["result"])
        sizes[len({row[2] for row in rows if len(row) > 4 and row[1] == "status"})] += 1
    found = count_games(list(read_conversations(folder, ReadConfig(), Tally())))
    assert found is not None
    assert winners
    assert found.wins == winners
    assert sum((Counter({each.players: each.games}) for each in found.tables), Counter()) == sizes
