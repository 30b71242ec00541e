"""What real exports have beside the plain case: languages, apps' own marks, what others said in a quote."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations


def read(path: Path, tally: Tally | None = None, **settings: object) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))  # type: ignore[arg-type]


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


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
    assert told(path) == (
        [("Ann", "hello"), *(("Ann", line) for line in lines[3:])],
        {"media": 1, "deleted message": 1},
    )


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
    assert dropped == {"system message": 2, "media": 2}


def test_a_renamed_group_is_no_speaker_and_a_message_may_have_none(tmp_path: Path) -> None:
    lines = [
        "Ann changed the subject from “A” to “B: c”",
        'Bob created group "X: Y"',
        ": who is this",
        'Dwayne "The Oar" Boat: hi',
        "Ann: hello",
    ]
    turns, dropped = told(write(tmp_path, "chat.txt", "".join(f"13/4/21, 14:05 - {line}\n" for line in lines)))
    assert turns == [('Dwayne "The Oar" Boat', "hi"), ("Ann", "hello")]
    assert dropped.total() == 3


def test_encrypted_chats_of_messenger_lie_in_one_folder_and_stay_apart(tmp_path: Path) -> None:
    for name, speaker in (("Bob_1", "Bob"), ("Zoe_2", "Zoë")):
        messages = [
            {
                "isUnsent": False,
                "media": [],
                "reactions": [],
                "senderName": speaker,
                "text": "hi",
                "timestamp": 1700000000000,
                "type": "text",
            },
            {
                "isUnsent": False,
                "media": [{"uri": "x"}],
                "senderName": speaker,
                "text": "",
                "timestamp": 1700000001000,
                "type": "media",
            },
            {
                "isUnsent": True,
                "media": [],
                "senderName": speaker,
                "text": "",
                "timestamp": 1700000002000,
                "type": "text",
            },
        ]
        write(
            tmp_path,
            f"{name}.json",
            json.dumps({"participants": ["Ann", speaker], "threadName": name, "messages": messages}),
        )
    tally = Tally()
    assert [(conversation.group, conversation.turns[0][:2]) for conversation in read(tmp_path, tally)] == [
        ("Bob_1", ("Bob", "hi")),
        ("Zoe_2", ("Zoë", "hi")),
    ]
    assert tally.dropped == {"media": 2, "deleted message": 2}


def test_names_of_two_words_where_line_writes_spaces(tmp_path: Path) -> None:
    lines = ["Hanako Sato hello", "Taro hi there", "Hanako Sato bye", "Taro see you", "Hanako Sato really"]
    path = write(
        tmp_path, "line.txt", "2025.08.04 Monday\n" + "".join(f"12:0{at} {line}\n" for at, line in enumerate(lines))
    )
    turns, _ = told(path, format="line")
    assert turns[:2] == [("Hanako Sato", "hello"), ("Taro", "hi there")]


def test_what_a_signal_message_answers_is_not_its_own_words(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "chat.md",
        "[2024-05-01 18:30:00] Ann: > is larger\n[2024-05-01 18:31:10] Bob: \n\n> Who?\n> What?\n\nMe.\n",
    )
    assert told(path) == ([("Ann", "> is larger"), ("Bob", "Me.")], {})


def test_events_and_colours_of_irc_clients(tmp_path: Path) -> None:
    begin = "**** BEGIN LOGGING AT Tue Dec 31 10:00:00 2024\n\n"
    lines = [
        "Dec 31 10:00:01 *\tNow talking on #lake",
        "Dec 31 10:01:00 <ann>\t\x0304hi\x03 there",
        "Jan 02 10:02:00 *\tann waves",
    ]
    (first, second) = read(
        write(tmp_path, "lake.log", begin + "\n".join([*lines, "Jan 02 10:03:00 *\tbob (~b@x) has quit", ""]))
    )
    assert first.turns == (Turn("ann", "hi there", datetime(2024, 12, 31, 10, 1)),)
    assert second.turns == (Turn("ann", "*waves*", datetime(2025, 1, 2, 10, 2)),)


@pytest.mark.parametrize(
    "below",
    [
        "On Fri, May 3, 2024 at 10:00 AM Zoe Oar <zoe@example.org>\nwrote:\n> old words",
        "________________________________\nFrom: Zoe Oar <zoe@example.org>\nSent: Friday, May 3, 2024\nTo: Bob\n\n"
        "old words",
        "Von: Zoe Oar\nGesendet: Freitag, 3. Mai 2024\nAn: Bob\n\nold words",
        "Sent from my iPhone\n\n> old words",
        "-- \nBob\nold words",
    ],
)
def test_only_a_mail_s_own_words_are_read(tmp_path: Path, below: str) -> None:
    head = "From b Fri May  3 11:00:00 2024\nFrom: Bob <b@example.org>\nSubject: oars\nMessage-ID: <1@x>\n\n"
    assert told(write(tmp_path, "box.mbox", f"{head}From: the lake.\n\n{below}\n"))[0] == [("Bob", "From: the lake.")]


def test_marks_of_speakers_in_subtitles(tmp_path: Path) -> None:
    cues = [
        "ANN: Who?",
        ">> BOB: Me.",
        ">> And who else?",
        "（花子）はい",
        "Dr. Smith (laughs): It is 10:30.",
        "– No.",
        "（ドアが閉まる）",
    ]
    times = ((f"00:00:0{at},000 --> 00:00:0{at},900", cue) for at, cue in enumerate(cues))
    turns, dropped = told(
        write(tmp_path, "film.srt", "\n".join(f"{at}\n{time}\n{cue}\n" for at, (time, cue) in enumerate(times, 1)))
    )
    assert turns == [("ANN", "Who?"), ("BOB", "Me."), ("花子", "はい"), ("Dr. Smith", "It is 10:30.")]
    assert dropped == {"no speaker": 2, "system message": 1}


def test_a_fountain_speech_goes_on_over_two_spaces(tmp_path: Path) -> None:
    path = write(tmp_path, "film.fountain", "INT. LAKE\n\nANN\nOne.\n  \nTwo.\n\nShe rows.\n\nBOB\nThree.\n")
    assert told(path) == ([("ANN", "One. Two."), ("BOB", "Three.")], {"system message": 2})


def test_pairs_of_a_question_and_an_answer(tmp_path: Path) -> None:
    rows = [
        {"prompt": "a", "completion": "b"},
        {"question": "c", "context": "d", "answer": "e"},
        {"instruction": "f", "response": "g"},
    ]
    turns, _ = told(write(tmp_path, "pairs.jsonl", "\n".join(map(json.dumps, rows))))
    assert turns == [
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c\nd"),
        ("assistant", "e"),
        ("user", "f"),
        ("assistant", "g"),
    ]
