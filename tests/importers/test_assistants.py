"""Chats with assistants: which branch is the conversation, what the others become, and what is speech."""

from __future__ import annotations

import contextlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_choices, read_conversations

FIXTURES = Path(__file__).parents[1] / "fixtures"
EXPORT = FIXTURES / "chatgpt/export.input.d/conversations-000.json"
BESIDE = ("chat.html", "user.json", "message_feedback.json", "export_manifest.json", "file-1-nest.png")


def node(name: str, parent: str | None, role: str, text: str, **more: Any) -> dict[str, Any]:
    message = {"author": {"role": role}, "content": {"content_type": "text", "parts": [text]}, "metadata": {}} | more
    return {"id": name, "parent": parent, "message": message}


def chat(*nodes: dict[str, Any], last: str = "", **more: Any) -> dict[str, Any]:
    """A conversation as ChatGPT exports it."""
    mapping = {
        each["id"]: each | {"children": [other["id"] for other in nodes if other["parent"] == each["id"]]}
        for each in nodes
    }
    return {"title": "Oars", "mapping": mapping, "current_node": last} | more


TWICE = (
    node("q", None, "user", "Ash or oak?"),
    node("a", "q", "assistant", "Oak."),
    node("b", "q", "assistant", "Ash."),
    node("r", "b", "user", "Why?"),
    node("c", "r", "assistant", "It bends."),
)


def write(place: Path, *values: Any) -> Path:
    place.write_text(json.dumps(list(values)), encoding="utf-8")
    return place


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))


def texts(path: Path, tally: Tally | None = None, **settings: Any) -> list[list[str]]:
    return [[turn.text for turn in each.turns] for each in read(path, tally, **settings)]


def pairs(path: Path) -> list[tuple[str, str]]:
    return [(choice.chosen.text, choice.rejected.text) for choice in read_choices(path)]


# Branches


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("c", ["Ash or oak?", "Ash.", "Why?", "It bends."]),
        ("a", ["Ash or oak?", "Oak."]),
        ("", ["Ash or oak?", "Ash.", "Why?", "It bends."]),
        ("gone", ["Ash or oak?", "Ash.", "Why?", "It bends."]),
    ],
)
def test_the_conversation_is_the_branch_that_is_shown_else_the_one_that_was_drawn_last(
    tmp_path: Path, last: str, said: list[str]
) -> None:
    tally = Tally()
    assert texts(write(tmp_path / "c.json", chat(*TWICE, last=last)), tally) == [said]
    assert (tally.kept, tally.dropped["on another branch"]) == (len(said), 5 - len(said))


def test_all_branches_are_conversations_of_one_group_and_what_they_share_is_noted(tmp_path: Path) -> None:
    path, tally = write(tmp_path / "c.json", chat(*TWICE, node("h", "q", "system", "hidden"), last="c")), Tally()
    found = read(path, tally, branches="all")
    assert {each.group for each in found} == {"Oars"}
    assert [[turn.text for turn in each.turns][1:] for each in found] == [["Oak."], ["Ash.", "Why?", "It bends."], []]
    assert tally.kept == sum(len(each.turns) for each in found) == 7
    assert tally.dropped == {"system message": 1}, "counted once, as on one branch"
    assert tally.notes == [f"{path}: 2 turns are repeated: several branches begin with them"]


def test_a_silence_is_no_end_of_a_chat_with_an_assistant(tmp_path: Path) -> None:
    nodes = (node("q", None, "user", "Ash?", create_time=0), node("a", "q", "assistant", "Yes.", create_time=1e6))
    assert texts(write(tmp_path / "c.json", chat(*nodes, last="a"))) == [["Ash?", "Yes."]]


def test_what_goes_in_a_circle_is_dropped_and_counted(tmp_path: Path) -> None:
    nodes = (*TWICE[:2], node("x", "y", "user", "Round"), node("y", "x", "assistant", "and round"))
    for last in ("a", "x"):
        tally = Tally()
        assert texts(write(tmp_path / "c.json", chat(*nodes, last=last)), tally) == [["Ash or oak?", "Oak."]]
        assert tally.dropped == {"replies in a cycle": 2}


def test_titles_that_come_back_are_numbered_and_a_chat_without_one_has_the_file_s_name(tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", *(chat(*TWICE, last="c", title=title) for title in ("New", "", "New")))
    assert [each.group for each in read(path)] == ["New", "c", "New 2"]


# Choices


def test_a_reply_that_was_left_for_another_is_rejected(tmp_path: Path) -> None:
    assert pairs(write(tmp_path / "c.json", chat(*TWICE, last="c"))) == [("Ash.", "Oak.")]
    assert pairs(write(tmp_path / "c.json", chat(*TWICE[:3], last="a"))) == [("Oak.", "Ash.")], "went back"


@pytest.mark.parametrize(
    ("nodes", "last", "found"),
    [
        (TWICE[:3], "b", []),  # nobody went on after the last one
        ((TWICE[0], node("a", "q", "assistant", "Ash", status="in_progress"), *TWICE[2:]), "c", []),
        ((TWICE[0], node("a", "q", "assistant", "As"), *TWICE[2:]), "c", []),  # the same, but shorter
        ((*TWICE, node("u", "b", "user", "What?"), node("d", "u", "assistant", "Ash!")), "d", [("Ash.", "Oak.")]),
    ],
)
def test_what_was_stopped_or_asked_anew_is_no_choice(
    tmp_path: Path, nodes: tuple[dict[str, Any], ...], last: str, found: list[tuple[str, str]]
) -> None:
    assert pairs(write(tmp_path / "c.json", chat(*nodes, last=last))) == found


def test_a_reply_goes_on_over_what_a_tool_says(tmp_path: Path) -> None:
    nodes = (
        *TWICE[:2],
        node("b", "q", "assistant", "I look."),
        node("k", "b", "assistant", "look()", recipient="python"),
        node("t", "k", "tool", "ash"),
        node("d", "t", "assistant", "Ash."),
        node("r", "d", "user", "Thanks."),
    )
    assert pairs(write(tmp_path / "c.json", chat(*nodes, last="r"))) == [("I look.\nAsh.", "Oak.")]


# What is speech


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ash.\ue200cite\ue202turn0search1\ue202turn0news2\ue201 Oak.", "Ash. Oak."),
        ('In \ue200entity\ue202["city","L\\"Aquila","in Italy"]\ue201 too', 'In L"Aquila too'),
        ("See \ue200url\ue202the inn\ue202https://example.org\ue201.", "See the inn."),
        ("An \ue200open mark", "An \ue200open mark"),
    ],
)
def test_marks_in_a_reply_are_what_the_program_shows(tmp_path: Path, text: str, shown: str) -> None:
    nodes = (node("q", None, "user", "Where?"), node("a", "q", "assistant", text))
    assert texts(write(tmp_path / "c.json", chat(*nodes, last="a"))) == [["Where?", shown]]


def test_a_document_is_speech_only_when_media_are_kept(tmp_path: Path) -> None:
    pasted = {"uuid": "a", "sender": "human", "content": [], "attachments": [{"extracted_content": "A long letter."}]}
    path = write(tmp_path / "c.json", {"uuid": "x", "name": "Letter", "chat_messages": [pasted]})
    tally = Tally()
    assert read(path, tally) == []
    assert tally.dropped == {"media": 1}
    assert texts(path, also_keep=("media",)) == [["A long letter."]]


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("May 19, 2026, 7:07:02\u202fPM GMT-03:00", "2026-05-19T19:07:02"),
        ("Jul 3, 2026, 12:15:00 AM CEST", "2026-07-03T00:15:00"),
        ("18 Sept 2025, 12:02:52 CET", "2025-09-18T12:02:52"),
        ("5. nov. 2025, 01:34:47 CEST", "2025-11-05T01:34:47"),
        ("2026年6月19日 12:23:08 CST", "2026-06-19T12:23:08"),
        ("2026/06/19 12:23:08 JST", "2026-06-19T12:23:08"),
        ("1. 1. 2026 10:00:00 SEČ", "2026-01-01T10:00:00"),
        ("10 de mai. de 2026, 03:46:09 BRT", None),
        ("99. 99. 2026 10:00:00 SEČ", None),
    ],
)
def test_a_date_of_gemini_s_page_ends_the_prompt_in_every_language(tmp_path: Path, date: str, time: str | None) -> None:
    cell = (
        f'<p class="mdl-typography--title">Gemini<br></p><div class="content-cell">Asked&nbsp;Is it<br>deep?<br>{date}'
    )
    (tmp_path / "a.html").write_text(f'<div class="outer-cell">{cell}<br><p>Very.</p></div></div>', encoding="utf-8")
    [conversation] = read(tmp_path / "a.html")
    assert [(turn.speaker, turn.text) for turn in conversation.turns] == [
        ("user", "Is it\ndeep?"),
        ("assistant", "Very."),
    ]
    assert {turn.time and turn.time.isoformat() for turn in conversation.turns} == {time}


def test_gemini_s_chats_end_where_their_names_change_or_at_a_silence(tmp_path: Path) -> None:
    def entry(text: str, time: str, chat: str = "") -> dict[str, Any]:
        details = [{"url": f"https://gemini.google.com/app/{chat}"}] if chat else None
        said = {"title": f"Prompted {text}", "time": time, "safeHtmlItem": [{"html": f"<p>{text}</p>"}]}
        return {"header": "Gemini Apps", "details": details} | said

    path = write(
        tmp_path / "a.json",
        entry("g", "2026-03-02T01:00:00Z", "two"),
        entry("f", "2026-03-01T01:00:00Z", "two"),
        entry("e", "2026-03-01T00:59:00Z", "one"),
        entry("d", "2026-02-01T10:00:00Z"),
        entry("c", "2026-02-01T03:00:00Z"),
        entry("b", "2026-01-01T00:01:00Z"),
        entry("a", "2026-01-01T00:00:00Z"),
    )
    assert [text[::2] for text in texts(path)] == [["f", "g"], ["e"], ["c", "d"], ["a", "b"]]
    assert [text[::2] for text in texts(path, session_gap=1)] == [["f", "g"], ["e"], ["d"], ["c"], ["a", "b"]]


# Files


def test_an_export_reads_as_one_corpus_and_says_nothing_of_the_files_beside(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for number in range(2):
            archive.write(EXPORT, f"conversations-{number:03}.json")
        for name in BESIDE:
            archive.writestr(name, b"\x89PNG\0" if name.endswith("png") else '{"id": "1"}')
        comparison = {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["Hm."]}}
        archive.writestr("model_comparisons.json", json.dumps([{"output": {"original_turn": [comparison]}}]))
    tally, apart = Tally(), Tally()
    read(EXPORT, apart)
    assert len(read(tmp_path / "export.zip", tally)) == 4
    assert (tally.kept, tally.notices()) == (2 * apart.kept, [])


def test_of_a_chat_that_is_cut_off_the_beginning_is_read(tmp_path: Path) -> None:
    whole = json.dumps([chat(*TWICE, last="c")])
    (tmp_path / "c.json").write_text(whole[: whole.index('"It bends."')])
    shutil.copy(EXPORT, tmp_path / "a.json")
    tally = Tally()
    assert texts(tmp_path, tally)[2:] == [["Ash or oak?", "Ash.", "Why?"]]
    assert ["the file ends inside a value" in file.reason for file in tally.unread] == [True]


@pytest.mark.parametrize("format", ["chatgpt", "claude", "gemini", "aistudio", "preferences"])
@pytest.mark.parametrize("content", ["3", "[3, [], null]", '{"mapping": 3, "chat_messages": {}}', "[{}]", '"a"'])
def test_json_of_another_kind_is_told_or_empty(tmp_path: Path, format: str, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with contextlib.suppress(DataError):
        assert read(tmp_path / "a.json", format=format) == []


def test_messages_with_other_keys_beside_them_are_messages_all_the_same(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "Ash?"}, {"role": "assistant", "content": "Yes."}]
    path = write(
        tmp_path / "a.json", {"author": {"name": "Ann"}, "mapping": {"a": 1}, "chunks": ["b"], "messages": said}
    )
    tally = Tally()
    assert texts(path, tally) == [["Ash?", "Yes."]]
    assert [title for _, title in tally.formats] == ["messages (OpenAI, ShareGPT, Alpaca)"]
