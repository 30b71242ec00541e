"""Bad input gives one line: what is wrong, where, and what to do."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.tally import Tally, Unread
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations

Complain = Callable[..., str]
JSON_TALK = '{"turns": [{"speaker": "a", "text": "b"}]}\n'
MESSAGE = '{"messages": [{"role": "user", "content": "b"}]}\n'
ROWS = "Ada,Hallo\n" * 20_000


def complaint(path: Path, **settings: object) -> str:
    """The message of the error that reading the file gives, without the folder in front."""
    with pytest.raises(DataError) as caught:
        list(read_conversations(path, ReadConfig(**settings)))  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.startswith(str(path)), "the message begins with the place"
    assert "\n" not in message
    assert len(message) < 400 + len(str(path.parent))
    return message.removeprefix(f"{path.parent}/")


@pytest.fixture
def complain(tmp_path: Path) -> Complain:
    """Write a file, read it, and return what is wrong with it."""

    def write_and_read(name: str, content: str | bytes, **settings: object) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return complaint(path, **settings)

    return write_and_read


# No text at all


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b" \t\r\n \n",
        "\u3000\n".encode(),
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\r\n",
        b"\xff\xfe",
        " \n".encode("utf-16"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.txt"])
def test_an_empty_file(complain: Complain, name: str, content: bytes) -> None:
    assert complain(name, content) == f"{name}: the file is empty. Export the conversations again."
    assert complain(name, content, format="script") == f"{name}: the file is empty. Export the conversations again."


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04\x14\0\0\0", "not a readable zip archive (File is not a zip file). Export it again."),
        (b"name,line\nAda,Ha\0llo\n", "a binary file, not text. Export the conversations as CSV, JSON or text."),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture, not text. Export the conversations as CSV, JSON or text."),
    ],
)
def test_a_binary_file(complain: Complain, content: bytes, what: str) -> None:
    assert complain("a.csv", content).startswith(f"a.csv: {what}")


def test_a_missing_file(tmp_path: Path) -> None:
    assert (
        complaint(tmp_path / "no.csv")
        == "no.csv: there is no such file. Check the path, or try the bundled script: example."
    )


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert complaint(tmp_path / "folder.csv") == "folder.csv: contains no files. Check the path."


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert complaint(tmp_path / "file" / "a.csv").startswith("a.csv: cannot be read (Not a directory)")


def test_a_file_without_permission(complain: Complain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,line\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert complaint(tmp_path / "a.csv") == "a.csv: no permission to read it. Change the file's permissions."


# Bytes


def test_bytes_of_no_known_encoding_are_named_by_their_position(complain: Complain) -> None:
    remedy = "Pass --encoding (Japanese files are often cp932)."
    assert complain("a.csv", b"name,line\na,\x81\x8d\n") == f"a.csv, byte 12: not valid UTF-8 or CP1252. {remedy}"
    late = b"name,line\n" + b"a,b\n" * 400_000 + b"a,\x81\n"
    assert complain("late.csv", late) == f"late.csv, byte {len(late) - 2}: not valid UTF-8 or CP1252. {remedy}"


@pytest.mark.parametrize(
    ("content", "encoding", "byte"),
    [
        (b"name,line\na,\xe9\n", "utf-8", 12),
        (b"name,line\na,\xe3\x81", "utf-8", 12),
        (b"name,line\na,\xe9\n", "ascii", 12),
        ("name,line\n桜".encode("cp932")[:-1], "cp932", 10),
        ("name,line\n".encode("utf-16") + b"x", "auto", 22),
        (b"name,line\n" + b"a" * ((1 << 20) - 11) + "桜".encode() + b"\xff", "utf-8", (1 << 20) + 2),
        (b"name,line\n" + b"a" * ((1 << 20) - 11) + "桜".encode()[:2] + b"\n", "utf-8", (1 << 20) - 1),
    ],
)
def test_the_byte_is_the_first_that_does_not_decode(
    complain: Complain, content: bytes, encoding: str, byte: int
) -> None:
    assert complain("a.csv", content, encoding=encoding).startswith(f"a.csv, byte {byte}: not ")


def test_cp932_is_read_when_it_is_named(complain: Complain, tmp_path: Path) -> None:
    content = "名前,台詞\n桜,「表示」ソ。\n".encode("cp932")
    assert "--encoding" in complain("a.csv", content, speaker_column="名前", text_column="台詞")
    config = ReadConfig(encoding="cp932", speaker_column="名前", text_column="台詞")
    (conversation,) = read_conversations(tmp_path / "a.csv", config)
    assert conversation.turns == (Turn("桜", "「表示」ソ。"),)


@pytest.mark.parametrize("form", ["utf-16", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_characters_are_read_by_their_mark(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        ("" if form in ("utf-16", "utf-32") else "\ufeff").encode(form) + "name,line\n桜,「表示」\n".encode(form)
    )
    (conversation,) = read_conversations(path)
    assert conversation.turns == (Turn("桜", "「表示」"),)


def test_a_mailbox_in_wide_characters_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes("From ann\nFrom: Ann <ann@example.org>\nSubject: Oars\n\nWho brings them?\n".encode("utf-32"))
    (conversation,) = read_conversations(path)
    assert conversation.turns == (Turn("Ann", "Who brings them?"),)


def test_a_mail_nested_too_deep_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    nested = "".join(f"Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n" for depth in range(2000))
    path.write_text(
        f"From ann\nFrom: Ann <ann@example.org>\n{nested}\n\nFrom bob\nFrom: Bob <bob@example.org>\n\nhello\n"
    )
    tally = Tally()
    assert [turn.speaker for conversation in read_conversations(path, tally=tally) for turn in conversation.turns] == [
        "Bob"
    ]
    assert tally.dropped == {"unreadable mail": 1}


def test_a_game_of_too_many_players_is_refused(complain: Complain) -> None:
    log = (
        "".join(f"0,status,{number},SEER,ALIVE,team{number},A{number}\n" for number in range(101))
        + "0,talk,0,0,1,hello\n"
    )
    assert complain("a.log", log) == "a.log: 101 players in one game, of at most 100. Split the file into games."


def test_the_id_of_a_game_may_be_any_json(tmp_path: Path) -> None:
    game = {"source": "own", "language": "en", "players": [], "events": [], "facts": {"game_id": ["a", {"b": 1}]}}
    talk = {"turns": [{"speaker": "Ada", "text": "Hi"}], "game": game}
    again = {**talk, "turns": [{"speaker": "Ada", "text": "Ho"}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(talk) + "\n" + json.dumps(again) + "\n")
    tally = Tally()
    assert len(list(read_conversations(tmp_path / "a.jsonl", None, tally))) == 1
    assert tally.dropped == {"game already read": 1}


# Scripts


def test_no_column_for_the_speaker_names_the_columns_found(complain: Complain) -> None:
    found = "a.csv, line 1: no speaker column (found: id, stamp, line). Pass --speaker-column."
    assert complain("a.csv", "id,stamp,line\n1,2,Hallo\n") == found
    assert complain("a.csv", "\n\nid,stamp,line\n1,2,Hallo\n") == found.replace("line 1", "line 3")


def test_no_column_for_the_line_names_the_columns_found(complain: Complain) -> None:
    assert (
        complain("a.tsv", "name\tstamp\nAda\t2\n")
        == "a.tsv, line 1: no line column (found: name, stamp). Pass --text-column."
    )


def test_the_columns_found_are_told_in_one_short_line(complain: Complain) -> None:
    assert (
        complain("a.csv", '"da\nte",line\n')
        == "a.csv, line 1: no speaker column (found: da te, line). Pass --speaker-column."
    )
    assert complain("a.csv", ",".join(f"column {n}" for n in range(10_000))).endswith(" …). Pass --speaker-column.")


def test_only_a_header_holds_no_turns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for content in ("name,line", "name,line\n", "name,line\r\n\r\n", "name,line\n,\n"):
        path.write_text(content)
        tally = Tally()
        assert list(read_conversations(path, tally=tally)) == []
        assert tally.read == 0
        assert tally.formats == [(str(path), "script table (CSV, TSV)")]


@pytest.mark.parametrize("rows", ["Bob,Tag\n", "Bob,Tag", ROWS[:30_000], ROWS * 10, 'Bob,"Tag"\n' + ROWS[:30_000]])
def test_a_quote_that_swallows_the_lines_after_it_is_named_by_its_line(complain: Complain, rows: str) -> None:
    message = complain("a.csv", 'name,line\nAda,"Well,\nwell"\nBob,"Hallo\n' + rows)
    assert message == "a.csv, line 4: a quote is opened and not closed. Close or remove it."


def test_careless_quotes_that_swallow_no_line_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('name,line\nAda,Say "so".\nBob,"So" I say.\nAda,"Well')
    (conversation,) = read_conversations(path)
    assert [turn.text for turn in conversation.turns] == ['Say "so".', "So I say.", "Well"]


def test_a_quote_closed_much_later_is_found(complain: Complain) -> None:
    assert complain("a.csv", f'name,line\nAda,"Hallo\n{ROWS[:2000]}Bob,So"\n{ROWS[:20]}').startswith(
        "a.csv, line 2: a quote is opened"
    )


def test_an_open_quote_in_the_header(complain: Complain) -> None:
    assert complain("a.csv", f'name,"line\n{ROWS}', format="script").startswith("a.csv, line 1: a quote is opened")


# Lines without end


@pytest.mark.parametrize(
    ("name", "start", "fill", "line"),
    [
        ("row.csv", "name,line\nAda,", "x", 2),
        ("cells.csv", "name,line\nAda,Hallo", ",", 2),
        ("quoted.csv", 'name,line\nAda,"', "x", 2),
        ("header.csv", "name,line,", "x", 1),
        ("raw.txt", "Hallo<|endoftext|>", "x", 1),
        ("own.jsonl", JSON_TALK + '{"turns": [{"speaker": "a", "text": "', "x", 2),
        ("own1.jsonl", '{"turns": [{"speaker": "a", "text": "', "x", 1),
        ("messages.jsonl", MESSAGE + '{"messages": [{"role": "user", "content": "', "x", 2),
        ("messages1.jsonl", '{"messages": [{"role": "user", "content": "', "x", 1),
    ],
)
def test_a_line_of_50_mb_is_refused_without_reading_on(
    complain: Complain, tmp_path: Path, name: str, start: str, fill: str, line: int
) -> None:
    content = start.encode() + fill.encode() * 50_000_000
    # How a header of that length is recognised is tested elsewhere.
    settings = {"format": "script"} if name.endswith(".csv") else {}
    (tmp_path / name).write_bytes(content)
    del content
    tracemalloc.start()
    try:
        message = complaint(tmp_path / name, **settings)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        (tmp_path / name).unlink()
    assert message == f"{name}, line {line}: longer than 1,000,000 characters. Split it into turns."
    assert peak < 32_000_000


# JSON


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("own.jsonl", JSON_TALK + '\n{"turns": [}\n', ", line 3, column 12"),
        ("messages.jsonl", MESSAGE + '\n{"messages": ]}\n', ", line 3, column 14"),
        ("messages.json", '{\n "messages": [\n  {"role": "user" "content": "a"}\n]}', ", line 3, column 19"),
        ("list.json", '[{"conversations": [{"from": "human", "value": "a"}]},\n{"conv"]', ", line 2, column 8"),
        ("raw.json", '["a",\n"b"\n"c"]', ", line 3, column 1"),
        ("words.json", '{"messages": [], ...}', ", line 1, column 18"),
    ],
)
def test_invalid_json_is_named_by_its_place(complain: Complain, name: str, content: str, place: str) -> None:
    message = complain(name, content)
    assert message.startswith(f"{name}{place}")
    assert ": not JSON (" in message
    assert message.endswith(" Correct it there.")


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (
            '[{"conversations": [{"from": "human", "value": "a"}]},\n{"conv',
            "line 2, column 7: the file ends inside a value",
        ),
        (MESSAGE + '\n{"mess', "line 3: the file ends inside it"),
        (JSON_TALK + '\n\n{"turns": [{"speaker": "Ad', "line 4: the file ends inside it"),
    ],
)
def test_a_cut_file_gives_what_was_whole(tmp_path: Path, content: str, note: str) -> None:
    path = tmp_path / "cut.json"
    path.write_text(content)
    tally = Tally()
    assert len(list(read_conversations(path, tally=tally))) == 1
    assert tally.unread == [Unread(str(path), f"{path}, {note}; everything before it was read", 1)]


@pytest.mark.parametrize("name", ["telegram/one_chat", "discord/channel", "topical_chat/part", "raw/list"])
def test_what_stands_behind_the_end_of_a_json_document_is_told(complain: Complain, name: str) -> None:
    whole = (Path(__file__).parents[1] / f"fixtures/{name}.input.json").read_text(encoding="utf-8").strip()
    line = whole.count("\n") + 2
    message = complain("twice.json", f"{whole}\n{whole}\n", format=name.partition("/")[0])
    assert (
        message
        == f"twice.json, line {line}, column 1: not JSON (extra data after the end: {whole[0]!r}). Correct it there."
    )


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("raw.json", '["a", '),
        ("messages.json", '{"messages": ['),
        ("list.json", '[{"messages": ['),
        ("own.jsonl", '{"turns": ['),
    ],
)
def test_json_nested_too_deep(complain: Complain, name: str, start: str) -> None:
    assert complain(name, start + "[" * 50_000 + "\n" + "[" * 50_000).startswith(
        f"{name}, line 1: not JSON that can be read (maximum recursion depth"
    )


@pytest.mark.parametrize("depth", [3, 400, 900])
def test_lists_in_lists_are_no_conversations(complain: Complain, depth: int) -> None:
    content = "[" * depth + '{"role": "user", "content": "a"}' + "]" * depth
    assert complain("a.json", content, format="messages").startswith("a.json, ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            '{"messages": [1, 2]}',
            'a.json, line 1, message 1: a message needs "role" and "content", or "from" and "value".',
        ),
        ('{"messages": [\n{"role": "user", "content": "a"}, null]}', 'a.json, message 2: a message needs "role"'),
        ('{"messages": [{"role": 3, "content": "a"}]}', 'a.json, line 1, message 1: a message needs "role"'),
        ('{"messages": [{"content": "a"}]}', 'a.json, line 1, message 1: a message needs "role"'),
        ('{"messages": "a"}', 'a.json, line 1: no "messages" or "conversations" list (found: messages)'),
        ('{"items": [], "id": 2}', 'a.json, line 1: no "messages" or "conversations" list (found: items, id)'),
        ('[{"messages": []}, 3]', 'a.json, line 1, item 2: no "messages" or "conversations" list. '),
        ("[1, 2]", 'a.json, line 1, item 1: no "messages" or "conversations" list. '),
        ("3", 'a.json, line 1: no "messages" or "conversations" list. '),
        ('"a"', 'a.json, line 1: no "messages" or "conversations" list. '),
    ],
)
def test_json_of_another_shape(complain: Complain, content: str, problem: str) -> None:
    assert complain("a.json", content + "\n").startswith(problem)


def test_a_raw_list_of_other_things_than_strings(complain: Complain) -> None:
    message = "a.json, item 2: not a string. The raw format is a list of strings joined by <|endoftext|>."
    assert complain("a.json", '["a", {"text": "b"}]') == message


@pytest.mark.parametrize(
    "part", ["null", "3", '"word"', '{"type": "text"}', '{"type": "text", "text": null}', '{"text": 3}']
)
def test_content_parts_without_text_are_a_dropped_line(tmp_path: Path, part: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'{{"messages": [{{"role": "user", "content": [{part}]}}, {{"role": "user", "content": "a"}}]}}')
    tally = Tally()
    (conversation,) = read_conversations(path, tally=tally)
    assert conversation.turns == (Turn("user", "a"),)
    assert tally.dropped == {"no text": 1}


def test_nothing_is_yielded_after_the_line_that_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(JSON_TALK + "{]\n" + JSON_TALK)
    read = read_conversations(path)
    assert next(read).turns == (Turn("a", "b"),)
    with pytest.raises(DataError, match=r"own\.jsonl, line 2"):
        next(read)
    assert list(read) == []
