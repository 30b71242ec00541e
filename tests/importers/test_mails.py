"""Mails: single files, folders and Maildirs of them, and what they hold beside words."""

from __future__ import annotations

from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from zipfile import ZipFile

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import FORMATS, read_conversations, recognise
from wolf_chatbox.importers.files.source import Source

HEAD = "From: Ann Oar <ann@example.org>\nDate: Mon, 4 Mar 2024 10:00:00 +0000\nSubject: The lake\n"


def told(path: Path) -> tuple[list[list[tuple[str, str]]], Counter[str]]:
    """Who says what in each thread, and what is dropped."""
    tally = Tally()
    threads = [[turn[:2] for turn in thread.turns] for thread in read_conversations(path, tally=tally)]
    return threads, tally.dropped


def mail(number: int, text: str, answers: str = "") -> str:
    related = f"In-Reply-To: <{answers}@x>\n" if answers else ""
    return f"{HEAD.replace('10:00', f'10:0{number}')}Message-ID: <{number}@x>\n{related}\n{text}\n"


@pytest.mark.parametrize("archive", [False, True])
def test_a_thread_may_be_in_several_files_of_a_folder_or_an_archive(tmp_path: Path, archive: bool) -> None:
    folder = tmp_path / "mails"
    folder.mkdir()
    for number, (text, answers) in enumerate([("One?", ""), ("Two.", "0"), ("Three.", "1")]):
        (folder / f"{9 - number}.eml").write_text(mail(number, text, answers))
    if archive:
        with ZipFile(tmp_path / "mails.zip", "w") as packed:
            for file in sorted(folder.iterdir()):
                packed.write(file, file.name)
    expected = [[("Ann Oar", "One?"), ("Ann Oar", "Two."), ("Ann Oar", "Three.")]]
    assert told(tmp_path / "mails.zip" if archive else folder) == (expected, {})


def test_a_mail_that_lies_in_two_folders_is_read_once(tmp_path: Path) -> None:
    for name in ("inbox", "sent"):
        (tmp_path / f"{name}.eml").write_text(mail(0, "One?"))
    assert told(tmp_path) == ([[("Ann Oar", "One?")]], {"mail already read": 1})


def test_the_files_of_a_maildir_have_no_suffix(tmp_path: Path) -> None:
    for place, name in (("cur", "1709546400.M1P2.lake:2,S"), ("new", "1709546460.M2P2.lake")):
        (tmp_path / place).mkdir()
        (tmp_path / place / name).write_text(f"Return-Path: <ann@example.org>\n{mail(0, place)}")
    (tmp_path / "tmp").mkdir()
    assert told(tmp_path) == ([[("Ann Oar", "cur")], [("Ann Oar", "new")]], {})


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "iso-2022-jp", "koi8-r"])
def test_a_mail_declares_its_own_encoding(tmp_path: Path, charset: str) -> None:
    text = {"iso-2022-jp": "船はどこ？", "koi8-r": "Где вёсла?"}.get(charset, "Ein Café am See?")
    (tmp_path / "mail.eml").write_bytes(
        f"{HEAD}Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n".encode()
        + f"{text}\n".encode(charset)
    )
    tally = Tally()
    [thread] = read_conversations(tmp_path / "mail.eml", tally=tally)
    assert [turn.text for turn in thread.turns] == [text]
    assert not tally.notes


@pytest.mark.parametrize("subtype", ["mixed", "alone"])
def test_a_mail_without_words_is_media(tmp_path: Path, subtype: str) -> None:
    message = EmailMessage()
    message["From"], message["Date"], message["Subject"] = "Ann <a@x>", "Mon, 4 Mar 2024 10:00:00 +0000", "lake"
    if subtype == "mixed":
        message.set_content("\n")
        message.add_attachment(b"\xff\xd8", maintype="image", subtype="jpeg", filename="lake.jpg")
    else:
        message.set_content(b"\xff\xd8", maintype="image", subtype="jpeg", filename="lake.jpg")
    (tmp_path / "mail.eml").write_bytes(bytes(message))
    assert told(tmp_path / "mail.eml") == ([], {"media": 1})


def test_an_empty_mail_has_no_text(tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_text(f"{HEAD}\n\n")
    assert told(tmp_path / "mail.eml") == ([], {"no text": 1})


@pytest.mark.parametrize(
    "head",
    [
        "ANN: Who brings the oars?\nBOB: Not me.\nDATE: Tuesday.\n\nANN: Good.\n",
        "Title: The Lake\nAuthor: Ann\nDate: 2024\n\nINT. LAKE\n",
        "From: here\nto there\nDate: no\nSubject: x\n\n",
    ],
)
def test_what_is_no_mail(tmp_path: Path, head: str) -> None:
    assert not FORMATS["eml"].claims(head)


def test_a_script_with_names_and_colons_keeps_its_quotes(tmp_path: Path) -> None:
    """Only a mail is decoded as Latin-1: in CP1252 quotation marks are where Latin-1 has control characters."""
    path = tmp_path / "play.txt"
    path.write_bytes("ANN: “Who?”\nBOB: Me.\nANN: “Good.”\nDate: no.\n".encode("cp1252"))
    source = Source.open(path)
    assert source.encoding == "cp1252"
    assert recognise(source, ReadConfig()) == "screenplay"
