"""SMS backups, Viber, WhatsApp-Chat-Exporter: what no other export has."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations, recognise
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.formats.chats.sms import _Mender

Chats = dict[str, list[tuple[str, str]]]


def told(path: Path, text: str) -> tuple[Chats, Counter[str]]:
    """Who says what in each chat, and what is dropped."""
    path.write_text(text, encoding="utf-8")
    tally = Tally()
    chats: Chats = {}
    for chat in read_conversations(path, ReadConfig(session_gap=0), tally):
        chats.setdefault(chat.group, []).extend((turn.speaker, turn.text) for turn in chat.turns)
    return chats, tally.dropped


def backup(*records: str) -> str:
    return "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<smses>\n" + "\n".join(records) + "\n</smses>\n"


def sms(body: str, address: str = "+441234567890", kind: int = 1, name: str = "Ann") -> str:
    return f'<sms address="{address}" date="1709543553000" type="{kind}" body="{body}" contact_name="{name}" />'


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("&#55357;&#56832;", "😀"),
        ("&#xD83D;&#xDE00;", "😀"),
        ("&#128512;", "😀"),
        ("&#55357;", "\ufffd"),
        ("&#56832;", "\ufffd"),
        ("&#55357;&#55357;&#56832;", "\ufffd😀"),
        ("&#56832;&#56832;", "\ufffd\ufffd"),
        ("a&#65;&#0;&#11;", "aA\ufffd\ufffd"),
        ("&amp;#55357; &lt;data=&quot;x&quot;", '&#55357; <data="x"'),
        ("1&#10;2", "1\n2"),
    ],
)
def test_emoji_are_put_together_and_what_is_no_character_is_marked(tmp_path: Path, written: str, text: str) -> None:
    assert told(tmp_path / "sms.xml", backup(sms(f"x{written}")))[0] == {"Ann": [("Ann", f"x{text}")]}


@given(
    st.lists(
        st.sampled_from(
            ["&#55357;", "&#56832;", "&#65;", "&amp;", ' data="', "AAAA", '"', " ", " d", "at", "&", "é", "\x01"]
        ),
        max_size=30,
    ),
    st.integers(1, 12),
)
def test_a_file_is_mended_alike_in_pieces_of_any_size(pieces: list[str], size: int) -> None:
    text = "".join(pieces)

    def mended(size: int) -> str:
        mender = _Mender(io.StringIO(text))
        return "".join(iter(lambda: mender.read(size), ""))

    assert mended(size) == mended(1000)


def test_pictures_of_any_size_are_left_out(tmp_path: Path) -> None:
    part = f'<part seq="0" ct="image/jpeg" text="null" data="{"QUJD" * 3_000_000}" />'
    mms = (
        f'<mms date="1709543553000" msg_box="1" address="+441234567890" contact_name="Ann"><parts>{part}</parts></mms>'
    )
    assert told(tmp_path / "sms.xml", backup(sms("hi"), mms, sms("there"))) == (
        {"Ann": [("Ann", "hi"), ("Ann", "there")]},
        {"media": 1},
    )


def test_a_number_is_one_person_however_it_is_written(tmp_path: Path) -> None:
    records = [
        sms("one", "+44 1234 567890", name="(Unknown)"),
        sms("two", "01234567890", kind=2),
        sms("three", "+441234567890"),
        sms("four", "INN", name="null"),
    ]
    chats, _ = told(tmp_path / "sms.xml", backup(*records))
    assert chats == {"Ann": [("Ann", "one"), ("Me", "two"), ("Ann", "three")], "INN": [("INN", "four")]}


def test_drafts_and_failures_were_not_said(tmp_path: Path) -> None:
    records = [sms(f"{kind}", kind=kind) for kind in range(1, 7)]
    chats, dropped = told(tmp_path / "sms.xml", backup(*records))
    assert chats == {"Ann": [("Ann", "1"), ("Me", "2"), ("Me", "4"), ("Me", "6")]}
    assert dropped == {"system message": 2}


def test_a_backup_that_is_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "sms.xml"
    tally = Tally()
    path.write_text(backup(sms("one"), sms("two"))[:-60])
    try:
        read = [turn.text for chat in read_conversations(path, tally=tally) for turn in chat.turns]
    except DataError as error:
        read = [str(error)]
    assert read == ["one"]


def test_days_come_first_in_viber_unless_a_number_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "viber.csv"
    for first, month in (("03/04/2024", 4), ("03/14/2024", 3)):
        path.write_text(f"{first},09:12:33,Ann,+1234567890,hi\n")
        [chat] = read_conversations(path)
        assert chat.turns[0].time == datetime(2024, month, 14 if month == 3 else 3, 9, 12, 33)


def test_commas_and_lines_belong_to_a_viber_message(tmp_path: Path) -> None:
    text = "04/03/2024,09:12:33,Ann Oar,+1234567890,one, two\n\n05/03/2024, three\n04/03/2024,09:12:34,Bob,,four\n"
    assert told(tmp_path / "boats.csv", text)[0] == {
        "boats": [("Ann Oar", "one, two\n\n05/03/2024, three"), ("Bob", "four")]
    }


def test_viber_media_in_its_languages(tmp_path: Path) -> None:
    said = ["Photo message", "Mensaje de voz", "Aufkleber", "Фото", "Стікер", "Foto?"]
    text = "".join(f"04/03/2024,09:12:33,Ann,+1234567890,{line}\n" for line in said)
    assert told(tmp_path / "viber.csv", text) == ({"viber": [("Ann", "Foto?")]}, {"media": 5})


def test_whatsapp_chat_exporter_s_output_like_telegram_s_is_telegram(tmp_path: Path) -> None:
    """The form of `telegram_json_format` in its utility.py."""
    record = {"id": 1, "type": "message", "date": "2024-03-04T09:12:33", "date_unixtime": 1709543553, "from": "Me"}
    record |= {"from_id": "user00000", "reply_to_message_id": None, "text": "hi", "text_entities": []}
    chat = {"name": "Ann", "type": "personal_chat", "id": 441234567890, "messages": [record]}
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(chat))
    assert recognise(Source.open(path), ReadConfig()) == "telegram"
    assert told(path, json.dumps(chat))[0] == {"Ann": [("Me", "hi")]}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"data": "a<br>b"}, ("Ann", "a\nb")),
        ({"data": "<b>x</b> & <3"}, ("Ann", "<b>x</b> & <3")),
        ({"data": 'see <a href="x">here</a> &amp; there', "safe": True}, ("Ann", "see here & there")),
        ({"data": "x.jpg", "media": True, "caption": "look"}, ("Ann", "look")),
        ({"data": "x", "sender": "Bob"}, ("Bob", "x")),
        ({"data": "x", "from_me": True}, ("Me", "x")),
        ({"data": "x.jpg", "media": True}, "media"),
        ({"data": "x.webp", "sticker": True}, "media"),
        ({"data": "The media is missing", "meta": True, "mime": "media"}, "media"),
        ({"data": "Message deleted", "meta": True}, "deleted message"),
        ({"data": "Ann was added", "meta": True}, "system message"),
        ({"data": None}, "no text"),
    ],
)
def test_messages_of_whatsapp_chat_exporter(
    tmp_path: Path, record: dict[str, object], expected: tuple[str, str] | str
) -> None:
    whole = {"from_me": False, "timestamp": 1709543553, "key_id": "A", "meta": False, "media": False} | record
    document = {"441234567890@s.whatsapp.net": {"name": "Ann", "type": "android", "messages": {"1": whole}}}
    chats, dropped = told(tmp_path / "result.json", json.dumps(document))
    assert (chats, dropped) == (({}, {expected: 1}) if isinstance(expected, str) else ({"Ann": [expected]}, {}))
