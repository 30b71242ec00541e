"""Every importer, on the files in fixtures/<importer>/: <case>.input.<ext> is read, <case>.jsonl is expected."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn, parse_conversations, write_conversations
from wolf_chatbox.corpus import count_speakers
from wolf_chatbox.errors import DataError, FormatError
from wolf_chatbox.importers import IMPORTERS, Tally, _template, read_conversations, recognise
from wolf_chatbox.importers.source import Source

FIXTURES = Path(__file__).parent / "fixtures"
INPUTS = sorted(FIXTURES.glob("*/*.input.*"))
RICK_AND_MORTY = Path(__file__).parents[2] / "shared/data/rick_and_morty/RickAndMortyScripts.csv"

DROPPED = {
    "aiwolf/contest": {"Over, a mark": 1, "Skip, a mark": 1, "empty line": 1, "a model's refusal": 1, "a prompt that leaked": 1},
    "aiwolf/protocol": {"Over, a mark": 1, "Skip, a mark": 1, "ForceSkip, a mark": 1, "of nobody at the table": 1},
    "aiwolf/six": {"Over, a mark": 6, "Skip, a mark": 1},
    "aiwolf/translated": {"Over, a mark": 1, "Skip, a mark": 1, "empty line": 1, "a model's refusal": 1},
    "aiwolf_json/group_chat": {"Over, a mark": 1},
    "aiwolf_json/six": {"Over, a mark": 6, "Skip, a mark": 1},
    "aiwolf_json/six_realtime": {"Over, a mark": 6, "Skip, a mark": 1},
    "convai2/self": {"system line": 3},
    "conversations/own": {"no speaker": 1, "empty line": 1},
    "cornell/corpus": {"empty line": 1, "in no conversation": 1},
    "discord/channel": {"system line": 1, "media": 1},
    "fanlang/game": {"no speaker": 1, "empty line": 1},
    "imessage/ann": {"system line": 1, "media": 1},
    "irc/2024-05-01_znc": {"system line": 1},
    "irc/irssi": {"system line": 1},
    "irc/weechat": {"system line": 1},
    "jinro_bbs/rain": {"empty line": 1},
    "jinro_bbs/shift_jis": {"empty line": 1},
    "line/chinese": {"media": 1},
    "line/japanese": {"media": 1, "system line": 1, "deleted message": 1},
    "llmafia/games": {"written a second time": 3, "empty line": 1, "system line": 1, "a vote of the dead": 1},
    "mafia_tables/game": {"empty line": 1},
    "messages/openai": {"empty line": 1},
    "messages/openai_document": {"no speaker": 1},
    "messages/sharegpt": {"empty line": 1},
    "messenger/two_files": {"system line": 1, "deleted message": 1, "media": 1},
    "onuw/night": {"empty line": 1, "a vote, kept as an event": 4},
    "onuw/nobody": {"a vote, kept as an event": 2},
    "raw/lines": {"empty line": 2},
    "rows/lines": {"empty line": 1},
    "screenplay/film": {"system line": 4},
    "screenplay/transcript": {"system line": 2},
    "script/missing_parts": {"no speaker": 1, "empty line": 3},
    "signal/chat": {"media": 1},
    "slack/workspace": {"system line": 1, "media": 1, "deleted message": 1},
    "subtitles/names": {"no speaker": 1, "system line": 1},
    "subtitles/voices": {"system line": 1},
    "telegram/one_chat": {"system line": 1, "media": 1},
    "topical_chat/part": {"empty line": 1},
    "werewolf_among_us/train": {"empty line": 1},
    "werewolf_arena/game_complete": {"empty line": 1},
    "whatsapp/android_us": {"system line": 3, "media": 2, "deleted message": 1},
    "whatsapp/iphone_german": {"system line": 1, "media": 2, "deleted message": 1},
    "whatsapp/japanese": {"media": 1},
    "whatsapp/spanish_12_hours": {"media": 1, "deleted message": 1},
}
"""Turns dropped from a case; none from the others."""


def case_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def read(path: str | Path, tally: Tally | None = None, **settings: object) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))  # type: ignore[arg-type]


def written(conversations: list[Conversation]) -> str:
    file = io.StringIO()
    write_conversations(conversations, file)
    return file.getvalue()


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# The fixtures


def test_every_importer_has_a_case_and_every_case_its_expectation() -> None:
    assert {path.parent.name for path in INPUTS} == set(IMPORTERS)
    assert sorted(map(case_of, INPUTS)) == sorted(case_of(path) for path in FIXTURES.glob("*/*.jsonl") if ".input." not in path.name)
    assert set(DROPPED) <= set(map(case_of, INPUTS))


@pytest.mark.parametrize("path", INPUTS, ids=case_of)
def test_a_case_reads_as_expected(path: Path) -> None:
    tally = Tally()
    conversations = read(path, tally)
    assert written(conversations) == (FIXTURES / f"{case_of(path)}.jsonl").read_text(encoding="utf-8")
    assert tally.dropped == Counter(DROPPED.get(case_of(path), {}))
    assert tally.kept == sum(len(conversation.turns) for conversation in conversations)
    assert tally.read == tally.kept + tally.dropped.total()


@pytest.mark.parametrize("path", INPUTS, ids=case_of)
def test_a_case_is_recognised_and_reads_the_same_when_its_format_is_given(path: Path) -> None:
    name = path.parent.name
    found, given_ = Tally(), Tally()
    assert read(path, found) == read(path, given_, format=name)
    assert found.dropped == given_.dropped
    assert {title for _, title in found.formats} == {IMPORTERS[name].title}


@pytest.mark.parametrize("path", [path for path in INPUTS if path.parent.name != "conversations"], ids=case_of)
def test_a_converted_case_reads_back_as_itself(path: Path) -> None:
    expected = FIXTURES / f"{case_of(path)}.jsonl"
    assert recognise(Source.open(expected), ReadConfig()) == "conversations"
    assert read(expected) == read(path)


# Laws

names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)
lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws") / "file"


@settings(deadline=None)  # files are written
@given(st.lists(st.tuples(names, lines)), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_every_row_of_a_script_is_kept_or_counted(scratch: Path, rows: list[tuple[str, str]], delimiter: str, end: str) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows([("name", "line"), *rows])
    scratch.write_bytes(file.getvalue().encode())
    tally = Tally()
    turns = [turn for conversation in read(scratch, tally, format="script") for turn in conversation.turns]
    assert turns == [Turn(name.strip(), line.strip()) for name, line in rows if name.strip() and line.strip()]
    assert tally.read == sum(bool(name.strip() or line.strip()) for name, line in rows)
    assert tally.dropped["no speaker"] == sum(bool(line.strip() and not name.strip()) for name, line in rows)


@settings(deadline=None)  # files are written
@given(st.lists(st.lists(st.tuples(names, lines)), min_size=1))
def test_every_turn_of_a_conversation_is_kept_or_counted(scratch: Path, talks: list[list[tuple[str, str]]]) -> None:
    conversations = [Conversation(tuple(Turn(*turn) for turn in talk), "g") for talk in talks]
    scratch.write_text(written(conversations), encoding="utf-8")
    tally = Tally()
    read(scratch, tally, format="conversations")
    assert tally.read == sum(map(len, talks))
    assert tally.kept == sum(bool(name.strip() and line.strip()) for talk in talks for name, line in talk)


@settings(deadline=None)  # files are written
@given(st.binary(max_size=200), st.sampled_from([b"", b"name,line\n", b"name;line\na;", b'{"turns": [', b'{"messages": [', b'["', b"a<|endoftext|>"]))
def test_any_bytes_are_read_or_give_one_line(scratch: Path, junk: bytes, start: bytes) -> None:
    scratch.write_bytes(start + junk)
    for name in ("auto", *IMPORTERS):
        tally, message, conversations = Tally(), "", []
        try:
            conversations = read(scratch, tally, format=name)
        except DataError as error:
            message = str(error)
        if message:
            assert message.startswith(str(scratch))
            assert len(message.splitlines()) == 1
        else:
            assert tally.kept == sum(len(each.turns) for each in conversations)
            assert all(turn.speaker and turn.text for each in conversations for turn in each.turns)


# Scripts


def test_the_jumps_of_the_index_are_noted() -> None:
    tally = Tally()
    read(FIXTURES / "script/episodes.input.csv", tally)
    assert tally.notes == [
        "episodes.input.csv: the index jumps 4 times (lines are missing there): "
        "1 small jumps bridged, 2 above 5 start a new conversation, 1 lie between episodes or scenes"
    ]


@pytest.mark.parametrize(("cut_at_jump", "lengths"), [(4, [3, 1, 2, 1, 2]), (5, [4, 2, 1, 2]), (6, [6, 1, 2])])
def test_an_index_that_jumps_by_more_than_the_limit_cuts(cut_at_jump: int, lengths: list[int]) -> None:
    conversations = read(FIXTURES / "script/episodes.input.csv", cut_at_jump=cut_at_jump)
    assert [len(each.turns) for each in conversations] == lengths


def test_an_index_that_begins_anew_with_each_episode_is_no_jump(tmp_path: Path) -> None:
    tally = Tally()
    path = write(tmp_path, "play.csv", "index,episode,name,line\n1,1,Ada,a\n2,1,Bob,b\n1,2,Ada,c\n2,2,Bob,d\n")
    assert [each.group for each in read(path, tally)] == ["1", "2"]
    assert tally.notes == []


def test_columns_are_found_by_the_names_given(tmp_path: Path) -> None:
    path = write(tmp_path, "play.csv", "Nr,Wer,Was sie sagt,name\n1,Ada,Hallo,x\n2,Bob,Tag,y\n")
    expected = [Conversation((Turn("Ada", "Hallo"), Turn("Bob", "Tag")), "play")]
    assert read(path, speaker_column="Wer", text_column="Was sie sagt") == expected
    assert read(path, speaker_column="wer", text_column="was_sie_sagt") == expected


def test_one_given_column_leaves_the_other_to_be_recognised(tmp_path: Path) -> None:
    path = write(tmp_path, "play.txt", "who said it,line\nAda,Hallo\n")
    assert read(path, speaker_column="who said it") == [Conversation((Turn("Ada", "Hallo"),), "play")]


def test_a_given_column_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path: Path) -> None:
    path = write(tmp_path, "play.csv", "name,line\nAda,Hallo\n")
    with pytest.raises(DataError, match=r"play\.csv, line 1: no column 'speech' \(found: name, line\)\. Pass --text-column\."):
        read(path, text_column="speech")


def test_blank_lines_before_the_header_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, "play.csv", "\r\n  \r\nname,line\r\nAda,Hallo\r\n")
    assert read(path) == [Conversation((Turn("Ada", "Hallo"),), "play")]


def test_no_byte_order_mark_is_left_whatever_encoding_is_given(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16-le"):
        path = write(tmp_path, "play.csv", "\ufeffname,line\nAda,Hallo\n".encode(encoding))
        assert read(path, encoding=encoding) == [Conversation((Turn("Ada", "Hallo"),), "play")]
        path = write(tmp_path, "talk.jsonl", '\ufeff{"turns": [{"speaker": "a", "text": "b"}]}\n'.encode(encoding))
        assert read(path, encoding=encoding) == [Conversation((Turn("a", "b"),), "talk 1")]
        path = write(tmp_path, "raw.json", '\ufeff["a"]'.encode(encoding))
        assert read(path, encoding=encoding) == [Conversation((Turn("A", "a"),), "raw 1")]


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le", "utf-8"])
@pytest.mark.parametrize("shift", range(4))
def test_a_character_across_the_end_of_the_head_is_no_error(tmp_path: Path, encoding: str, shift: int) -> None:
    content = "name,line\n" + "a" * (shift + 1) + ",b\n" + "漢字,「かな」\n" * 6_000
    path = write(tmp_path, "long.csv", content.encode(encoding))
    assert path.stat().st_size > 1 << 16
    (conversation,) = read(path, encoding="auto" if encoding in ("utf-8", "utf-16") else encoding)
    assert len(conversation.turns) == 6_001
    assert conversation.turns[-1] == Turn("漢字", "「かな」")


def test_what_is_read_as_cp1252_unasked_is_noted() -> None:
    tally = Tally()
    read(FIXTURES / "script/cp1252.input.csv", tally)
    assert tally.notes == ["cp1252.input.csv: not UTF-8, read as CP1252; where characters look wrong, pass --encoding"]
    asked = Tally()
    read(FIXTURES / "script/cp1252.input.csv", asked, encoding="cp1252")
    assert asked.notes == []


# Messages


def test_json_lines_whose_first_line_is_longer_than_the_head(tmp_path: Path) -> None:
    long = '{"messages": [' + ", ".join(['{"role": "user", "content": "word"}'] * 3_000) + "]}\n"
    path = write(tmp_path, "long.jsonl", long + '{"messages": [{"role": "user", "content": "last"}]}\n')
    assert [len(each.turns) for each in read(path)] == [3_000, 1]


def test_a_list_in_one_line_may_be_longer_than_a_line_of_dialogue(tmp_path: Path) -> None:
    one = '{"conversations": [{"from": "human", "value": "' + "word " * 200 + '"}]}'
    path = write(tmp_path, "long.json", "[" + ", ".join([one] * 1_100) + "]")
    assert path.stat().st_size > 1_000_000
    assert len(read(path)) == 1_100


def test_a_bare_list_of_messages_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, "bare.jsonl", '[{"role": "user", "content": "a"}]\n[{"role": "user", "content": "b"}]\n')
    assert read(path) == [Conversation((Turn("user", "a"),), "bare 1"), Conversation((Turn("user", "b"),), "bare 2")]


def test_half_an_emoji_becomes_a_question_mark_that_a_file_can_hold(tmp_path: Path) -> None:
    whole_and_half = r'"\ud83d\ude00 \ud83d"'
    for name, content in {
        "a.jsonl": f'{{"turns": [{{"speaker": {whole_and_half}, "text": {whole_and_half}}}]}}',
        "b.jsonl": f'{{"messages": [{{"role": "user", "name": {whole_and_half}, "content": {whole_and_half}}}]}}',
    }.items():
        (conversation,) = read(write(tmp_path, name, content))
        assert conversation.turns == (Turn("😀 ?", "😀 ?"),)


# Recognition


@pytest.mark.parametrize(
    ("name", "content", "claimed"),
    [
        ("a.csv", "name,line\nAda,say <|endoftext|>\n", "script or raw"),
        ("a.jsonl", '{"turns": [{"speaker": "a", "text": "b"}], "role": "x", "content": "y", "messages": []}\n', "conversations or messages"),
    ],
)
def test_two_claims_ask_for_the_format(tmp_path: Path, name: str, content: str, claimed: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(FormatError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: could be {claimed}. Pass --format."
    assert len(read(path, format=claimed.split()[0])) == 1


def test_no_claim_names_the_formats(tmp_path: Path) -> None:
    path = write(tmp_path, "letter.txt", "Dear Ada,\nhow are you?\n")
    with pytest.raises(FormatError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: no known format of conversations (script, screenplay, ")


def test_a_line_of_dialogue_in_brackets_is_raw_and_json_is_not(tmp_path: Path) -> None:
    assert recognise(Source.open(write(tmp_path, "a.txt", "[Intro] Hi<|endoftext|>Ho\n")), ReadConfig()) == "raw"
    message = '{"messages": [{"role": "user", "content": "<|endoftext|>"}]}'
    for content in (message, f"[{message}]", f"[\n {message}\n]"):
        assert recognise(Source.open(write(tmp_path, "a.json", content)), ReadConfig()) == "messages"


# Chats as the apps write them


def told(path: Path, **settings: object) -> tuple[list[tuple[str, str]], Counter[str]]:
    """Who says what in a file, and what of it is dropped."""
    tally = Tally()
    turns = [(turn.speaker, turn.text) for conversation in read(path, tally, **settings) for turn in conversation.turns]
    return turns, tally.dropped


@pytest.mark.parametrize(
    ("media", "deleted", "edited"),
    [
        ("<Media omitted>", "This message was deleted", "<This message was edited>"),
        ("<Medien ausgeschlossen>", "Diese Nachricht wurde gelöscht.", "<Diese Nachricht wurde bearbeitet.>"),
        ("<Médias omis>", "Ce message a été supprimé", "<Ce message a été modifié>"),
        ("<Multimedia omitido>", "Eliminaste este mensaje.", "<Se editó este mensaje.>"),
        ("<Mídia oculta>", "Mensagem apagada", "<Mensagem editada>"),
        ("<Media omessi>", "Questo messaggio è stato eliminato", "<Questo messaggio è stato modificato>"),
        ("<Media weggelaten>", "U hebt dit bericht verwijderd", "<Dit bericht is bewerkt>"),
        ("<Без медиафайлов>", "Вы удалили данное сообщение", "<Сообщение изменено>"),
        ("<Medya dahil edilmedi>", "Bu mesajı sildiniz", "<Bu mesaj düzenlendi>"),
        ("<メディアは含まれていません>", "このメッセージは削除されました。", "<このメッセージは編集されました>"),
        ("<省略多媒體檔案>", "你已刪除此訊息", "<此訊息已編輯>"),
        ("<미디어 파일 제외됨>", "삭제된 메시지입니다", "<수정된 메시지>"),
        ("<تم استبعاد الوسائط>", "تم حذف هذه الرسالة", "<تم تعديل هذه الرسالة>"),
    ],
)
def test_what_nobody_said_on_whatsapp_in_many_languages(tmp_path: Path, media: str, deleted: str, edited: str) -> None:
    lines = [media, deleted, f"hello {edited}", "<3 you all>", "Video call? At five?", "1 < 2, 3 > 2 <really>"]
    path = write(tmp_path, "chat.txt", "".join(f"13.4.2021, 14:0{at} - Ann: {line}\n" for at, line in enumerate(lines)))
    assert told(path) == ([("Ann", "hello"), *(("Ann", line) for line in lines[3:])], {"media": 1, "deleted message": 1})


def test_what_an_iphone_puts_into_a_whatsapp_export(tmp_path: Path) -> None:
    mark = "\u200e"
    lines = [
        f"[2021/04/03 14:05:00] 花子: {mark}メッセージと通話はエンドツーエンドで暗号化されています。",
        "[2021/04/03 14:05:01] 花子: こんにちは",
        f"{mark}[2021/04/03 14:05:02] 花子: {mark}画像は含まれていません",
        f"{mark}[2021/04/03 14:05:03] 花子: look {mark}image omitted",
        f"{mark}[2021/04/03 14:05:04] 花子: oars.pdf • {mark}3 pages {mark}document omitted",
        f"[2021/04/03 14:05:05] 花子: {mark}POLL:\nWho?\n{mark}OPTION: me ({mark}1 vote)",
        f"[2021/04/03 14:05:06] 花子: {mark}Voice call, {mark}3 min",
    ]
    turns, dropped = told(write(tmp_path, "chat.txt", "\n".join(lines)))
    assert turns == [("花子", "こんにちは"), ("花子", "look"), ("花子", "POLL:\nWho?\nOPTION: me (1 vote)")]
    assert dropped == {"system line": 2, "media": 2}


def test_a_renamed_group_is_no_speaker_and_a_message_may_have_none(tmp_path: Path) -> None:
    lines = ["Ann changed the subject from “A” to “B: c”", 'Bob created group "X: Y"', ": who is this", 'Dwayne "The Oar" Boat: hi', "Ann: hello"]
    turns, dropped = told(write(tmp_path, "chat.txt", "".join(f"13/4/21, 14:05 - {line}\n" for line in lines)))
    assert turns == [('Dwayne "The Oar" Boat', "hi"), ("Ann", "hello")]
    assert dropped.total() == 3


def test_encrypted_chats_of_messenger_lie_in_one_folder_and_stay_apart(tmp_path: Path) -> None:
    for name, speaker in (("Bob_1", "Bob"), ("Zoe_2", "Zoë")):
        messages = [
            {"isUnsent": False, "media": [], "reactions": [], "senderName": speaker, "text": "hi", "timestamp": 1700000000000, "type": "text"},
            {"isUnsent": False, "media": [{"uri": "x"}], "senderName": speaker, "text": "", "timestamp": 1700000001000, "type": "media"},
            {"isUnsent": True, "media": [], "senderName": speaker, "text": "", "timestamp": 1700000002000, "type": "text"},
        ]
        write(tmp_path, f"{name}.json", json.dumps({"participants": ["Ann", speaker], "threadName": name, "messages": messages}))
    tally = Tally()
    assert [(each.group, each.turns[0][:2]) for each in read(tmp_path, tally)] == [("Bob_1", ("Bob", "hi")), ("Zoe_2", ("Zoë", "hi"))]
    assert tally.dropped == {"media": 2, "deleted message": 2}


def test_names_of_two_words_where_line_writes_spaces(tmp_path: Path) -> None:
    lines = ["Hanako Sato hello", "Taro hi there", "Hanako Sato bye", "Taro see you", "Hanako Sato really"]
    path = write(tmp_path, "line.txt", "2025.08.04 Monday\n" + "".join(f"12:0{at} {line}\n" for at, line in enumerate(lines)))
    turns, _ = told(path, format="line")
    assert turns[:2] == [("Hanako Sato", "hello"), ("Taro", "hi there")]


def test_what_a_signal_message_answers_is_not_its_own_words(tmp_path: Path) -> None:
    path = write(tmp_path, "chat.md", "[2024-05-01 18:30:00] Ann: > is larger\n[2024-05-01 18:31:10] Bob: \n\n> Who?\n> What?\n\nMe.\n")
    assert told(path) == ([("Ann", "> is larger"), ("Bob", "Me.")], {})


def test_events_and_colours_of_irc_clients(tmp_path: Path) -> None:
    begin = "**** BEGIN LOGGING AT Tue Dec 31 10:00:00 2024\n\n"
    lines = ["Dec 31 10:00:01 *\tNow talking on #lake", "Dec 31 10:01:00 <ann>\t\x0304hi\x03 there", "Jan 02 10:02:00 *\tann waves"]
    (first, second) = read(write(tmp_path, "lake.log", begin + "\n".join([*lines, "Jan 02 10:03:00 *\tbob (~b@x) has quit", ""])))
    assert first.turns == (Turn("ann", "hi there", datetime(2024, 12, 31, 10, 1)),)
    assert second.turns == (Turn("ann", "*waves*", datetime(2025, 1, 2, 10, 2)),)


@pytest.mark.parametrize(
    "below",
    [
        "On Fri, May 3, 2024 at 10:00 AM Zoe Oar <zoe@example.org>\nwrote:\n> old words",
        "________________________________\nFrom: Zoe Oar <zoe@example.org>\nSent: Friday, May 3, 2024\nTo: Bob\n\nold words",
        "Von: Zoe Oar\nGesendet: Freitag, 3. Mai 2024\nAn: Bob\n\nold words",
        "Sent from my iPhone\n\n> old words",
        "-- \nBob\nold words",
    ],
)
def test_only_a_mail_s_own_words_are_read(tmp_path: Path, below: str) -> None:
    head = "From b Fri May  3 11:00:00 2024\nFrom: Bob <b@example.org>\nSubject: oars\nMessage-ID: <1@x>\n\n"
    assert told(write(tmp_path, "box.mbox", f"{head}From: the lake.\n\n{below}\n"))[0] == [("Bob", "From: the lake.")]


def test_marks_of_speakers_in_subtitles(tmp_path: Path) -> None:
    cues = ["ANN: Who?", ">> BOB: Me.", ">> And who else?", "（花子）はい", "Dr. Smith (laughs): It is 10:30.", "– No.", "（ドアが閉まる）"]
    times = ((f"00:00:0{at},000 --> 00:00:0{at},900", cue) for at, cue in enumerate(cues))
    turns, dropped = told(write(tmp_path, "film.srt", "\n".join(f"{at}\n{time}\n{cue}\n" for at, (time, cue) in enumerate(times, 1))))
    assert turns == [("ANN", "Who?"), ("BOB", "Me."), ("花子", "はい"), ("Dr. Smith", "It is 10:30.")]
    assert dropped == {"no speaker": 2, "system line": 1}


def test_a_fountain_speech_goes_on_over_two_spaces(tmp_path: Path) -> None:
    path = write(tmp_path, "film.fountain", "INT. LAKE\n\nANN\nOne.\n  \nTwo.\n\nShe rows.\n\nBOB\nThree.\n")
    assert told(path) == ([("ANN", "One. Two."), ("BOB", "Three.")], {"system line": 2})


def test_pairs_of_a_question_and_an_answer(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "completion": "b"}, {"question": "c", "context": "d", "answer": "e"}, {"instruction": "f", "response": "g"}]
    turns, _ = told(write(tmp_path, "pairs.jsonl", "\n".join(map(json.dumps, rows))))
    assert turns == [("user", "a"), ("assistant", "b"), ("user", "c\nd"), ("assistant", "e"), ("user", "f"), ("assistant", "g")]


# Whole files


def test_the_files_of_a_list_are_read_one_after_the_other() -> None:
    tally = Tally()
    first, second = FIXTURES / "raw/lines.input.txt", FIXTURES / "script/scenes.input.csv"
    assert list(read_conversations([first, str(second)], tally=tally)) == read(first) + read(second)
    assert tally.formats == [(str(first), IMPORTERS["raw"].title), (str(second), IMPORTERS["script"].title)]


def test_the_example_is_the_bundled_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tally = Tally()
    conversations = read("example", tally)
    assert (tally.kept, tally.dropped.total()) == (566, 0)
    assert len({each.group for each in conversations}) == 13
    assert count_speakers(conversations).most_common(1)[0][0] == "Grimbold"
    assert tally.formats == [("example", "script table (CSV, TSV)")]


def test_a_file_of_the_name_goes_before_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "example", "name,line\nAda,Hallo\n")
    assert read("example") == [Conversation((Turn("Ada", "Hallo"),), "example")]


@pytest.mark.skipif(not RICK_AND_MORTY.exists(), reason="the Rick and Morty script is not there")
def test_the_rick_and_morty_script() -> None:
    tally = Tally()
    conversations = read(RICK_AND_MORTY, tally)
    assert (tally.read, tally.kept) == (1905, 1905)
    assert len({each.group for each in conversations}) == 11
    assert len(count_speakers(conversations)) == 48
    (note,) = tally.notes
    assert note == (
        "RickAndMortyScripts.csv: the index jumps 315 times (lines are missing there): "
        "292 small jumps bridged, 17 above 5 start a new conversation, 6 lie between episodes or scenes"
    )
    assert list(parse_conversations(written(conversations).splitlines(), "again")) == conversations


# Tables of the hub


def test_a_data_set_of_the_hub_is_streamed(tmp_path: Path) -> None:
    """A folder stands for the hub: the library reads both alike."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tmp_path / "dialogues"
    folder.mkdir()
    pq.write_table(
        pa.table({"scene_id": [1, 1, 2], "who": ["Ann", "Bob", "Ann"], "said": ["Who brings the oars?", "Not me.", "Pity."]}),
        folder / "train.parquet",
    )
    conversations = read(f"hf:{folder}", speaker_column="who", text_column="said")
    assert conversations == [
        Conversation((Turn("Ann", "Who brings the oars?"), Turn("Bob", "Not me.")), "1"),
        Conversation((Turn("Ann", "Pity."),), "2"),
    ]
    with pytest.raises(DataError, match="no column for the speaker"):
        read(f"hf:{folder}", speaker_column="whom")
    with pytest.raises(DataError, match="cannot be loaded"):
        read(f"hf:{folder}:nosuchsplit")


@pytest.mark.parametrize(
    ("row", "settings", "turns"),
    [
        ({"conversation": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, {}, [("user", "a"), ("assistant", "b")]),
        ({"talk": [{"who": "Ann", "text": "a"}]}, {"speaker_column": "who", "text_column": "talk"}, [("Ann", "a")]),
        ({"lines": ["a", "b"]}, {"text_column": "lines"}, [("A", "a"), ("B", "b")]),
        ({"turns": {"speaker": ["Ann", "Bob"], "utterance": ["a", "b"]}}, {}, [("Ann", "a"), ("Bob", "b")]),
        ({"prompt": "a", "messages": [{"role": "user", "content": "c"}]}, {}, [("user", "c")]),
        ({"prompt": "a", "completion": "b"}, {}, [("user", "a"), ("assistant", "b")]),
        ({"who": "Ann", "said": "a"}, {"speaker_column": "who", "text_column": "said"}, [("Ann", "a")]),
    ],
)
def test_columns_of_a_table_are_mapped(tmp_path: Path, row: dict[str, object], settings: dict[str, str], turns: list[tuple[str, str]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "train.parquet")
    for name in (str(tmp_path / "train.parquet"), f"hf:{tmp_path}", f"hf:{tmp_path}:train", f"hf:{tmp_path}:default:train"):
        (conversation,) = read(name, **settings)
        assert [turn[:2] for turn in conversation.turns] == turns


def test_the_template_is_an_importer(tmp_path: Path) -> None:
    source = Source.open(write(tmp_path, "chat.txt", "12:00 Ann> Who brings the oars?\n-- Bob joins --\n12:01 Bob> Not me.\n"))
    tally = Tally()
    (conversation,) = _template.read(source, ReadConfig(), tally)
    assert _template.claims(source.head)
    assert conversation == Conversation((Turn("Ann", "Who brings the oars?"), Turn("Bob", "Not me.")), "chat")
    assert tally.dropped == {"system line": 1}
