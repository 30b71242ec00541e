"""`make demo`: which script it learns, what it asks without a terminal, and what chooses its language."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, make_gpt2, write_script
from wolf_chatbox.errors import ModelError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.model.record import read_run

spec = importlib.util.spec_from_file_location("demo", ROOT / "examples" / "demo.py")
assert spec
assert spec.loader
demo: Any = importlib.util.module_from_spec(spec)
sys.modules["demo"] = demo
spec.loader.exec_module(demo)

SHOWN = pytest.mark.parametrize("language", demo.DEMOS)


@SHOWN
def test_it_learns_a_character_of_the_script_with_the_most_lines(language: str) -> None:
    show = demo.DEMOS[language]
    said = [turn.speaker for conversation in read_conversations(show.data) for turn in conversation.turns]
    assert max(set(said), key=said.count) == show.persona


def test_each_japanese_question_is_one_that_the_script_answers() -> None:
    show = demo.DEMOS["ja"]
    answered = {
        asked.text
        for conversation in read_conversations(show.data)
        for asked, answer in zip(conversation.turns, conversation.turns[1:], strict=False)
        if answer.speaker == show.persona
    }
    for question in show.questions:
        assert any(question.endswith(text) for text in answered), question


def test_without_a_terminal_it_trains_once_and_asks_three_questions(
    tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_gpt2(len(tokenizer), context=512).save_pretrained("base")  # as long as the rows of the demo
    tokenizer.save_pretrained("base")
    write_script(tmp_path / "script.csv", episodes=2, speakers=("旅人", "おトラ"))
    show = replace(demo.DEMOS["ja"], data="script.csv", model="base", licence="")
    assert demo.demo(show, fresh=False) == 0
    assert read_run(Path("demo_model_ja"))["persona"] == "おトラ"
    shown = capsys.readouterr().out.splitlines()
    assert show.begins in shown
    assert [f"旅人: {question}" for question in show.questions] == [line for line in shown if line.startswith("旅人")]
    assert sum(line.startswith("おトラ: ") for line in shown) == 3
    assert shown[-1].startswith("成績表"), "it ends with the scorecard"
    assert "%" in shown[-1]
    monkeypatch.setattr(demo, "fine_tune", None)  # it would be called to train again
    assert demo.demo(show, fresh=False) == 0
    for name in ("learnt.bin", "evaluation.json"):  # as an earlier version left its model
        Path("demo_model_ja", name).unlink()
    capsys.readouterr()
    assert demo.demo(show, fresh=False) == 0, "it is talked with, without a scorecard"
    assert "成績表" not in capsys.readouterr().out


def test_who_does_not_agree_to_the_licence_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(model: str) -> int:
        raise ModelError(f"{model}: not agreed")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("wolf_chatbox.model.hub.is_cached", lambda model: False)
    monkeypatch.setattr("wolf_chatbox.cli.models.pull", refuse)
    with pytest.raises(ModelError, match="gemma3-270m: not agreed"):
        demo.demo(demo.DEMOS["ja"], fresh=False)
    assert capsys.readouterr().out == demo.DEMOS["ja"].licence + "\n"
    assert not list(tmp_path.glob("demo_model*"))


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize(
    ("typed", "of_the_shell", "japanese"),
    [("LANG=ja", "en_US.UTF-8", True), ("LANG=ja_JP.UTF-8", "C", False), ("", "ja_JP.UTF-8", False), ("", "ja", False)],
)
def test_a_language_is_chosen_by_whoever_types_it_and_not_by_the_shell(
    typed: str, of_the_shell: str, japanese: bool
) -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "demo", *typed.split()],
        cwd=ROOT,
        env=os.environ | {"LANG": of_the_shell},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert ("examples/demo.py --language ja" in shown) is japanese
    assert "examples/demo.py" in shown
