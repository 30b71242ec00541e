"""LINE's dates: which number is the day and which the month, and that no line is lost. The chats are invented."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations

TOP = "[LINE] Chat history with Ann\nSaved on: 20/03/2024, 10:00\n\n"


def read(folder: Path, text: str) -> tuple[list[Turn], Tally]:
    """The chat's turns and its tally, in which every line of it is counted."""
    path = folder / "chat.txt"
    path.write_text(text, encoding="utf-8")
    tally = Tally()
    turns = [turn for conversation in read_conversations(path, tally=tally) for turn in conversation.turns]
    assert tally.kept == len(turns)
    return turns, tally


def days_of(folder: Path, *headings: str) -> list[date | None]:
    """The days that messages under these headings are of."""
    turns, tally = read(folder, TOP + "\n".join(f"{heading}\n12:08\tAnn\toars\n" for heading in headings))
    assert tally.read == tally.kept == len(headings)
    return [turn.time and turn.time.date() for turn in turns]


@pytest.mark.parametrize(
    ("headings", "days"),
    [
        (["Thu, 14/03/2024", "Fri, 15/03/2024"], [date(2024, 3, 14), date(2024, 3, 15)]),
        (["Fri, 08/03/2024"], [date(2024, 3, 8)]),
        (["Fri, 03/08/2024"], [date(2024, 3, 8)]),
        (["Fri, 9/25/2026"], [date(2026, 9, 25)]),
        (["Fri, 04/18/2025"], [date(2025, 4, 18)]),
        (["Friday, 8/3/2024", "Wed, 3/4/2024"], [date(2024, 3, 8), date(2024, 4, 3)]),
        (["vie, 8.3.2024"], [date(2024, 3, 8)]),
        (["Fr., 08.03.2024"], [date(2024, 3, 8)]),
        (["พฤ. 14/3/2567"], [date(2024, 3, 14)]),
        (["2024.03.08 Friday"], [date(2024, 3, 8)]),
        (["2024/03/08(金)"], [date(2024, 3, 8)]),
        (
            ["Wed, 06/03/2024", "Thu, 03/28/2024", "Fri, 08/03/2024"],
            [date(2024, 3, 6), date(2024, 3, 28), date(2024, 3, 8)],
        ),
    ],
    ids=lambda value: ", ".join(map(str, value)),
)
def test_weekdays_tell_days_from_months(tmp_path: Path, headings: list[str], days: list[date]) -> None:
    assert days_of(tmp_path, *headings) == days


@pytest.mark.parametrize(
    ("headings", "days"),
    [
        (["Zz., 5/3/2024", "Zz., 13/3/2024"], [date(2024, 3, 5), date(2024, 3, 13)]),
        (["Zz., 5/3/2024", "Zz., 5/13/2024"], [date(2024, 5, 3), date(2024, 5, 13)]),
        (["Zz., 1/2/2024", "Zz., 2/2/2024", "Zz., 1/3/2024"], [date(2024, 2, 1), date(2024, 2, 2), date(2024, 3, 1)]),
    ],
    ids=lambda value: ", ".join(map(str, value)),
)
def test_without_a_known_weekday_the_numbers_tell(tmp_path: Path, headings: list[str], days: list[date]) -> None:
    """A number above 12, or the order in which days go on."""
    assert days_of(tmp_path, *headings) == days


def test_where_nothing_tells_days_from_months_a_note_does(tmp_path: Path) -> None:
    turns, tally = read(tmp_path, f"{TOP}Zz., 5/3/2024\n12:08\tAnn\toars\n")
    assert [turn.time and turn.time.date() for turn in turns] == [date(2024, 3, 5)]
    assert tally.notes == ["chat.txt: cannot tell whether days or months come first, read as dmy"]


def test_a_date_in_a_message_is_no_heading(tmp_path: Path) -> None:
    turns, tally = read(
        tmp_path,
        f'{TOP}Thu, 14/03/2024\n12:08\tAnn\t"oars due\nDue, 16/03/2024\n2024/03/17\nFri, 15/13/2024"\n'
        "12:09\tBob\tfine\n",
    )
    assert [turn.text for turn in turns] == ["oars due\nDue, 16/03/2024\n2024/03/17\nFri, 15/13/2024", "fine"]
    assert not tally.dropped


def test_messages_under_no_known_day_are_kept_without_a_time(tmp_path: Path) -> None:
    turns, tally = read(tmp_path, f"{TOP}the fourteenth\n12:08\tAnn\toars\n12:09\tBob\tfine\n")
    assert turns == [Turn("Ann", "oars"), Turn("Bob", "fine")]
    assert tally.dropped == {"outside any message": 1}
    assert tally.notes == ["chat.txt: 2 messages are under no readable date, kept without a time"]


@pytest.mark.parametrize(
    "body",
    [
        "[File] report.pdf",
        "[ファイル] 報告書.pdf",
        "[檔案] 報告.pdf",
        "[文件] 报告.pdf",
        "[アルバム] (null)",
        "[Album] Lake",
        "[連絡先] 花子",
        "[Location] The pier https://maps.google.com/maps?q=1,2",
        "[位置情報] 桟橋\n湖町1-2\nhttps://maps.google.com/maps?q=1,2",
        "[null] https://maps.google.com/maps?q=1,2",
        "[投票] いつ?",
        "[语音信息]",
        "[GIF]",
    ],
)
def test_what_is_sent_with_a_name_or_an_address_is_media(tmp_path: Path, body: str) -> None:
    quoted = f'"{body}"' if "\n" in body else body
    turns, tally = read(tmp_path, f"[LINE] Ann\n\n2024/05/01(Wed)\n12:08\tAnn\t{quoted}\n12:09\tBob\tthanks\n")
    assert [turn.text for turn in turns] == ["thanks"]
    assert tally.dropped == {"media": 1}


@pytest.mark.parametrize("body", ["[File] is missing\nwhere is it?", "[sic] that is how", "[Notes] bring the oars"])
def test_words_after_a_bracket_are_words(tmp_path: Path, body: str) -> None:
    quoted = f'"{body}"' if "\n" in body else body
    turns, tally = read(tmp_path, f"[LINE] Ann\n\n2024/05/01(Wed)\n12:08\tAnn\t{quoted}\n12:09\tBob\tthanks\n")
    assert [turn.text for turn in turns] == [body, "thanks"]
    assert not tally.dropped
