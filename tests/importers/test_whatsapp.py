"""WhatsApp: dates that Signal's exporter writes too, and what the app writes in Vietnamese, Korean and Chinese."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import FORMATS, read_conversations

MARK = "\u200e"


def told(folder: Path, text: str, format: str = "auto") -> tuple[list[tuple[str, str]], Counter[str], str]:
    """Who says what, what is dropped, and which format it was."""
    path, tally = folder / "chat.txt", Tally()
    path.write_text(text, encoding="utf-8")
    turns = [
        (turn.speaker, turn.text)
        for conversation in read_conversations(path, ReadConfig(format=format), tally)  # type: ignore[arg-type]
        for turn in conversation.turns
    ]
    [(_, title)] = tally.formats
    return turns, tally.dropped, title


def lines(*said: str, seconds: str = ":00") -> str:
    return "".join(f"[2019-04-16 02:0{at}{seconds}] {line}\n" for at, line in enumerate(said))


def test_brackets_without_a_comma_and_seconds_are_whatsapp_s(tmp_path: Path) -> None:
    many = [f"[2019-04-16 02:{at % 60:02}] +1 123 456 789: line {at}\n" for at in range(2000)]
    turns, dropped, title = told(tmp_path, "".join(many))
    assert turns == [("+1 123 456 789", f"line {at}") for at in range(2000)]
    assert (dropped, title) == ({}, "WhatsApp chat")


@pytest.mark.parametrize(
    "line",
    [
        f"Ann: {MARK}image omitted",
        "Ann: <Media omitted>",
        "Ann: IMG-20190416-WA0001.jpg (file attached)",
        "Ann: This message was deleted",
        "+1 123 456 789: hi",
        "Ann left",
        f"Boats: {MARK}Messages and calls are end-to-end encrypted.",
    ],
)
def test_what_only_whatsapp_writes_tells_it_from_signal(tmp_path: Path, line: str) -> None:
    assert told(tmp_path, lines("Ann: hi", line, "Bob: hello"))[2] == "WhatsApp chat"


@pytest.mark.parametrize(
    "line",
    [
        "Me: ![x.jpg](./media/x.jpg)",
        "Me: yes\n(- Ann: 👍 -)",
        "Ann: at 10: fine",
        f"Ann: one {MARK}two",
        "Ann: x\n[https://x] y",
    ],
)
def test_what_signal_s_exporter_writes_stays_signal_s(tmp_path: Path, line: str) -> None:
    assert told(tmp_path, lines("Ann: hi", line))[2] == "Signal (signal-export)"


def test_a_line_that_begins_with_a_mark_begins_a_message(tmp_path: Path) -> None:
    text = f"[2019-04-16 02:09:00] Ann: hi\n{MARK}[2019-04-16 02:09:20] Bob: {MARK}image omitted\n"
    for format in ("auto", "whatsapp"):
        turns, dropped, _ = told(tmp_path, text, format)
        assert (turns, dropped) == ([("Ann", "hi")], {"media": 1})
    assert told(tmp_path, text, "signal")[0][0] == ("Ann", "hi")


def test_where_nothing_tells_them_apart_both_readings_are_the_same(tmp_path: Path) -> None:
    text = lines("Ann: hi", "Bob: one\ntwo: three\n\nfour", "Ann: at 10:30", "Dwayne Boat: [yes] <3", "Ann: 👍 ")
    signal, whatsapp = (told(tmp_path, text, format)[:2] for format in ("signal", "whatsapp"))
    assert signal == whatsapp
    assert sum(FORMATS[name].claims(text) for name in ("signal", "whatsapp")) == 1


@pytest.mark.parametrize(
    ("media", "deleted", "call", "encrypted"),
    [
        (
            ["<bỏ qua tệp phương tiện>", "<Bỏ qua Media>", "đã bỏ qua hình ảnh", "đã bỏ video", "đã bỏ qua tài liệu"],
            ["Tin nhắn này đã bị xóa", "Tin nhắn này đã bị xoá", "Bạn đã xóa tin nhắn này"],
            ["Cuộc gọi nhỡ", "Cuộc gọi nhỡ video"],
            "Tin nhắn và cuộc gọi được mã hóa đầu cuối.",
        ),
        (
            [
                "<미디어 파일 제외됨>",
                "<미디어 파일을 생략한 대화내용>",
                "이미지 생략됨",
                "스티커 제외됨",
                "연락처 카드 생략됨",
            ],
            ["이 메시지는 삭제되었습니다", "삭제한 메시지입니다", "이 메시지를 삭제했습니다"],
            ["부재중 전화", "부재중 영상통화"],
            "메시지 및 전화는 암호화되어 안전합니다.",
        ),
        (
            [
                "<忽略多媒體檔>",
                "<已省略多媒體檔案>",
                "圖片已略去",
                "貼圖已忽略",
                "GIF 圖片已被省略",
                "聯絡人卡片已省略",
            ],
            ["此訊息已刪除。", "您已刪除此訊息"],
            ["未接語音通話", "未接視像通話"],
            "訊息與通話已受端對端加密保護。",
        ),
        (
            ["<省略影音内容>", "<省略多媒体文件>", "照片已忽略", "视频已忽略", "文档已省略", "IMG-1.jpg (文件附件)"],
            ["信息已删除", "这条消息已删除", "这条消息已被删除。", "您已删除这条消息"],
            ["未接语音通话", "未接视频通话"],
            "消息和通话已进行端到端加密。",
        ),
    ],
    ids=["vietnamese", "korean", "traditional", "simplified"],
)
def test_what_nobody_said_in_vietnamese_korean_and_chinese(
    tmp_path: Path, media: list[str], deleted: list[str], call: list[str], encrypted: str
) -> None:
    said = [
        f"Boats: {encrypted}",
        *(f"Ann: {line}" for line in (*media, *deleted, *call)),
        f"Ann: {media[0]} ?",
        "Ann: hi",
    ]
    turns, dropped, _ = told(tmp_path, "".join(f"2024/1/5 15:20 - {line}\n" for line in said))
    assert turns == [("Ann", f"{media[0]} ?"), ("Ann", "hi")]
    assert dropped == {"system message": 1, "media": len(media) + len(call), "deleted message": len(deleted)}


@pytest.mark.parametrize(
    ("stamp", "hour"),
    [
        ("05/01/2024, 3:20 CH", 15),
        ("05/01/2024, 12:20 SA", 0),
        ("05/01/2024, 15:20", 15),
        ("2024. 1. 5. 오후 3:20", 15),
        ("2024. 1. 5. 오전 12:20", 0),
        ("2024/1/5 下午3:20", 15),
        ("2024/1/5 上午12:20", 0),
    ],
)
def test_times_of_vietnamese_korean_and_chinese_phones(tmp_path: Path, stamp: str, hour: int) -> None:
    path = tmp_path / "chat.txt"
    later = stamp.replace("05/01", "16/01").replace("1. 5.", "1. 16.").replace("1/5", "1/16")
    path.write_text(f"{stamp} - Ann: hi\n{later} - Ann: bye\n", encoding="utf-8")
    first, _ = list(read_conversations(path))
    assert first.turns[0].time == datetime(2024, 1, 5, hour, 20)
