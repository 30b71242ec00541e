"""Plays in the forms in which they are handed around."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import FORMATS, read_conversations
from wolf_chatbox.importers.files.source import Source

SPOKEN = [
    [("WILL", "Who's there?"), ("MEG", "Nay, answer me. Come in, and wipe your feet."), ("WILL", "She knows my step.")],
    [("MEG", "I know the mud;\nIt is the mud of seven lakes."), ("WILL", "A broom?")],
]
"""What is said in each scene of the play below, whatever its form."""
FORMS = {
    "MIT": """THE FERRY\n\n\tDRAMATIS PERSONAE\n\nWILL\ta ferryman.\n\nMEG\this wife.\n\nACT I\n
SCENE I\tA door.\n\n\t[Enter WILL and MEG]\n
WILL\tWho's there?\n
MEG\tNay, answer me. Come in,\n\tand wipe your feet.\n
WILL\t[Aside]  She knows my step.\n\nSCENE II\tThe same.\n
MEG\tI know the mud;\n\tIt is the mud of seven lakes.\n\n\t[She gives him a broom]\n
WILL\tA broom?\n\n\t[Exeunt]\n""",
    "Gutenberg, complete works": """THE FERRY\n\nby Nobody\n\nDRAMATIS PERSONAE\n\n  WILL, a ferryman\n  MEG, his wife\n
ACT I. SCENE 1.\n\nA door\n\nEnter WILL and MEG\n
  WILL. Who's there?\n  MEG. Nay, answer me. Come in,\n    and wipe your feet.
  WILL.  [Aside]  She knows my step.        Exeunt\n\n\n\n
<<THIS VERSION MAY BE COPIED\nBY ANYBODY WHO RETURNS IT.>>\n\n\n\nSCENE 2.\n\nThe same\n
  MEG. I know the mud;\n    It is the mud of seven lakes.\n
                        She gives him a broom, and Enter a DOG\n
  WILL. A broom?\n                                Exeunt\n\nTHE END\n\nBoats are on the way.\n""",
    "Gutenberg, names in small letters": """PERSONS REPRESENTED.\n\nWill, a ferryman.\nMeg, his wife.\n
ACT I.\n\nScene I. A door.\n\n[Enter Will and\nMeg, with a broom.]\n
Will.\nWho's there?\n\nMeg.\nNay, answer me. Come in,\nand wipe your feet.\n
Will.\n\n[Aside.] She knows my step.\n\n\n\nScene II. The same.\n
Meg.\nI know the mud;\nIt is the mud of seven lakes.\n\n[Gives him the broom.\n\nWill.\nA broom?\n\n[Exeunt.]\n""",
    "MARKDOWN": """# The Ferry\n\n## ACT I\n\n### SCENE I. A door.\n\n_Enter WILL and MEG_\n
**WILL**  \nWho's there?\n\n**MEG**  \nNay, answer me. Come in,  \nand wipe your feet.\n
**WILL**  \n[Aside]  She knows my step.\n\n### SCENE II. The same.\n
**MEG**  \nI know the mud;  \nIt is the mud of seven lakes.\n\n**WILL**  \nA broom?\n\n_Exeunt_\n""",
    "capitals alone": """ACT I\n\nSCENE I. A door.\n\n[Enter WILL and MEG.]\n
WILL\nWho's there?\n\nMEG\nNay, answer me. Come in,\nand wipe your feet.\n\nWILL\n[Aside.] She knows my step.\n
SCENE II. The same.\n\nMEG\nI know the mud;\nIt is the mud of seven lakes.\n\nWILL\nA broom?\n\n[Exeunt.]\n""",
}


def told(folder: Path, content: str, name: str = "play.txt") -> tuple[list[list[tuple[str, str]]], Counter[str]]:
    """Who says what in each scene, and what is dropped; nobody says what this file is."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    tally = Tally()
    read = list(read_conversations(path, ReadConfig(), tally))
    assert [title for _, title in tally.formats] == [FORMATS["play"].title]
    return [[(turn.speaker, turn.text) for turn in conversation.turns] for conversation in read], tally.dropped


@pytest.mark.parametrize("form", FORMS)
def test_a_play_says_the_same_in_all_its_forms(tmp_path: Path, form: str) -> None:
    scenes, dropped = told(tmp_path, FORMS[form])
    capitals = [[(speaker.upper(), text) for speaker, text in scene] for scene in scenes]
    assert capitals == SPOKEN
    assert set(dropped) == {"system message"}


def test_verse_keeps_its_lines_and_prose_does_not(tmp_path: Path) -> None:
    content = (
        "ANN:\nThe lake is wide,\nAnd so is he\nWho rows the boat\nAt night to me.\n\n"
        "BOB:\nI row because\nsomebody must, and Ann\nnever does; nor\ndoes the cat.\n\nANN:\nRow on!\n\nBOB:\nI do.\n"
    )
    ((first, second, *_),), _ = told(tmp_path, content)
    assert first == ("ANN", "The lake is wide,\nAnd so is he\nWho rows the boat\nAt night to me.")
    assert second == ("BOB", "I row because somebody must, and Ann never does; nor does the cat.")


def test_speech_goes_on_behind_a_direction_and_ends_with_three_empty_lines(tmp_path: Path) -> None:
    content = (
        "ACT I.\n\nANN.\nOne.\n\n[Exit Bob.]\n\nTwo.\n\nBOB.\nThree.\n\nExit, pursued by a goose.\n\n"
        "ANN.\nFour.\n\n\n\nHere ends the book.\n"
    )
    (scene,), dropped = told(tmp_path, content)
    assert scene == [("ANN", "One.\nTwo."), ("BOB", "Three."), ("ANN", "Four.")]
    assert dropped == {"system message": 4}


def test_a_line_of_verse_is_no_name(tmp_path: Path) -> None:
    content = (
        "ACT I.\n\nANN.\nOne.\n\n[Exit Bob.]\n\nHere comes my hated boat:\nIt leaks.\n\nBOB.\nTwo.\n\nANN.\nThree.\n\n"
        "BOB and ANN.\n\nFour.\n\nFIRST GOOSE.\nHonk.\n"
    )
    (scene,), _ = told(tmp_path, content)
    assert scene[0] == ("ANN", "One.\nHere comes my hated boat:\nIt leaks.")
    assert scene[-2:] == [("BOB and ANN", "Four."), ("FIRST GOOSE", "Honk.")]


def test_a_list_of_persons_without_acts_does_not_hide_the_play(tmp_path: Path) -> None:
    content = "THE FERRY\n\nCharacters\n\nANN, a ferrywoman.\nBOB, a boat.\n\n" + "ANN:\nOne.\n\nBOB:\nTwo.\n\n" * 3
    (scene,), dropped = told(tmp_path, content)
    assert (len(scene), dropped) == (6, {"system message": 3})


def test_a_bracket_may_open_below_another_direction(tmp_path: Path) -> None:
    content = "ACT I.\n\nFlourish.\n[Enter\nAnn.]\n\nANN.\nOne.\n\nBOB.\nTwo.\n\nANN.\nThree.\n\nBOB.\nFour.\n"
    (scene,), dropped = told(tmp_path, content)
    assert (len(scene), dropped) == (4, {"system message": 3})


@pytest.mark.parametrize(
    "content",
    [
        "# Boats\n\nNote:\nBoats leak.\n\nUsage:\nRow them.\n\n## Oars\n\nNote:\nOars float.\n\nText.\n\nMore.\n",
        "Dear Ann,\n\nHello.\nI row.\n\nHello.\nI still row.\n\nYours,\nBob\n",
        "Title: A Film\n\nINT. LAKE\n\nANN\nOne.\n\nBOB\nTwo.\n\nANN\nThree.\n",
        "SONNET I\n\nThe lake is wide,\nAnd deep.\n\nSONNET II\n\nThe lake is deep,\nAnd wide.\n",
    ],
    ids=["notes", "letter", "film", "poems"],
)
def test_other_texts_are_no_plays(content: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(content, encoding="utf-8")
    assert not FORMATS["play"].claims(Source.open(path).head)
