"""Names of people who do not take part in a conversation, with a stand-in for Presidio, and with itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from wolf_chatbox.cli import app, run
from wolf_chatbox.config import CleanConfig
from wolf_chatbox.conversation import Conversation, Turn, parse_conversations
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.privacy import names
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import ConfigError

PEOPLE = {"en": "Mordecai Finch|Mordecai|Ann's|Ann Oar|Ann|Oar|email", "ja": "花子さん|太郎|次郎"}
JAPANESE = "明日は湖に行きますか？天気がいいですね。" * 12


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """A stand-in that knows a few people in English and Japanese; the models that were loaded."""
    models: list[tuple[str, str]] = []

    def load(language: str, model: str) -> names.Find:
        models.append((language, model))
        return lambda text: [
            SimpleNamespace(start=match.start(), end=match.end()) for match in re.finditer(PEOPLE[language], text)
        ]

    monkeypatch.setattr(names, "installed_models", lambda: {"ja": "ja_core_news_sm", "en": "en_core_web_md"})
    monkeypatch.setattr(names, "load_finder", load)
    return models


def talk(*turns: tuple[str, str]) -> Conversation:
    return Conversation(tuple(Turn(*turn) for turn in turns), "chat")


def cleaned(*conversations: Conversation, **settings: Any) -> tuple[list[list[str]], Tally]:
    tally = Tally(kept=sum(len(each.turns) for each in conversations))
    found = list(clean(conversations, CleanConfig(scrub_names=True, **settings), tally))
    return [[turn.text for turn in each.turns] for each in found], tally


def test_who_does_not_take_part_gets_a_mark_and_a_speaker_none(loaded: list[tuple[str, str]]) -> None:
    (texts,), tally = cleaned(
        talk(
            ("Ann Oar", "Mordecai Finch knows Mordecai, he is at b@example.org"),
            ("Bob", "Ann's boat is not Mordecai's. Ann Oar!"),
        ),
        scrub=True,
    )
    assert texts == ["[name] knows [name], he is at [email]", "Ann's boat is not [name]'s. Ann Oar!"]
    assert +tally.changed == {"name": 3, "email": 1}
    assert "Mordecai" not in json.dumps(tally.record())
    assert loaded == [("en", "en_core_web_md")]


def test_a_name_is_looked_for_in_the_language_of_the_conversation(loaded: list[tuple[str, str]]) -> None:
    texts, tally = cleaned(
        talk(("Ann", "Mordecai is here.")),
        talk(("花子", f"{JAPANESE}太郎は？"), ("健", "花子さん、次郎に聞いて")),
        talk(("健", "太郎だ")),
    )
    assert texts == [["[name] is here."], [f"{JAPANESE}[name]は？", "花子さん、[name]に聞いて"], ["[name]だ"]]
    assert tally.changed["name"] == 4
    assert loaded == [("en", "en_core_web_md"), ("ja", "ja_core_news_sm")]


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_no_conversation_depends_on_those_before_it(loaded: list[tuple[str, str]], order: tuple[int, ...]) -> None:
    conversations = [
        talk(("Ann", "Mordecai is here.")),
        talk(("花子", f"{JAPANESE}太郎は？"), ("健", "次郎に聞いて")),
        talk(("健", "太郎だ")),
        talk(
            ("Bob", "I have not seen Mordecai for a week, and the boat is still in the garden behind the house. " * 3)
        ),
    ]
    alone = [cleaned(conversation)[0][0] for conversation in conversations]
    texts, _ = cleaned(*(conversations[at] for at in order))
    assert texts == [alone[at] for at in order]


def test_a_model_of_many_languages_serves_those_without_one(
    loaded: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "installed_models", lambda: {"en": "en_core_web_md", "xx": "xx_ent_wiki_sm"})
    found = names.Names()
    assert found.language(talk(("花子", JAPANESE))) == found.language(talk(("健", "太郎だ"))) == "xx"
    assert found.language(talk(("Ann", "Who brings the oars to the lake tomorrow?"))) == "en"


def test_twice_is_once_and_pseudonyms_come_after(loaded: list[tuple[str, str]], tmp_path: Path) -> None:
    (once,), _ = cleaned(talk(("Ann", "Mordecai, this is Ann"), ("Bob", "no")), pseudonyms=tmp_path / "key.json")
    invented = json.loads((tmp_path / "key.json").read_text())["speakers"]["Ann"]
    assert once[0] == f"[name], this is {invented}"
    (again,), tally = cleaned(talk(("x", once[0])))
    assert again == once[:1]
    assert tally.changed["name"] == 0


def test_a_language_without_a_model_ends_it(loaded: list[tuple[str, str]]) -> None:
    german = "Wer bringt morgen die Ruder zum See? Ich nicht, ich bringe wie immer die belegten Brote mit. " * 4
    with pytest.raises(
        ConfigError,
        match=r"in de: python -m spacy download de_core_news_lg\. Or leave such conversations out with --languages",
    ):
        cleaned(talk(("Ann", german)))
    assert [names.model_for(each) for each in ("en", "zh", "ja", "eo")] == [
        "en_core_web_lg",
        "zh_core_web_lg",
        "ja_core_news_lg",
        "xx_ent_wiki_sm",
    ]


@pytest.mark.parametrize(
    ("name", "speaker"),
    [
        ("Ann", True),
        ("ANN OAR", True),
        ("Ann’s", True),
        ("花子さん", True),
        ("Ａｎｎ", True),
        ("Annabel", False),
        ("Ann Boat", False),
        ("山田花子", False),
        ("!", False),
    ],
)
def test_whose_name_it_is(name: str, speaker: bool) -> None:
    assert names.names_speaker(name, ["Ann Oar", "花子"]) == speaker


# What is installed


def spacy_with(*models: str) -> ModuleType:
    module = ModuleType("spacy")
    module.util = SimpleNamespace(get_installed_models=lambda: list(models))  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(
    ("modules", "says"),
    [
        ({"presidio_analyzer": None}, "pip install 'wolf-chatbox[names]' && python -m spacy download en_core_web_lg"),
        (
            {"presidio_analyzer": ModuleType("presidio_analyzer"), "spacy": spacy_with()},
            "needs a spaCy model: python -m spacy download en_core_web_lg",
        ),
    ],
)
def test_what_is_missing_is_one_line(
    modules: dict[str, Any],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    output = tmp_path / "out.jsonl"
    arguments = ["data", "convert", "example", "-o", str(output), "--scrub-names"]
    code = run(lambda: app.meta(arguments, exit_on_error=False, print_error=False), {})
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("error: --scrub-names")
    assert says in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_best_of_the_models_of_a_language_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", ModuleType("presidio_analyzer"))
    monkeypatch.setitem(
        sys.modules,
        "spacy",
        spacy_with("en_core_web_sm", "ja_core_news_md", "en_core_web_lg", "en_mine", "xx_ent_wiki_sm"),
    )
    assert names.installed_models() == {"en": "en_core_web_lg", "ja": "ja_core_news_md", "xx": "xx_ent_wiki_sm"}


# With Presidio itself


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages with a spaCy model that knows two people and a town, and one that knows only the town."""
    for name, patterns in (
        ("en_tiny_people", {"Mordecai": "PERSON", "Zoe": "PER", "Oslo": "GPE"}),
        ("en_tiny_towns", {"Oslo": "GPE"}),
    ):
        module, about = tmp_path / "site" / name, tmp_path / "site" / f"{name}-1.0.dist-info"
        module.mkdir(parents=True)
        about.mkdir()
        rules = [{"label": label, "pattern": word} for word, label in patterns.items()]
        (module / "__init__.py").write_text(
            "import spacy\ndef load(**_):\n    nlp = spacy.blank('en')\n"
            f"    nlp.add_pipe('entity_ruler').add_patterns({rules!r})\n    return nlp\n"
        )
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[spacy_models]\n{name} = {name}\n")
    return tmp_path / "site"


@pytest.mark.slow
def test_presidio_finds_them_with_the_model_that_is_installed(site: Path, tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(
        "13.6.2018, 21:25 - Ann: Mordecai is in Oslo\n13.6.2018, 21:26 - Zoe: Zoe is not, Mordecai\n"
    )

    def convert(output: str, *models: str) -> subprocess.CompletedProcess[str]:
        # spaCy looks for models once in a process. What would be downloaded by pip fails at once.
        path = os.pathsep.join([str(site), *(each for each in sys.path if each)])
        program = (
            "import sys, spacy; spacy.cli.download = None\n"
            "installed = spacy.util.get_installed_models()\n"
            f"spacy.util.get_installed_models = lambda: [model for model in installed if model in {models!r}]\n"
            "from wolf_chatbox.cli import main; main()"
        )
        return subprocess.run(
            [sys.executable, "-c", program, "data", "convert", "chat.txt", "-o", output, "--scrub-names"],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
        )

    done = convert("out.jsonl", "en_tiny_people")
    assert done.returncode == 0, done.stderr
    assert "replaced: 2 (name)" in done.stderr
    (found,) = parse_conversations((tmp_path / "out.jsonl").read_text().splitlines(), "out")
    assert [turn.text for turn in found.turns] == ["[name] is in Oslo", "Zoe is not, [name]"]
    done = convert("none.jsonl", "en_tiny_towns")
    assert done.returncode == 2
    assert (
        "the spaCy model en_tiny_towns does not recognise people: python -m spacy download en_core_web_lg"
        in done.stderr
    )
    assert not (tmp_path / "none.jsonl").exists()
