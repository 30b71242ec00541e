"""Chats with a character: whose words, when, what was drawn again, and what a folder repeats."""

from __future__ import annotations

import json
import tracemalloc
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import FORMATS, read_choices, read_conversations
from wolf_chatbox.importers.source import Source

FIXTURES = Path(__file__).parents[1] / "fixtures"
HEADER = {"user_name": "Ann", "character_name": "Marlo", "create_date": "2024-05-01@18h30m00s"}
FIRST_PAIRS = ["*bows* A room?", "Only soup.", "Bread too?", "Yes."]
Json = dict[str, Any]


def write(path: Path, value: object) -> Path:
    """A JSON document, or JSON Lines from a list of objects with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = value if isinstance(value, list) else [value]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def said(text: str, *, user: bool = False, **more: object) -> Json:
    """A message of SillyTavern."""
    name = "Ann" if user else "Marlo"
    return {"name": name, "is_user": user, "is_system": False, "send_date": "", "mes": text, "extra": {}, **more}


def tavern(path: Path, *messages: Json, **header: object) -> Path:
    return write(path, [{**HEADER, **header}, *messages])


def alternating(*texts: str) -> list[Json]:
    return [said(text, user=bool(number % 2)) for number, text in enumerate(texts)]


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    config = ReadConfig(**settings)
    return list(read_conversations(path, config, tally))


def lines(path: Path, tally: Tally | None = None) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for conversation in read(path, tally) for turn in conversation.turns]


def claimed(path: Path) -> list[str]:
    head = Source.open(path).head
    return [name for name, known in FORMATS.items() if known.claims(head)]


def drawn(path: Path, tally: Tally | None = None) -> list[tuple[str, str]]:
    return [(choice.chosen.text, choice.rejected.text) for choice in read_choices(path, tally=tally)]


# SillyTavern, TavernAI


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2023-4-21 @20h 02m 47s 124ms", "2023-04-21T20:02:47"),
        ("2024-07-12@01h31m37s123ms", "2024-07-12T01:31:37"),
        ("2024-7-2@1h31m37s", "2024-07-02T01:31:37"),
        ("April 21, 2023 8:02pm", "2023-04-21T20:02:00"),
        ("April 21, 2023 12:02am", "2023-04-21T00:02:00"),
        ("April 21, 2023 12:02 PM", "2023-04-21T12:02:00"),
        (1682107367000, "2023-04-21T20:02:47"),
        ("1682107367000", "2023-04-21T20:02:47"),
        (1682107367, "2023-04-21T20:02:47"),
        ("2023-04-21T20:02:47.500Z", "2023-04-21T20:02:47.500000"),
        ("Smarch 21, 2023 8:02pm", None),
        ("2023-13-41 @20h 02m 47s 124ms", None),
        ("yesterday", None),
        (True, None),
        (1e400, None),
        (None, None),
    ],
)
def test_a_time_is_read_in_the_form_of_every_version(tmp_path: Path, written: object, time: str | None) -> None:
    chat = tavern(tmp_path / "a.jsonl", said("A room?", send_date=written))
    [conversation] = read(chat)
    assert conversation.turns[0].time == (time and datetime.fromisoformat(time))


def test_what_was_hidden_is_read_and_who_is_nobody_is_not(tmp_path: Path) -> None:
    chat = tavern(
        tmp_path / "a.jsonl",
        said("Hidden.", is_system=True),
        said("It rains.", extra={"type": "narrator"}),
        said("Mind the oars.", is_system=True, extra={"type": "comment"}),
        said("Commands: …", is_system=True, name="SillyTavern System"),
        said("[{}]", is_system=True, extra={"tool_invocations": [{"name": "weather"}]}),
    )
    tally = Tally()
    assert lines(chat, tally) == [("Marlo", "Hidden.")]
    assert tally.dropped == {"system message": 4}


def test_macros_become_the_names_of_who_speaks_and_who_listens(tmp_path: Path) -> None:
    chat = tavern(
        tmp_path / "a.jsonl",
        said("{{user}}, I am {{Char}}. <USER>? <b>{{random::a::b}}</b>"),
        said("So {{char}} rows for {{user}}.", user=True),
        said("{{char}} fishes, not {{user}}.", name="Dora"),
    )
    assert [text for _, text in lines(chat)] == [
        "Ann, I am Marlo. Ann? <b>{{random::a::b}}</b>",
        "So Marlo rows for Ann.",
        "Dora fishes, not Ann.",
    ]


def test_without_names_the_speakers_are_user_and_assistant(tmp_path: Path) -> None:
    nameless = [
        {key: value for key, value in each.items() if key != "name"} for each in alternating("A?", "B, {{char}}.")
    ]
    chat = write(
        tmp_path / "a.jsonl", [{"chat_metadata": {}, "user_name": "unused", "character_name": "unused"}, *nameless]
    )
    assert lines(chat) == [("assistant", "A?"), ("user", "B, assistant.")]


@pytest.fixture
def branches(tmp_path: Path) -> Path:
    """A chat, a checkpoint in it, a branch off it, and a checkpoint in the branch."""
    branch = alternating(*FIRST_PAIRS[:3], "No bread.", "Then soup.")
    inn = {"chat_metadata": {"main_chat": "inn"}}
    tavern(tmp_path / "inn.jsonl", *alternating(*FIRST_PAIRS))
    tavern(tmp_path / "inn - Checkpoint #1.jsonl", *alternating(*FIRST_PAIRS[:2]), **inn)
    tavern(tmp_path / "inn - Branch #2.jsonl", *branch, **inn)
    tavern(tmp_path / "later.jsonl", *branch, chat_metadata={"main_chat": "inn - Branch #2"})
    return tmp_path


def test_a_branch_is_read_whole_in_the_group_of_its_chat_and_a_checkpoint_is_counted(branches: Path) -> None:
    tally = Tally()
    found = read(branches, tally)
    assert sorted((each.group, len(each.turns)) for each in found) == [("inn", 4), ("inn", 5), ("inn", 5)]
    assert tally.dropped == {"beginning of another chat": 2}


def test_a_checkpoint_alone_is_read(branches: Path) -> None:
    assert len(lines(branches / "inn - Checkpoint #1.jsonl")) == 2


def test_a_checkpoint_of_a_chat_in_another_folder_is_read(tmp_path: Path) -> None:
    tavern(tmp_path / "Marlo/inn.jsonl", *alternating(*FIRST_PAIRS))
    tavern(tmp_path / "Dora/checkpoint.jsonl", *alternating(*FIRST_PAIRS[:2]), chat_metadata={"main_chat": "inn"})
    tally = Tally()
    assert len(lines(tmp_path, tally)) == 6
    assert not tally.dropped


def test_chats_that_name_each_other_as_their_beginning_lose_nothing(tmp_path: Path) -> None:
    for name, main in (("a", "b"), ("b", "a"), ("c", "c"), ("d", "nowhere/../a")):
        tavern(tmp_path / f"{name}.jsonl", *alternating(*FIRST_PAIRS), chat_metadata={"main_chat": main})
    assert len(read(tmp_path)) == 4


def test_a_message_with_a_picture_of_several_megabytes_is_read(tmp_path: Path) -> None:
    picture = "data:image/png;base64," + "A" * 3_000_000
    chat = tavern(tmp_path / "a.jsonl", said("My boat."), *[said("And this.", user=True, extra={"image": picture})] * 4)
    tracemalloc.start()
    assert [text for _, text in lines(chat)] == ["My boat.", *["And this."] * 4]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(picture), "one line at a time"


def test_a_header_longer_than_what_is_looked_at_is_recognised(tmp_path: Path) -> None:
    variables = {"variables": {"notes": "row " * 50_000}}
    first = write(
        tmp_path / "a.jsonl", [{"chat_metadata": variables, "user_name": "unused", "character_name": "unused"}]
    )
    named = tavern(tmp_path / "b.jsonl", *alternating(*FIRST_PAIRS), chat_metadata=variables)
    assert [claimed(path) for path in (first, named)] == [["sillytavern"]] * 2
    assert lines(named)[0] == ("Marlo", "*bows* A room?")


def test_a_damaged_file_of_a_folder_is_left_and_the_others_are_read(branches: Path) -> None:
    (branches / "torn.jsonl").write_text(json.dumps(HEADER) + "\n" + json.dumps(said("A room?")) + '\n{"name": "Ma')
    tally = Tally()
    assert len(read(branches, tally)) >= 3
    assert [Path(unread.path).name for unread in tally.unread] == ["torn.jsonl"]


def test_the_text_export_is_read_as_a_screenplay(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"{('Marlo', 'Ann')[n % 2]}: {text}\n\n" for n, text in enumerate(FIRST_PAIRS * 2)))
    assert claimed(path) == ["screenplay"]
    assert lines(path)[1] == ("Ann", "Only soup.")


# Choices


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


# character.ai


def candidate(number: int, text: str, at: int) -> Json:
    return {
        "candidate_id": str(number),
        "raw_content": text,
        "create_time": f"2024-05-01T18:30:{at:02}Z",
        "is_final": True,
    }


def turn(text: str, at: int, *, human: bool = False, others: list[str] | None = None, primary: int = 0) -> Json:
    candidates = [candidate(number, each, at + number) for number, each in enumerate([text, *(others or [])])]
    author = {"author_id": "1", "name": "Ann" if human else "Marlo", "is_human": human}
    return {
        "turn_key": {"chat_id": "c", "turn_id": f"t{at}"},
        "create_time": f"2024-05-01T18:30:{at:02}Z",
        "author": author,
        "candidates": candidates,
        "primary_candidate_id": str(primary),
    }


def test_turns_that_come_newest_first_are_put_in_order_and_the_primary_candidate_is_read(tmp_path: Path) -> None:
    turns = [
        turn("A room?", 10),
        turn("Only soup.", 20, human=True),
        turn("Sure.", 30, others=["Bread too?"], primary=1),
        turn("Yes.", 40, human=True),
    ]
    path = write(tmp_path / "a.json", {"turns": turns[::-1], "meta": {"next_token": ""}})
    assert claimed(path) == ["character_ai"]
    assert [text for _, text in lines(path)] == ["A room?", "Only soup.", "Bread too?", "Yes."]
    assert drawn(path) == [("Bread too?", "Sure.")]


# KoboldAI


def story(path: Path, prompt: str, *actions: str, **settings: object) -> Path:
    document = {"gamestarted": True, "prompt": prompt, "memory": "An inn.", "actions": list(actions)}
    return write(path, document | ({"savedsettings": settings} if settings else {}))


def test_a_chat_of_kobold_is_cut_at_the_names_of_its_settings(tmp_path: Path) -> None:
    path = story(
        tmp_path / "a.json",
        "An inn by a lake.",
        "\nAnn: A ro",
        "om?\nNote: by the window\nMarlo: Only soup.",
        opmode=3,
        chatname="Ann",
        chatopponent="Marlo||$||Dora",
    )
    tally = Tally()
    assert lines(path, tally) == [("Ann", "A room?\nNote: by the window"), ("Marlo", "Only soup.")]
    assert tally.dropped == {"system message": 1}


def test_a_story_has_no_speakers_until_they_are_asked_for(tmp_path: Path) -> None:
    path = story(tmp_path / "a.json", "The lake lay still.", " A boat came.", opmode=1)
    tally = Tally()
    assert lines(path, tally) == []
    assert tally.dropped == {"system message": 2}
    [kept] = read(path, also_keep=("system",))
    assert [each.text for each in kept.turns] == ["The lake lay still.", "A boat came."]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("You: A room?\nMarlo: Soup.\nYou: Bread?\nMarlo: Yes.", [("You", "A room?"), ("Marlo", "Soup.")]),
        ("\n{{[INPUT]}}\nA room?\n{{[OUTPUT]}}\nSoup.", [("user", "A room?"), ("assistant", "Soup.")]),
        ("A lake.\n\n> row\n\nYou row.", [("assistant", "A lake."), ("user", "row")]),
        ("Note: a lake.\nIt lay still.", []),
    ],
)
def test_a_story_without_settings_shows_its_mode(tmp_path: Path, prompt: str, expected: list[tuple[str, str]]) -> None:
    assert lines(story(tmp_path / "a.json", prompt))[:2] == expected


# text-generation-webui, RisuAI


def test_a_list_of_data_alone_is_no_log(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"data": [["a", "b"], ["c", "d"]]})
    assert "text_generation_webui" not in claimed(path)


def test_the_character_of_a_log_is_named_by_its_folder(tmp_path: Path) -> None:
    log = {"internal": [["<|BEGIN-VISIBLE-CHAT|>", "A room, {{user}}?"], ["Soup &amp; bread.", "Yes, <USER>."]]}
    path = write(tmp_path / "Marlo/20240501-18-30-00.json", log | {"visible": log["internal"]})
    assert lines(path) == [("Marlo", "A room, user?"), ("user", "Soup &amp; bread."), ("Marlo", "Yes, user.")]
    alone = write(tmp_path / "log.json", {"internal": [["A?", "B."]], "visible": [["A?", "B."]]})
    assert lines(alone) == [("user", "A?"), ("assistant", "B.")]


def test_dashes_in_a_text_of_risu_are_no_name(tmp_path: Path) -> None:
    path = tmp_path / "Marlo_2024-05-01T10-00-00-000Z_chat.txt"
    path.write_text("--Marlo\nA room?\n\n--Ann\nSoup.\n\n--or bread--\n\n--Marlo\nYes.\n\n--Ann\nGood.\n")
    assert lines(path) == [("Marlo", "A room?"), ("Ann", "Soup.\n\n--or bread--"), ("Marlo", "Yes."), ("Ann", "Good.")]


# Any of them


def test_a_story_is_not_cut_where_it_was_silent(tmp_path: Path) -> None:
    chat = tavern(
        tmp_path / "a.jsonl",
        said("A room?", send_date="2023-04-21T20:00:00Z"),
        said("I am back.", user=True, send_date="2024-04-21T20:00:00Z"),
    )
    assert len(read(chat)) == 1


def test_a_message_of_ten_thousand_characters_with_marks_stays_as_it_is(tmp_path: Path) -> None:
    text = '*bows* "A room?" ' * 600 + "."
    assert lines(tavern(tmp_path / "a.jsonl", said(text), said("`~x~`", user=True))) == [
        ("Marlo", text),
        ("Ann", "`~x~`"),
    ]
