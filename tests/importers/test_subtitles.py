"""What of a subtitle is a name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations


def told(folder: Path, *cues: str, name: str = "film.srt") -> tuple[list[tuple[str, str]], Counter[str]]:
    """Who says what in cues of a second each, and what is dropped."""
    times = (f"{at}\n00:00:{at:02},000 --> 00:00:{at:02},900\n{cue}\n" for at, cue in enumerate(cues, 1))
    path = folder / name
    path.write_text("\n".join(times), encoding="utf-8")
    tally = Tally()
    read = read_conversations(path, ReadConfig(), tally)
    return [(turn.speaker, turn.text) for conversation in read for turn in conversation.turns], tally.dropped


@pytest.mark.parametrize(
    "cue", ["Règle numéro un: pas touche.", "J'ai dit: pas touche.", "Attention: the boat!", "[Sighing] The boat."]
)
def test_words_before_a_colon_are_no_speaker_of_a_film_that_names_none(tmp_path: Path, cue: str) -> None:
    turns, dropped = told(tmp_path, "The boat leaks.", cue, "It does.")
    assert turns == []
    assert dropped == {"no speaker": 3}


def test_nor_do_they_take_the_word_from_a_speaker(tmp_path: Path) -> None:
    turns, _ = told(tmp_path, "Ann: Hello.", "Bob: Hello.", "Ann: Rule number one: no boats.", "J'ai dit: no boats.")
    assert turns == [
        ("Ann", "Hello."),
        ("Bob", "Hello."),
        ("Ann", "Rule number one: no boats."),
        ("Ann", "J'ai dit: no boats."),
    ]


def test_a_name_that_comes_back_counts_and_one_with_a_capital_where_others_do(tmp_path: Path) -> None:
    turns, dropped = told(tmp_path, "Ann: Hello.", "Zoë: Hello.", "Old man: Who?", "Ann: Me.", "Old man: Who?")
    assert [speaker for speaker, _ in turns] == ["Ann", "Zoë", "Old man", "Ann", "Old man"]
    assert not dropped
    turns, dropped = told(tmp_path, "Zoë: Hello.", "Bob: Hello.")
    assert (turns, dropped) == ([], {"no speaker": 2})


def test_a_sound_in_brackets_is_no_name(tmp_path: Path) -> None:
    cues = [
        "[Ann] Hello.",
        "[sighs] The boat.",
        "[man] Who?",
        "[LAUGHING] Me.",
        "[Ann] Who?",
        "[man] Me.",
        "[sighs] Oh.",
    ]
    turns, _ = told(tmp_path, *cues)
    assert turns == [
        ("Ann", "Hello."),
        ("Ann", "[sighs] The boat."),
        ("man", "Who?"),
        ("man", "[LAUGHING] Me."),
        ("Ann", "Who?"),
        ("man", "Me."),
        ("man", "[sighs] Oh."),
    ]


def test_a_colon_is_no_mark_of_a_film_that_marks_with_brackets(tmp_path: Path) -> None:
    turns, _ = told(tmp_path, "[Ann] Hello.", "Listen: the boat.", "[Bob] Hello.", "[Ann] Bye.", "[young Bob] Bye.")
    assert [speaker for speaker, _ in turns] == ["Ann", "Ann", "Bob", "Ann", "young Bob"]


def test_times_within_a_cue_and_times_of_one_digit(tmp_path: Path) -> None:
    path = tmp_path / "talk.vtt"
    path.write_text(
        "WEBVTT\n\na/1-0\n0:0:0.0 --> 0:0:3.540\n<v Ann>The <00:00:01.000>boat <00:02.500>leaks.</v>\n\n"
        "a/2-0\n0:0:4.2 --> 1:2:7.950\n<v Bob>It does.</v>\n",
        encoding="utf-8",
    )
    (conversation,) = read_conversations(path)
    assert [turn[:2] for turn in conversation.turns] == [("Ann", "The boat leaks."), ("Bob", "It does.")]
