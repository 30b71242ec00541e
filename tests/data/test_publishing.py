"""What is published of people who are protected: no file that a command writes names anybody."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.cli import app, run
from wolf_chatbox.config import CleanConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import publishable
from wolf_chatbox.data.privacy import names
from wolf_chatbox.game import Game, Player
from wolf_chatbox.training.loop import train

CHAT = """\
13.6.2018, 21:25 - Jane Doe: Bob, mail me at jane@example.org
13.6.2018, 21:26 - Bob Oar: jane, no
13.6.2018, 21:27 - Jane Doe: Will you come to the lake?
13.6.2018, 21:28 - Bob Oar: Yes
"""
"""Enough to be read as a chat."""


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(lambda: app.meta(list(arguments), exit_on_error=False, print_error=False), {})
        return code, *capsys.readouterr()

    return call


def leaking(text: str) -> list[str]:
    return re.findall(r"\b(?:jane|doe|bob|oar|key\.json)\b", text, re.IGNORECASE)


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    name = "WhatsApp Chat with Jane Doe.txt"
    Path(name).write_text(CHAT * 6)
    return name


def test_what_is_converted_and_reported_names_nobody(chat: str, cli: Any) -> None:
    code, out, err = cli(
        "data", "convert", chat, "-o", "out.jsonl", "--pseudonyms", "key.json", "--report", "report.json"
    )
    assert code == 0
    assert out == ""
    assert chat in err  # his own terminal
    for path in ("out.jsonl", "report.json"):
        assert leaking(Path(path).read_text()) == []
    assert json.loads(Path("report.json").read_text())["files"] == [["1 file", "WhatsApp chat"]]


@pytest.mark.parametrize("form", ["conversations", "openai", "sharegpt", "raw"])
@pytest.mark.parametrize("protection", ["--scrub", "--scrub-names"])
def test_a_group_is_not_named_after_its_file(
    chat: str, cli: Any, protection: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "installed_models", lambda: {"en": "en_core_web_md"})
    monkeypatch.setattr(names, "load_finder", lambda language, model: lambda text: [])
    assert cli("data", "convert", chat, "-o", "out.jsonl", "--to", form, protection)[0] == 0
    assert "WhatsApp" not in Path("out.jsonl").read_text()
    assert cli("data", "inspect", chat, "--json", "--html", "page.html", protection)[0] == 0
    assert "WhatsApp Chat with" not in Path("page.html").read_text()


def test_protected_groups_stay_apart_and_their_recordings_together(tmp_path: Path) -> None:
    def game(group: str, same_as: str) -> Conversation:
        return Conversation((Turn("Ann", "hi"),), group, Game("set", "en", (Player("Ann"),), (), same_as=same_as))

    chats = [
        game("Ann", "Ann and Bob"),
        game("Bob", "Ann and Bob"),
        Conversation((Turn("Ann", "hi"),), "Ann"),
        game("Cy", ""),
    ]
    found = list(publishable(chats, CleanConfig(scrub=True)))
    assert not re.search("Ann|Bob|Cy", "".join(each.group + (each.game.same_as if each.game else "") for each in found))
    assert [each.group for each in found].count(found[0].group) == 2
    assert len({each.group for each in found}) == 3
    assert [bool(each.game and each.game.same_as) for each in found] == [True, True, False, False]
    assert len({each.game.same_as for each in found[:2] if each.game}) == 1
    assert list(publishable(chats, CleanConfig())) == chats


def test_an_inspection_that_is_passed_on_names_nobody(chat: str, cli: Any) -> None:
    code, out, _ = cli("data", "inspect", chat, "--pseudonyms", "key.json", "--html", "page.html", "--json")
    assert code == 0
    assert leaking(out) == []
    assert leaking(Path("page.html").read_text()) == []
    code, _, _ = cli("data", "inspect", chat, "--scrub", "--html", "scrubbed.html")
    assert chat not in Path("scrubbed.html").read_text()
    assert "@example.org" not in Path("scrubbed.html").read_text()
    code, out, _ = cli("data", "inspect", chat, "--html", "open.html")
    assert chat in Path("open.html").read_text()


def test_a_model_that_is_passed_on_names_nobody(chat: str, config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "persona": "jane doe",
        "clean": CleanConfig(pseudonyms=Path("key.json")),
        "output": Path("model"),
        "data": (chat,),
    }
    train(config(**settings))
    jane = dict(json.loads(Path("key.json").read_text())["speakers"])["Jane Doe"]
    for name in (
        "run.json",
        "README.md",
        "metrics.jsonl",
        "tokenizer_config.json",
        "config.json",
        "generation_config.json",
    ):
        assert leaking((Path("model") / name).read_text()) == [], name
    run = json.loads(Path("model/run.json").read_text())
    assert run["persona"] == run["settings"]["persona"] == jane
    assert run["data"]["files"] == [{"path": "1 file", "format": "WhatsApp chat"}]
    assert (run["settings"]["data"], run["settings"]["clean"]["pseudonyms"]) == (["1 given"], True)
    assert "- Data: 1 file: " in Path("model/README.md").read_text()
    train(config(**settings | {"clean": CleanConfig(scrub=True), "output": Path("scrubbed")}))
    assert chat not in Path("scrubbed/run.json").read_text() + Path("scrubbed/README.md").read_text()


def test_an_error_names_nobody(tmp_path: Path, cli: Any) -> None:
    players = [{"name": "Jane Doe"}, {"name": "Bob"}]
    for game in (
        {"players": players, "events": [{"at": 0, "day": 1, "kind": "vote", "actor": "Jane Doe", "target": "Oar"}]},
        {"players": [*players, players[0]], "events": []},
    ):
        value = {
            "group": "g",
            "turns": [{"speaker": "Jane Doe", "text": "hi"}],
            "game": {"source": "x", "language": "en", **game},
        }
        path = tmp_path / "game.jsonl"
        path.write_text(json.dumps(value) + "\n")
        code, _, err = cli(
            "data", "convert", str(path), "-o", str(tmp_path / "out.jsonl"), "--pseudonyms", str(tmp_path / "x.json")
        )
        assert code == 1
        assert err.startswith("error: ")
        assert leaking(err) == []
    code, _, err = cli(
        "data",
        "convert",
        "example",
        "-o",
        str(tmp_path / "out"),
        "--pseudonyms",
        str(tmp_path / "x.json"),
        "--persona",
        "Grimbald",
    )
    assert code == 1
    assert "Grimbold" not in err
