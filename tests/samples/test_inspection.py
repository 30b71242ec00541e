"""`wolf-chatbox data inspect` and `data convert`, and what they are made of."""

from __future__ import annotations

import json
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from wolf_chatbox.cli import app, run
from wolf_chatbox.config import ReadConfig, TrainConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.samples.dataset import prepare
from wolf_chatbox.samples.inspection import binned, inspect
from wolf_chatbox.samples.report import to_html
from wolf_chatbox.samples.warnings import LINES, Advice, Shares, alike
from wolf_chatbox.settings import declared
from wolf_chatbox.words import languages as languages_of_the_page
from wolf_chatbox.words import words_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
SETTINGS = {name.rpartition(".")[2] for name in declared(TrainConfig)}


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(lambda: app.meta(list(arguments), exit_on_error=False, print_error=False), {})
        return code, *capsys.readouterr()

    return call


def looked(*conversations: Conversation) -> Any:
    return inspect(list(conversations), Tally(kept=sum(len(each.turns) for each in conversations)))


# Inspecting


def test_the_counts_are_those_of_the_reader(cli: Any) -> None:
    code, out, _ = cli("data", "inspect", str(FIXTURES / "whatsapp/android_us.input.txt"), "--json")
    found = json.loads(out)
    tally = Tally()
    conversations = list(read_conversations(FIXTURES / "whatsapp/android_us.input.txt", ReadConfig(), tally))
    assert code == 0
    assert found["dropped"] == dict(tally.dropped)
    assert found["read"] == tally.read == found["kept"] + found["joined"] + sum(found["dropped"].values())
    assert {each["name"]: each["turns"] for each in found["speakers"]} == {"Ann": 2, "Bob 🛶": 1}
    assert found["joined"] == 1
    assert (found["first"], found["last"]) == ("2020-12-09T23:56:00", "2020-12-13T08:01:00")
    assert found["conversations"] == len(conversations)


def test_the_same_on_the_terminal(cli: Any) -> None:
    code, out, _ = cli("data", "inspect", "example")
    assert code == 0
    assert "566 turns read = 566 kept + 0 dropped" in out
    assert "13 conversations in 13 groups, of 42 to 47 turns" in out
    assert re.search(r"Grimbold +266 +47\.0%", out)
    assert "languages: en 100%" in out


def test_one_of_each_is_told_in_the_singular(cli: Any) -> None:
    _, out, _ = cli("data", "inspect", str(FIXTURES / "eml/single.input.eml"))
    assert "\n1 turn read = 1 kept + 0 dropped\n1 conversation in 1 group, of 1 turn\n" in out
    _, out, _ = cli("data", "inspect", str(FIXTURES / "claude/single.input.json"))
    assert "\nlanguages: too little text to tell\n" in out


def test_a_base_model_tells_tokens_and_what_is_learnt(cli: Any, tiny_gpt2: Path) -> None:
    _, out, _ = cli(
        "data",
        "inspect",
        "example",
        "--model",
        str(tiny_gpt2),
        "--persona",
        "Grimbold",
        "--max-tokens",
        "128",
        "--json",
    )
    tokens = json.loads(out)["tokens"]
    assert 0 < tokens["learnt"] < tokens["all"]
    assert tokens["all"] - tokens["held_out"] == round(tokens["filled"] * tokens["rows"] * tokens["row"])
    assert tokens["row"] == 128
    assert 0 < tokens["turn_median"] < tokens["turn_most"] <= 128
    assert tokens["over_row"] == 0
    for sample in tokens["samples"]:
        assert any(learnt for _, learnt in sample)
        assert any(not learnt for _, learnt in sample)
        assert not any("Traveller" in text for text, learnt in sample if learnt)


def conversation(*turns: tuple[str, str], group: str = "g") -> Conversation:
    return Conversation(tuple(Turn(*turn) for turn in turns), group)


@pytest.mark.parametrize(
    ("conversations", "warning"),
    [
        ([conversation(("Ann", "hello there"))], "only 1 turns: a persona needs"),
        ([conversation(*[("Ann", f"word {at}") for at in range(99)], ("Bob", "no"))], "Ann has 99% of the turns"),
        ([conversation(("Ann", "hello"), ("Ann", "hello again"))], "only Ann speaks"),
        ([conversation(("Ann", "cafÃ© and more"), ("Bob", "well"))], "turns with broken characters: 1"),
        ([conversation(("José", "hello"), ("jose", "hi"))], "José and jose look like the same speaker"),
        (
            [conversation(("+44 1234 5678", "hello"), ("Bob", "hi"))],
            "speakers named by a phone number or an address: 1. Hide them with --pseudonyms FILE.",
        ),
        (
            [
                conversation(
                    *[("Ann", "who brings the oars tomorrow"), ("Bob", "not me, as always"), ("Ann", "pity")],
                    group=f"{at}",
                )
                for at in range(9)
            ],
            "are near-duplicates. Drop them with --duplicates near.",
        ),
    ],
)
def test_warnings(conversations: list[Conversation], warning: str) -> None:
    found = looked(*conversations)
    assert any(warning in line for line in found.to_dict()["warnings"]), found.warnings


def test_copies_on_both_sides_of_the_split_are_a_leak() -> None:
    talk = [("Ann", "who brings the oars tomorrow"), ("Bob", "not me, as always"), ("Ann", "what a pity that is")]
    assert looked(*[conversation(*talk, group=f"{at}") for at in range(20)]).leak == 1


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("language", languages_of_the_page())
def test_every_warning_has_its_words_with_the_same_facts(kind: str, language: str) -> None:
    """No language leaves a fact out, and the settings that a line names are settings."""
    facts = {name for _, name, _, _ in Formatter().parse(LINES[kind]) if name}
    values = {name: Shares(en=0.8, ja=0.2) if name == "shares" else 0.123 for name in facts}
    said = words_of(language)(f"warnings.{kind}", **values)
    assert all(str(value) in said or "12%" in said for value in values.values()), said
    assert "`" not in said
    assert "--" not in said
    assert all(setting in SETTINGS for setting in Advice(kind, values).settings)


def test_a_name_in_a_warning_is_no_setting() -> None:
    assert Advice("monologue", {"name": "`repair` {count}"}).parts == (
        "only `repair` {count} speaks: the model learns a monologue, not replies. Add other speakers.",
    )


def test_good_data_gets_no_warning() -> None:
    tally = Tally()
    found = inspect(list(read_conversations("example", ReadConfig(), tally)), tally)
    assert found.warnings == []


def test_names_alike() -> None:
    assert alike(["Ann", "ANN ", "Bob", "Bób", "Carl"]) == [("Ann", "ANN "), ("Bob", "Bób")]


def test_many_files_of_a_folder_are_listed_as_one() -> None:
    files = [(f"a/{at}.json", "X") for at in range(9)] + [("b.txt", "Y")]
    assert Tally(formats=files).files() == [("a (9 files)", "X"), ("b.txt", "Y")]


# The page


class Page(HTMLParser):
    """Collects tags and words, and fails when a tag is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "!doctype"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_needs_nothing_else_and_shows_both_themes(cli: Any, tiny_gpt2: Path) -> None:
    code, out, _ = cli("data", "inspect", "example", "--model", str(tiny_gpt2), "--html", "report.html")
    text = Path("report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert code == 0
    assert "The report is in report.html." in out
    assert not re.search(r"https?://|<script|<link|<img|url\(", text)
    assert "prefers-color-scheme: dark" in text
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
    assert "Grimbold" in page.words
    assert any(tag == "mark" for tag, _ in page.tags)


def test_what_people_wrote_is_no_markup() -> None:
    found = looked(conversation(("<b>Ann</b>", "<script>alert(1)</script>"), ("Bob & Co", '"><img src=x>')))
    page = Page(to_html(found))
    assert {"script", "img"}.isdisjoint(tag for tag, _ in page.tags)
    assert "<script>alert(1)</script>" in page.words


def test_lengths_have_no_gap_between_the_shortest_and_the_longest() -> None:
    assert binned([2, 2, 3, 9, 2000]) == {
        "2": 2,
        "4": 1,
        "8": 0,
        "16": 1,
        "32": 0,
        "64": 0,
        "128": 0,
        "256": 0,
        "512": 0,
        "1024": 0,
        "more": 1,
    }
    assert binned([]) == {}


@pytest.mark.parametrize(
    ("last", "title", "bars"), [(datetime(2024, 3, 1), "Turns by month", 3), (datetime(2030, 3, 1), "Turns by year", 7)]
)
def test_months_without_a_turn_are_shown_and_many_years_are_short(last: datetime, title: str, bars: int) -> None:
    page = to_html(looked(Conversation((Turn("Ann", "hello", datetime(2024, 1, 1)), Turn("Bob", "hi", last)))))
    section = page[page.index(title) :].partition("</div>")[0]
    assert section.count("<i ") == bars
    assert "<b>0</b>" in section


def test_training_cleans_as_inspecting_does(tokenizer: Any, tmp_path: Path) -> None:
    path = FIXTURES / "whatsapp/android_us.input.txt"
    dataset = prepare(TrainConfig(data=(str(path),), output=tmp_path / "out", validation_share=0), tokenizer, 64)
    assert dataset.turns() == {"read": 10, "learnt": 3, "held out": 0, "context only": 0, "joined": 1, "dropped": 6}
