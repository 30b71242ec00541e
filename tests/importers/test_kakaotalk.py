"""KakaoTalk: where a message ends, what nobody said, and what is no KakaoTalk."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import FORMATS, read_conversations


def told(
    folder: Path, text: str, name: str = "chat.txt"
) -> tuple[list[tuple[str, str, datetime | None]], Counter[str]]:
    """Who says what and when, and what is dropped."""
    path, tally = folder / name, Tally()
    path.write_text(text, encoding="utf-8")
    conversations = read_conversations(path, ReadConfig(format="kakaotalk"), tally)
    return [(turn.speaker, turn.text, turn.time) for chat in conversations for turn in chat.turns], tally.dropped


WINDOWS = "호수 님과 카카오톡 대화\n저장한 날짜 : 2024-03-05 18:20:52\n\n"
DAY = "--------------- 2024년 3월 4일 월요일 ---------------\n"


@pytest.mark.parametrize(
    ("clock", "hour"),
    [
        ("오전 12:00", 0),
        ("오전 9:00", 9),
        ("오후 12:00", 12),
        ("오후 9:00", 21),
        ("12:00 AM", 0),
        ("AM 12:00", 0),
        ("PM 9:00", 21),
        ("9:00 p.m.", 21),
        ("21:00", 21),
    ],
)
def test_noon_and_midnight(tmp_path: Path, clock: str, hour: int) -> None:
    turns, _ = told(tmp_path, f"{WINDOWS}{DAY}[안나] [{clock}] 안녕\n")
    assert turns == [("안나", "안녕", datetime(2024, 3, 4, hour))]


@pytest.mark.parametrize("dashes", [3, 15, 40])
def test_a_heading_has_dashes_of_any_length(tmp_path: Path, dashes: int) -> None:
    rule = "-" * dashes
    turns, _ = told(tmp_path, f"{WINDOWS}{rule} 2024년 3월 4일 월요일 {rule}\n[안나] [오전 9:00] 안녕\n")
    assert turns == [("안나", "안녕", datetime(2024, 3, 4, 9))]


def test_without_a_heading_there_is_no_time(tmp_path: Path) -> None:
    assert told(tmp_path, f"{WINDOWS}[안나] [오전 9:00] 안녕\n")[0] == [("안나", "안녕", None)]


def test_dates_and_clocks_that_cannot_be_belong_to_the_message_before(tmp_path: Path) -> None:
    lines = [
        "2024년 3월 4일 오전 9:00, 안나 : 안녕",
        "2024년 13월 4일 오전 9:00, 안나 : 하나",
        "2024년 3월 4일 오전 9:61, 안나 : 둘",
    ]
    turns, dropped = told(tmp_path, "\n".join(lines))
    assert turns == [("안나", "\n".join(["안녕", *lines[1:]]), datetime(2024, 3, 4, 9))]
    assert not dropped


def test_a_name_may_hold_a_colon_and_a_text_may_hold_the_mark(tmp_path: Path) -> None:
    turns, _ = told(tmp_path, "2024. 3. 4. 오전 9:00, 안나:호수 : 하나 : 둘\n2024. 3. 4. 오전 9:01, 보리 :\n셋\n")
    assert [turn[:2] for turn in turns] == [("안나:호수", "하나 : 둘"), ("보리", "셋")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("사진", "media"),
        ("사진 12장", "media"),
        ("동영상", "media"),
        ("이모티콘 ", "media"),
        ("음성메시지", "media"),
        ("<동영상 읽지 않음>", "media"),
        ("파일: 지도 2.pdf", "media"),
        ("0a1b2c3d4e.jpg", "media"),
        ("Photo", "media"),
        ("Emoticon", "media"),
        ("삭제된 메시지입니다.", "deleted message"),
        ("메시지가 삭제되었습니다.", "deleted message"),
        ("보이스톡 해요", "system message"),
        ("페이스톡 1:02", "system message"),
        ("톡게시판 '공지': 내일 만나요", "system message"),
        ("30,400원을 받으세요.", "system message"),
    ],
)
def test_what_nobody_said(tmp_path: Path, line: str, reason: str) -> None:
    turns, dropped = told(tmp_path, f"{WINDOWS}{DAY}[안나] [오전 9:00] {line}\n[안나] [오전 9:01] {line} 봤어?\n")
    assert [turn[1] for turn in turns] == ([] if "공지" in line else [f"{line} 봤어?"])
    assert dropped == {reason: 2 if "공지" in line else 1}


def test_a_notice_shows_no_clock_and_cuts_no_conversation(tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(
        f"{WINDOWS}{DAY}안나님이 들어왔습니다.\n[안나] [오전 9:12] 안녕\n[보리] [오전 9:13] 응\n안나님이 나갔습니다.\n",
        encoding="utf-8",
    )
    [chat] = read_conversations(tmp_path / "chat.txt", ReadConfig(also_keep=("system",)))
    assert [(turn.speaker, turn.time and turn.time.hour) for turn in chat.turns] == [
        ("system", None),
        ("안나", 9),
        ("보리", 9),
        ("system", None),
    ]


def test_lines_before_the_first_message_are_counted_but_for_the_title(tmp_path: Path) -> None:
    _, dropped = told(tmp_path, f"{WINDOWS}이것은 무엇\n{DAY}[안나] [오전 9:00] 안녕\n")
    assert dropped == {"before the first message": 1}


def test_a_quote_that_is_not_closed_harms_its_own_row_alone(tmp_path: Path) -> None:
    rows = 'Date,User,Message\n2024-03-04 09:12:33,"안나","안녕\n2024-03-04 09:12:34,"보리","그래, ""노""\n'
    turns, _ = told(tmp_path, rows, "chat.csv")
    assert [turn[:2] for turn in turns] == [("안나", "안녕"), ("보리", '그래, "노"')]


@pytest.mark.parametrize(
    "head",
    [
        "2024. 3. 4. 오전 9:00 - 안나: 안녕\n" * 3,  # WhatsApp on a Korean Android phone
        "[2024. 3. 4. 오전 9:00:12] 안나: 안녕\n" * 3,  # and on an iPhone
        "[안나] 안녕\n[보리] 그래\n" * 3,
        "오후 8:36, 우리는 호수에서 만났다.\n그리고 노를 저었다.\n" * 3,
    ],
)
def test_what_is_no_kakaotalk(head: str) -> None:
    assert not FORMATS["kakaotalk"].claims(head)
