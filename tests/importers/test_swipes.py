"""Replies of a character that were drawn again are choices between replies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tavern import FIRST_PAIRS, alternating, drawn, read, said, tavern
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_choices

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_the_shown_swipe_is_chosen_before_the_others_after_what_was_said(tmp_path: Path) -> None:
    chat = tavern(
        tmp_path / "a.jsonl",
        said("A room, {{user}}?", swipes=["A room, {{user}}?", "Closed."], swipe_id=0),
        said("Only soup.", user=True, swipes=["Only soup.", "Nothing."], swipe_id=0),
        said("Bread too?", swipes=["Sure.", "Bread too?", "Bread", "  ", "Go, {{user}}."], swipe_id=1),
        said("Yes.", user=True),
        said("Here.", swipes=["There.", "Here."], swipe_id=1),
    )
    tally = Tally()
    choices = list(read_choices(chat, tally=tally))
    assert [(each.chosen.text, each.rejected.text) for each in choices] == [
        ("Bread too?", "Sure."),
        ("Bread too?", "Go, Ann."),
    ]
    assert [(turn.speaker, turn.text) for turn in choices[0].context] == [
        ("Marlo", "A room, Ann?"),
        ("Ann", "Only soup."),
    ]
    assert {each.speaker for choice in choices for each in (choice.chosen, choice.rejected)} == {"Marlo"}
    assert tally.dropped == {
        "greeting": 1,
        "not a character's": 1,
        "beginning of the chosen reply": 1,
        "no text": 1,
        "last reply, not chosen yet": 1,
    }


def test_a_last_reply_that_somebody_went_back_to_is_chosen(tmp_path: Path) -> None:
    chat = tavern(
        tmp_path / "a.jsonl",
        *alternating(*FIRST_PAIRS[:2]),
        said("Sure.", swipes=["Sure.", "Bread too?"], swipe_id=0),
    )
    assert drawn(chat) == [("Sure.", "Bread too?")]


def test_a_reply_that_was_hidden_behind_a_system_message_is_chosen_once_the_chat_goes_on(tmp_path: Path) -> None:
    first, reply = alternating(*FIRST_PAIRS[:2]), said("Here.", swipes=["There.", "Here."], swipe_id=1)
    rain = said("It rains.", extra={"type": "narrator"})
    assert drawn(tavern(tmp_path / "a.jsonl", *first, reply, rain)) == []
    assert drawn(tavern(tmp_path / "b.jsonl", *first, reply, rain, said("Thanks.", user=True))) == [("Here.", "There.")]


def test_the_context_of_a_choice_has_an_end(tmp_path: Path) -> None:
    swiped = said("Here.", swipes=["Here.", "There."], swipe_id=0)
    chat = tavern(tmp_path / "a.jsonl", *alternating(*map(str, range(300))), swiped)
    [choice] = read_choices(chat)
    assert [turn.text for turn in choice.context] == [str(number) for number in range(250, 300)]


@pytest.mark.parametrize("case", ["sillytavern/inn", "character_ai/dumps", "agnai/inn", "text_generation_webui/logs"])
def test_every_other_reply_of_a_file_is_a_choice_or_counted(case: str) -> None:
    [path] = FIXTURES.glob(f"{case}.input.*")
    reading, choosing = Tally(), Tally()
    read(path, reading)
    list(read_choices(path, tally=choosing))
    assert choosing.kept > 0
    assert choosing.kept + choosing.dropped.total() == reading.dropped["other reply"]
