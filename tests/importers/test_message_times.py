"""Messages oldest first, and the dates of regions and languages."""

from __future__ import annotations

import errno
import io
from datetime import datetime, timedelta

import pytest

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.formats.chats.google_chat import date_of
from wolf_chatbox.importers.shared.locale_dates import Dates
from wolf_chatbox.importers.shared.messages import Message
from wolf_chatbox.importers.streams import chronology
from wolf_chatbox.importers.streams.chronology import oldest_first


@pytest.mark.parametrize("batch", [4, 1000])
def test_messages_are_sorted_alike_in_memory_and_beside_it(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(chronology, "BATCH", batch)
    monkeypatch.setattr(chronology, "BLOCK", 3)
    start = datetime(2024, 5, 1)
    newest_first = [Message("Ann", str(at), start + timedelta(minutes=at // 2)) for at in range(50, 0, -1)]
    two_files = newest_first[21:] + newest_first[:21]
    assert [int(message.text) for message in oldest_first(newest_first)] == list(range(1, 51))
    assert [int(message.text) for message in oldest_first(two_files)] == list(range(1, 51))
    as_written = [Message("Ann", str(at), start) for at in range(9)]
    assert list(oldest_first(as_written, newest_first=False)) == as_written


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, *_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(chronology, "BATCH", 2)
    monkeypatch.setattr(chronology.tempfile, "TemporaryFile", Full)
    with pytest.raises(DataError, match="No space left on device"):
        list(oldest_first([Message("Ann", "a")] * 5))


def test_a_message_without_a_time_stands_by_its_neighbour() -> None:
    messages = [
        Message("Ann", "c", datetime(2024, 5, 2)),
        Message("Ann", "b"),
        Message("Ann", "a", datetime(2024, 5, 1)),
    ]
    assert [message.text for message in oldest_first(messages)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "5/1/2024 6:30 PM",
        "5/1/2024 6:30\u202fPM",
        "01/05/2024 18:30",
        "01/05/2024 6:30 p. m.",
        "01.05.2024 18:30",
        "1.5.2024 18.30",
        "1. 5. 2024 18:30",
        "1-5-2024 18:30",
        "2024-05-01 18:30",
        "2024/5/1 下午 6:30",
        "2024-05-01 오후 6:30",
        "01-May-24 06:30 PM",
        "2024-05-01T18:30:00.0000000+07:00",
    ],
)
def test_dates_of_regions(text: str) -> None:
    assert Dates([text]).time(text) == datetime(2024, 5, 1, 18, 30)


def test_all_dates_of_a_file_decide_what_comes_first() -> None:
    assert Dates(["5/1/2024 18:30", "5/13/2024 18:30"]).time("5/1/2024 18:30") == datetime(2024, 5, 1, 18, 30)
    assert Dates(["1/2/2024 18:30", "1/3/2024 18:30", "1/10/2024 18:30", "2/1/2024 18:30"]).order == "mdy"
    assert not Dates(["1/2/2024 18:30", "2/3/2024 18:30"]).certain
    assert Dates(["2024-05-01 18:30"]).certain
    assert Dates([]).time("13/13/2024 18:30") is None


@pytest.mark.parametrize(
    "text",
    [
        "Tuesday, June 4, 2024 at 3:04:05 PM UTC",
        "Tuesday, June 4, 2024 at 3:04:05\u202fPM UTC",
        "Tuesday, 4 June 2024 at 15:04:05 UTC",
        "Dienstag, 4. Juni 2024 um 15:04:05 UTC",
        "mardi 4 juin 2024 à 15 h 04 min 05 s UTC",
        "martes, 4 de junio de 2024, 15:04:05 UTC",
        "2024年6月4日火曜日 15時04分05秒 UTC",
        "2024년 6월 4일 화요일 오후 3시 4분 5초 UTC",
        "2024-06-04T15:04:05Z",
    ],
)
def test_dates_of_google_in_words(text: str) -> None:
    assert date_of(text) == datetime(2024, 6, 4, 15, 4, 5)


def test_a_date_in_unknown_words_is_no_date() -> None:
    assert date_of("tiistai 4. kesäkuuta 2024 klo 15.04.05 UTC") is None
    assert date_of("") is None
