"""Transcripts as fans write them, and Fountain."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.importers.shared.speakers import is_capitalised
from wolf_chatbox.importers.shared.stage_directions import is_direction


def told(
    folder: Path, content: str, name: str = "script.txt", **settings: object
) -> tuple[list[tuple[str, str]], Counter[str]]:
    """Who says what, and what of it is dropped."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    tally = Tally()
    read = read_conversations(path, ReadConfig(**settings), tally)  # type: ignore[arg-type]
    return [(turn.speaker, turn.text) for conversation in read for turn in conversation.turns], tally.dropped


def test_a_direction_may_be_long_and_go_on_over_lines(tmp_path: Path) -> None:
    long = "The boat, which is old, leaks. " * 10
    content = (
        f"ANN: One.\n({long})\nBOB: Two.\n(Ann rows\nand rows, {long}\nuntil noon.)\nANN: Three,\nand more.\n"
        "(Bob sleeps.)\nAnd four.\n(He never wakes\n\n[A jetty]\n\nBOB: Five.\nANN: Six.\n"
    )
    assert told(tmp_path, content) == (
        [
            ("ANN", "One."),
            ("BOB", "Two."),
            ("ANN", "Three,\nand more.\nAnd four."),
            ("BOB", "Five."),
            ("ANN", "Six."),
        ],
        {"system message": 5},
    )


def test_directions_that_are_kept_stand_between_what_is_said(tmp_path: Path) -> None:
    content = "ANN: One.\n(She rows.)\nTwo.\nBOB: Three.\nANN: Four.\nBOB: Five.\n"
    assert told(tmp_path, content)[0][:2] == [("ANN", "One.\nTwo."), ("BOB", "Three.")]
    assert told(tmp_path, content, also_keep=("system",))[0][:4] == [
        ("ANN", "One."),
        ("system", "(She rows.)"),
        ("ANN", "Two."),
        ("BOB", "Three."),
    ]


def test_brackets_at_both_ends_of_a_line_of_speech_are_no_direction(tmp_path: Path) -> None:
    turns, _ = told(tmp_path, "ANN: One.\n(softly) Two. (louder)\nBOB: Three.\nANN: Four.\nBOB: Five.\n")
    assert turns[0] == ("ANN", "One.\n(softly) Two. (louder)")
    assert is_direction("(She rows. (Slowly.))")
    assert not any(map(is_direction, ("(softly) Two. (louder)", "[a", "a", "")))


def test_speech_without_a_name_is_counted_as_such_and_headings_are_not(tmp_path: Path) -> None:
    content = (
        "Title: The Boat\nOriginal Airdate: May 3, 2001\nWritten by: Nobody\n\nThe boat was built of tin.\n\nPART ONE\n"
        "ANN: One, two, and three, so I\n\ngot it.\n\nBOB: Two.\nANN [OC]: Three.\n\nFerry's log. We row\nstill.\n\n"
        "BOB: Four.\nPART TWO\nANN: Five.\n\nClosing credits\n"
    )
    turns, dropped = told(tmp_path, content)
    assert turns == [
        ("ANN", "One, two, and three, so I\ngot it."),
        ("BOB", "Two."),
        ("ANN", "Three."),
        ("BOB", "Four."),
        ("ANN", "Five."),
    ]
    assert dropped == {"system message": 7, "no speaker": 1}


def test_a_speech_of_several_paragraphs_goes_on_and_what_is_told_does_not(tmp_path: Path) -> None:
    talk = "**Ann:** I row.\n\nDo you?\n\n**Bob:** I did.\n\nThen my boat sank.\n\nThe lake is deep.\n\n**Ann:** Oh.\n"
    turns, dropped = told(tmp_path, talk, "talk.md")
    assert turns == [
        ("Ann", "I row.\nDo you?"),
        ("Bob", "I did.\nThen my boat sank.\nThe lake is deep."),
        ("Ann", "Oh."),
    ]
    assert not dropped
    story = "ANN: I row.\n\nShe rows.\n\nBOB: I did.\n\nHis boat sinks.\n\nThe lake is deep.\n\nANN: Oh.\n\nBOB: Oh.\n"
    turns, dropped = told(tmp_path, story)
    assert turns == [("ANN", "I row."), ("BOB", "I did."), ("ANN", "Oh."), ("BOB", "Oh.")]
    assert dropped == {"no speaker": 3}


def test_a_name_comes_back_or_is_capitalised(tmp_path: Path) -> None:
    content = (
        "ann: One.\nMr. Lake: I have a rule. It is\nrule number one: no boats.\nann: J'ai dit\nje le jure: deux.\n"
        "Ghost of Bob: Three.\nann: Four.\nC._Montgomery_Oar: Five.\nGuest #1: Six.\nann: Seven.\n"
    )
    turns, _ = told(tmp_path, content)
    assert [speaker for speaker, _ in turns] == [
        *("ann", "Mr. Lake", "ann", "Ghost of Bob", "ann", "C._Montgomery_Oar", "Guest #1", "ann"),
    ]
    assert turns[1][1].endswith("rule number one: no boats.")


@pytest.mark.parametrize(
    ("name", "capitalised"),
    [
        ("Ann", True),
        ("Lady of the Lake", True),
        ("O'Neil", True),
        ("花子", True),
        ("Règle numéro un", False),
        ("J'ai dit", False),
        ("the man", False),
        ("A B C D E F G", False),
        ("", False),
    ],
)
def test_what_is_capitalised_as_names_are(name: str, capitalised: bool) -> None:
    assert is_capitalised(name) is capitalised


def test_names_in_markdown(tmp_path: Path) -> None:
    content = "# Boats\n\n**Ann:** One.\n\n**Bob**: Two.\n\n*Ann:* Three.\n\n**Bob :** Four.\n"
    assert told(tmp_path, content)[0] == [("Ann", "One."), ("Bob", "Two."), ("Ann", "Three."), ("Bob", "Four.")]


TITLES = [
    "Title: The Oars\nAuthor: Nobody\nDraft date: 1/2/2024\n",
    "Title:\n\t_**THE OARS**_\n\t_**BROKEN**_\nCredit: Written by\nContact:\n    The Lake\n    Jetty 3: left\n",
    "Working title: The Oars\nFormat: Screenplay\nWater level: low\nTitle: The Oars\n",
    "[[A note: not yet.]]\n\nTitle: The Oars\nRevision: 3\n",
]


@pytest.mark.parametrize("title", TITLES, ids=["keys", "lines", "any key", "note"])
@pytest.mark.parametrize("name", ["film.fountain", "film.txt"])
def test_a_title_page_has_no_speakers_however_short_the_film_is(tmp_path: Path, title: str, name: str) -> None:
    turns, dropped = told(tmp_path, f"{title}\nANN\nWho brings the oars?\n", name)
    assert turns == [("ANN", "Who brings the oars?")]
    assert set(dropped) <= {"note"}


@pytest.mark.parametrize(
    ("content", "speakers"),
    [
        ("ANN\nOne.\n", ["ANN"]),
        ("FADE IN:\n\nINT. LAKE\n\nANN\nOne.\n\nBOB (V.O.)\nTwo.\n", ["ANN", "BOB"]),
        ("INT. LAKE\n\nŻANETA\nOne.\n\nАННА ^\nTwo.\n\n@花子\nThree.\n\nQ\nFour.\n", ["ŻANETA", "АННА", "花子", "Q"]),
    ],
)
def test_fountain_of_a_few_lines(tmp_path: Path, content: str, speakers: list[str]) -> None:
    assert [speaker for speaker, _ in told(tmp_path, content, "film.fountain")[0]] == speakers


def test_a_film_as_it_is_set_on_paper(tmp_path: Path) -> None:
    content = (
        "                              THE OARS\n\n     INT. BOATHOUSE - NIGHT\n\n     Ann looks for the oars.\n\n"
        "                         ANN\n               Who brings\n               the oars?\n\n"
        "                         BOB (O.S.)\n                    (laughing)\n               Not me.\n\n"
        "                                                  CUT TO:\n\n     EXT. LAKE - DAY\n"
    )
    turns, dropped = told(tmp_path, content)
    assert turns == [("ANN", "Who brings the oars?"), ("BOB", "Not me.")]
    assert dropped == {"system message": 5}


def test_notes_go_over_lines_and_one_that_does_not_close_is_text(tmp_path: Path) -> None:
    content = (
        "INT. LAKE\n\nANN\nOne [[not\n\ntwo]] three. /* never\n\nBOB\nthis */\n\nBOB\nFour.\n\n"
        "She rows. /* and [[ rows\n\nANN\nFive.\n"
    )
    turns, dropped = told(tmp_path, content, "film.fountain")
    assert turns == [("ANN", "One  three."), ("BOB", "Four."), ("ANN", "Five.")]
    assert dropped == {"note": 2, "system message": 2}


def test_a_transcript_with_a_title_is_no_fountain(tmp_path: Path) -> None:
    content = (
        "Title: The Boat\nStardate: 3156.2\n\nPART ONE\n[Jetty]\n\nANN: One.\nBOB: Two.\nANN: Three.\nBOB: Four.\n"
    )
    assert told(tmp_path, content)[0] == [("ANN", "One."), ("BOB", "Two."), ("ANN", "Three."), ("BOB", "Four.")]
