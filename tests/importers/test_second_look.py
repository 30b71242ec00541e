"""What is seen in a file that no format claims, or several do."""

from __future__ import annotations

import json
import pickle
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wolf_chatbox.cli import app, run
from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, FormatError
from wolf_chatbox.importers import FORMATS, read_conversations
from wolf_chatbox.importers.files.encodings import probable
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.second_look.answer import look_again, look_at
from wolf_chatbox.importers.second_look.look import Look, Unclaimed
from wolf_chatbox.importers.second_look.trial import beginning_of, try_reading

FIXTURES = Path(__file__).parents[1] / "fixtures"
TALK = "12.03 Ann » who brings the oars?\n12.04 Bob » not me\n12.05 Ann » then we swim\n"
SINGLE = [
    path
    for path in sorted(FIXTURES.glob("*/*.input.*"))
    if path.is_file() and path.parent.name in FORMATS and not FORMATS[path.parent.name].beside
]
"""Fixtures of one file, which their reader needs no other beside."""


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(lambda: app.meta(list(arguments), exit_on_error=False, print_error=False), {})
        return (code, *capsys.readouterr())

    return call


def refused(path: Path, **settings: Any) -> Unclaimed:
    with pytest.raises(Unclaimed) as caught:
        list(read_conversations(path, ReadConfig(**settings)))
    return caught.value


def look(path: Path) -> Look:
    (found,) = refused(path).looks
    return found


# Trial readings


def test_the_counts_of_a_trial_alone_show_the_right_format_among_the_two_best() -> None:
    """So it is with nine of ten fixtures in which somebody answers (every other one is tried), whatever claims them."""
    names = [name for name, format in FORMATS.items() if not format.beside]
    asked, wrong = 0, list[str]()
    for path in SINGLE[::2]:
        source = Source.open(path)
        if source.encoding == "binary":
            continue
        beginning, cut = beginning_of(source)
        guesses = {name: try_reading(name, FORMATS[name], beginning, cut, ReadConfig()) for name in names}
        if guesses[path.parent.name].speakers < 2:
            continue
        asked += 1
        best = sorted(names, key=lambda name: guesses[name].score, reverse=True)[:2]
        if path.parent.name not in best:
            wrong.append(f"{path.parent.name}/{path.name}: {best}")
    assert asked > 25
    assert 10 * len(wrong) <= asked, wrong


def test_a_trial_reads_what_the_reading_would(tmp_path: Path) -> None:
    path = FIXTURES / "whatsapp/android_us.input.txt"
    tally = Tally()
    turns = [turn for conversation in read_conversations(path, tally=tally) for turn in conversation.turns]
    guess = try_reading("whatsapp", FORMATS["whatsapp"], *beginning_of(Source.open(path)), ReadConfig())
    assert (guess.turns, guess.speakers) == (len(turns), len({turn.speaker for turn in turns}))
    assert guess.first == tuple((turn.speaker, turn.text) for turn in turns[:3])
    assert guess.dropped == dict(tally.dropped)
    assert guess.claimed
    assert not guess.error


def test_of_a_large_file_only_the_beginning_is_read_and_its_end_is_no_fault(tmp_path: Path) -> None:
    row = {"messages": [{"role": "user", "content": "who brings the oars?"}, {"role": "assistant", "content": "I"}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps([row] * 5000, indent=1))
    beginning, cut = beginning_of(Source.open(path))
    guess = try_reading("messages", FORMATS["messages"], beginning, cut, ReadConfig())
    assert cut
    assert len(beginning.head) <= 1 << 16
    assert 2 <= guess.turns < 10_000
    assert not guess.error


# What is said


def test_two_claims_are_weighed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,line\nAda,say <|endoftext|>\nBob,hi <|endoftext|>\nAda,ho\n")
    error = refused(path)
    assert str(error) == (
        f"{path}: could be raw or script; it reads best as script (3 turns of 2 speakers). Pass --format script."
    )
    best, other = error.looks[0].guesses
    assert (best.format, other.format) == ("script", "raw")
    assert "most speakers come back" in best.for_
    assert "the name ends in .csv" in best.for_
    assert "only one speaker" in other.against


def test_a_format_that_would_read_it_is_named_with_its_flag(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("".join(f"12:0{at}\t{name}\tline {at}\n" for at, name in enumerate(["Ann", "Bob"] * 4)))
    error = refused(path)
    (found,) = error.looks
    assert str(error).endswith(" It reads best as line (8 turns of 2 speakers): pass --format line.")
    forced = list(read_conversations(path, ReadConfig(format="line")))
    turns = tuple((turn.speaker, turn.text) for one in forced for turn in one.turns)
    assert turns[:3] == found.guesses[0].first
    assert len(turns) == found.guesses[0].turns


def test_a_chat_of_unknown_form_is_seen_with_an_example(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(TALK)
    assert look(path).seen.kind == "turns"
    assert "'12.03 Ann »'" in str(refused(path))


@pytest.mark.parametrize(
    ("name", "content", "kind", "says"),
    [
        ("README.md", "# Lake\n\nBoats.\n\n## Oars\n\nNote: new.\n", "markdown", "Chat exports"),
        ("boat.py", "import os\n\nclass Boat:\n    def row(self):\n        return 1\n", "code", "Chat exports"),
        ("nosuffix", "def row(a):\n    return a\n\nclass B:\n    x = 1\n", "code", "Chat exports"),
        ("access.log", '10.0.0.1 - - [10/Oct/2023:13:55:00 +0000] "GET / HTTP/1.1" 200 1\n' * 3, "log", "web server"),
        ("app.log", "2024-05-01 12:00:01,123 INFO lake: request done\n" * 3, "log", "program"),
        ("cal.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nEND:VEVENT\n", "calendar", "calendar"),
        ("ann.vcf", "BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nEND:VCARD\n", "contacts", "address cards"),
        ("page.html", "<!DOCTYPE html>\n<html><body>hi</body></html>\n", "html", "JSON or text"),
        ("a.xml", "<?xml version='1.0'?>\n<lakes><lake/></lakes>\n", "xml", "<lakes>"),
        ("a.rtf", "{\\rtf1 hi}", "rtf", "plain text"),
        ("a.diff", "diff --git a/x b/x\n--- a/x\n+++ b/x\n", "patch", "patch"),
        ("key.pem", "-----BEGIN PRIVATE KEY-----\nMIIE\n", "key", "Decrypt"),
        ("conf.yaml", "name: lake\nport: 80\nboats:\n  - red\n", "settings", "YAML"),
        ("a.txt", "Late. “Who is there?” he asked. “Me.” “Who?” “You.”\n\nNo.\n", "prose", "quoted"),
        ("ja.txt", "名前はまだ無い。\nどこで生れたかとんと見当がつかぬ。\n", "prose", "without speakers"),
        ("one.txt", "hello\n", "line", "one line"),
        ("words.txt", "oar\nboat\nlake\n", "text", "without speakers"),
        ("a.ipynb", '{"cells": [], "nbformat": 4}', "json", "keys cells, nbformat"),
        ("table", "date,city,degrees\n2024,Oslo,12\n2024,Oslo,13\n", "table", "date, city, degrees"),
        ("numbers", "1,2,3\n4,5,6\n", "table", "without names"),
        ("who", "day,who,what\nMon,Ann,who rows?\nMon,Bob,not me, no\nMon,Ann,then we swim\nMon,Bob,fine by me\n"
         .replace("not me, no", "not me at all"), "table", "--speaker-column who --text-column what"),
    ],
)  # fmt: skip
def test_a_text_is_told_by_what_it_looks_like(tmp_path: Path, name: str, content: str, kind: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    error = refused(path)
    assert error.looks[0].seen.kind == kind
    assert says in str(error)
    assert error.looks[0].lines[0] == content.splitlines()[0]


ZIPS = {"letter.docx": "word/document.xml", "table.xlsx": "xl/workbook.xml", "slides.pptx": "ppt/slides/slide1.xml"}
DATABASES = {
    "msgstore.db": ("message", "chat", "jid"),
    "chat.db": ("message", "handle", "chat_message_join"),
    "ChatStorage.sqlite": ("ZWAMESSAGE", "ZWACHATSESSION"),
    "boats.sqlite": ("boats", "oars"),
}


@pytest.mark.parametrize(
    ("name", "content", "kind", "says"),
    [
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n", "pdf", "Copy its text"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "picture", "a picture"),
        ("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF", "picture", "a picture"),
        ("a.mp3", b"ID3\x03\0\0\0\0\x0fvTIT2", "audio", "Write down"),
        ("a.opus", b"OggS\0\x02OpusHead", "audio", "Write down"),
        ("a.mp4", b"\0\0\0\x20ftypisom\0\0\x02\0", "video", "subtitles"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office", "older Office"),
        ("a.pkl", pickle.dumps({"a": [1]}, 4), "pickle", "never loaded"),
        ("letter.docx", b"", "word", "plain text"),
        ("table.xlsx", b"", "sheet", "CSV"),
        ("slides.pptx", b"", "slides", "PowerPoint"),
        ("msgstore.db", b"", "whatsapp-db", "Export chat"),
        ("chat.db", b"", "imessage-db", "imessage-exporter"),
        ("ChatStorage.sqlite", b"", "whatsapp-db", "Export chat"),
        ("boats.sqlite", b"", "database", "tables: boats, oars"),
        ("msgstore.db.crypt15", bytes(range(200, 256)) * 9, "whatsapp-backup", "encrypted backup"),
        ("a.bin", b"\x01\x02\0\x03\xfe\xff\0" * 9, "binary", "a binary file"),
        ("a.txt", "Ann: hi\nBob: ho\n".encode("utf-16-le"), "wide", "--encoding utf-16-le"),
        ("empty.txt", b"", "empty", "empty"),
    ],
)
def test_what_is_no_text_is_told_by_its_bytes(tmp_path: Path, name: str, content: bytes, kind: str, says: str) -> None:
    path = tmp_path / name
    if name in ZIPS:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("[Content_Types].xml", "<a/>")
            archive.writestr(ZIPS[name], "<a/>")
    elif name in DATABASES:
        database = sqlite3.connect(path)
        for table in DATABASES[name]:
            database.execute(f"CREATE TABLE {table} (id INTEGER)")
        database.close()
    else:
        path.write_bytes(content)
    error = refused(path)
    assert (error.looks[0].seen.kind, error.looks[0].guesses) == (kind, ())
    assert says in str(error)


def test_a_text_in_a_japanese_encoding_is_shown_as_it_would_be_read(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes("花子: こんにちは\n太郎: やあ\n".encode("cp932"))
    found = look(path)
    assert (found.seen.kind, found.lines[0]) == ("encoding", "花子: こんにちは")
    assert str(refused(path)).endswith("text that is probably CP932. Pass --encoding cp932.")


def test_inspect_shows_a_text_in_the_encoding_that_its_error_names(tmp_path: Path, command: Any) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes("花子が言う、こんにちは。\n太郎が答える、やあ。\n".encode("cp932"))
    code, _, err = command("data", "inspect", str(path))
    assert code == 1
    assert err.endswith("not valid UTF-8 or CP1252. It is probably CP932: pass --encoding cp932.\n")
    assert "  花子が言う、こんにちは。\n" in err


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("花子: こんにちは、お元気ですか\n", "cp932"),
        ("花子: こんにちは、お元気ですか\n", "euc_jp"),
        ("민수: 안녕하세요, 잘 지내요?\n", "euc_kr"),
        ("小明: 你好，我是他的朋友，你在哪里？\n小红: 我在家里，不要来了\n", "gb18030"),
        ("小明: 你好，我是他的朋友，你在哪裡？\n小紅: 我在家裡，不要來了\n", "big5"),
        ("Zoë: déjà vu, hélas! À côté, c’était l’été.\nRené: ça ne m’étonne pas, très chère\n", "cp1252"),
        ("Jürgen: Übermäßig schöne Grüße über die Straße, mögen sie fröhlich bleiben\n", "cp1252"),
    ],
)
def test_an_encoding_is_told_by_its_usual_characters(text: str, encoding: str) -> None:
    assert probable(text.encode(encoding) * 3) == ("" if encoding == "cp1252" else encoding)


def test_a_note_names_the_encoding_that_a_text_read_as_cp1252_is_probably_in(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes("민수: 안녕하세요\n지영: 네 안녕하세요\n민수: 네\n".encode("euc_kr"))
    tally = Tally()
    list(read_conversations(path, tally=tally))
    assert tally.notes == ["chat.txt: not UTF-8, read as CP1252; it is probably EUC_KR: pass --encoding euc_kr"]


def test_an_error_keeps_what_was_seen_between_processes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TALK)
    error = refused(path)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.looks) == (str(error), error.looks)


@settings(deadline=None, max_examples=40)  # files are written
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode(errors="replace"))),
    st.sampled_from([b"", b"{", b"a,b\n"]),
)
def test_whatever_is_in_a_file_the_answer_is_one_line_and_less_than_a_screen(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, start: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "second_look"
    path.write_bytes(start + junk)
    said, looks = "", look_again([path], ReadConfig())
    try:
        list(read_conversations(path))
    except DataError as error:
        said = str(error)
    assert len(said) < 500 + 2 * len(str(path))
    assert not said or said.startswith(str(path))
    for found in looks:
        assert len(found.lines) <= 5
        assert all(len(line) <= 100 and line.strip() for line in found.lines)
        assert len(found.guesses) <= 2
        json.dumps(found.to_dict())


def test_a_program_s_source_is_no_screenplay_unless_it_is_asked_for(tmp_path: Path) -> None:
    lines = "Ann: hi\nBob: ho\nAnn: who brings the oars?\nBob: not me\n"
    (tmp_path / "boat.py").write_text(lines)
    (tmp_path / "boat.txt").write_text(lines)
    assert look(tmp_path / "boat.py").seen.kind == "code"
    forced = list(read_conversations(tmp_path / "boat.py", ReadConfig(format="screenplay")))
    assert [one.turns for one in forced] == [one.turns for one in read_conversations(tmp_path / "boat.txt")]


# Folders


def test_texts_of_a_folder_are_looked_at_before_the_pictures(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tmp_path / "talk.txt").write_text(TALK)
    error = refused(tmp_path)
    assert [Path(found.path).name for found in error.looks] == ["talk.txt", "0.png", "1.png"]
    assert "talk.txt is a chat in a form that is not known" in str(error)
    assert "and 3 more" in str(error)


def test_in_a_folder_with_conversations_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("name,line\nAda,Hi\nBob,Ho\n")
    (tmp_path / "both.csv").write_text("name,line\nAda,say <|endoftext|>\n")
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text("nothing said here\n")

    def tried(*_: Any) -> None:
        raise AssertionError("a second look into a file among others")

    monkeypatch.setattr("wolf_chatbox.importers.second_look.answer.try_reading", tried)
    tally = Tally()
    assert len(list(read_conversations(tmp_path, tally=tally))) == 1
    assert [unread.reason.removeprefix(f"{tmp_path}/") for unread in tally.unread] == [
        "both.csv: could be raw or script. Pass --format."
    ]


def test_names_in_the_folder_where_one_works_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "abc.txt").write_text("nothing said here\n")
    (tmp_path / "sub/def.txt").write_text("nothing said here\n")
    (tmp_path / "talk.csv").write_text("name,line\nAda,Hi\nBob,Ho\n")
    monkeypatch.chdir(tmp_path)
    for path in (".", "./", "../" + tmp_path.name):
        tally = Tally()
        list(read_conversations(path, tally=tally))
        assert tally.notes == [f"{path}: skipped 2 files in no known format: abc.txt, sub/def.txt"]


# data inspect


def test_inspect_shows_lines_guesses_and_flags_and_fails(tmp_path: Path, command: Any) -> None:
    path = tmp_path / "both.csv"
    path.write_text("name,line\nAda,say <|endoftext|>\nBob,hi <|endoftext|>\nAda,ho\n")
    code, out, err = command("data", "inspect", str(path))
    assert code == 1
    assert "  name,line\n" in err
    assert "guess 1: script table (CSV, TSV), --format script\n  Ada: say <|endoftext|>\n" in err
    assert "  for: 3 turns of 2 speakers; most speakers come back;" in err
    assert "guess 2: classic raw samples, --format raw\n" in err
    assert "  against: only one speaker\n" in err
    assert err.endswith(f"error: {refused(path)}\n")
    assert out == ""
    assert len(err.splitlines()) <= 24


def test_inspect_says_it_in_json_too(tmp_path: Path, command: Any) -> None:
    path = tmp_path / "talk.txt"
    path.write_text(TALK)
    code, out, _ = command("data", "inspect", str(path), "--json")
    told = json.loads(out)
    assert (code, told["error"]) == (1, str(refused(path)))
    assert told["looks"][0]["seen"]["kind"] == "turns"
    assert told["looks"][0]["lines"] == TALK.splitlines()


def test_inspect_shows_what_it_sees_of_a_file_that_a_forced_format_does_not_fit(tmp_path: Path, command: Any) -> None:
    path = tmp_path / "talk.txt"
    path.write_text("Ann: who brings the oars?\nBob: not me\nAnn: then we swim\n")
    code, out, err = command("data", "inspect", str(path), "--format", "irc")
    assert code == 1
    assert "no turns of dialogue found" in err
    assert out == ""
    assert "guess 1: screenplay" in err
    assert "--format screenplay" in err


def test_inspect_suggests_the_columns_of_a_table(tmp_path: Path, command: Any) -> None:
    path = tmp_path / "talk.csv"
    path.write_text("day,whose turn,words said\n" + "Mon,Ann,who brings the oars?\nMon,Bob,not me at all\n" * 3)
    code, _, err = command("data", "inspect", str(path))
    assert code == 1
    assert err.endswith("Pass --speaker-column.\n")
    assert "Perhaps: --speaker-column 'whose turn' --text-column 'words said'." in err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"name": "lake", "version": "1"}, "(found: name, version)."),
        ([{"id": 1, "degrees": 3}], "It is a list whose first item is an object with the keys id, degrees."),
        ([1, 2], "It is a number."),
    ],
)
def test_json_of_another_kind_says_what_it_is_and_what_is_read(tmp_path: Path, content: Any, says: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError) as caught:
        list(read_conversations(path))
    assert says in str(caught.value)
    assert 'Messages with "role" and "content"' in str(caught.value)
    assert str(caught.value).endswith("for another format, pass --format.")


def test_a_file_that_is_not_there_has_nothing_to_show(command: Any) -> None:
    code, out, err = command("data", "inspect", "nosuchfile.txt")
    assert (code, out) == (1, "")
    assert "there is no such file" in err


def test_the_error_of_a_single_file_is_a_format_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TALK)
    assert issubclass(Unclaimed, FormatError)
    assert look_at(Source.open(tmp_path / "a.txt"), ReadConfig()).claimed == ()
