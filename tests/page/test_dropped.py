"""Files that are dropped on the page: their names, where they lie, and what is refused."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.errors import DataError
from wolf_chatbox.page.making.dropped import LONGEST, character_name, discard, file_name, keep
from wolf_chatbox.page.making.queue import Queue
from wolf_chatbox.page.workspace import Workspace


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    workspace = Workspace(tmp_path / "home")
    workspace.make()
    return Queue(workspace)


@given(st.text())
def test_no_name_of_a_file_leads_anywhere(given: str) -> None:
    name = file_name(given)
    assert name == Path(name).name != ""
    assert not name.startswith(".")
    assert len(name.encode()) <= LONGEST
    assert name.isprintable()
    assert file_name(name) == name
    assert file_name(given, [name]) not in (name, "")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\chats\\x.txt", "x.txt"),
        (".htaccess", "htaccess"),
        ("..", "file"),
        ("花子とのトーク.txt", "花子とのトーク.txt"),
        ("a\nb\0c.zip", "a_b_c.zip"),
        ("WhatsApp Chat with Bob.txt", "WhatsApp Chat with Bob.txt"),
    ],
)
def test_a_name_stays_recognisable(given: str, name: str) -> None:
    assert file_name(given) == name


def test_a_long_name_keeps_its_ending() -> None:
    assert file_name("ね" * 300 + ".txt").endswith(".txt")
    assert file_name("x.txt", ["X.TXT"]) == "x (2).txt"


@given(st.text())
def test_a_character_has_a_name_that_is_a_folder(given: str) -> None:
    name = character_name(given)
    assert name == Path(name).name != ""
    assert not set(name) & set('./\\:*?"<>| \n\0')
    assert len(name.encode()) <= LONGEST
    assert character_name(name) == name
    assert character_name(given, [name.upper()]) != name


def test_a_character_keeps_the_letters_of_its_script() -> None:
    assert character_name("  おトラ ") == "おトラ"
    assert character_name("Лена & Жан") == "Лена-Жан"
    assert character_name("../..") == "character"


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_a_dropped_file_is_its_owners_alone_and_none_replaces_another(queue: Queue) -> None:
    making = queue.begin(name="Ann")
    for content in (b"one", b"two"):
        asyncio.run(keep(making, "../chat.txt", pieces(content[:1], content[1:]), 10))
    asyncio.run(keep(making, "more.ZIP", pieces(b"PK"), 10))
    assert [path.name for path in making.dropped] == ["chat (2).txt", "chat.txt", "more.ZIP"]
    assert [path.read_bytes() for path in making.dropped] == [b"two", b"one", b"PK"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in making.dropped} == {0o600}
    assert making.data == [str(making.files), str(making.archives / "more.ZIP")]
    discard(making, "../about.json")
    discard(making, "chat.txt")
    assert [path.name for path in making.dropped] == ["chat (2).txt", "more.ZIP"]


@pytest.mark.parametrize(("content", "problem"), [(b"12345678901", "larger than 10 bytes"), (b"", "empty")])
def test_of_a_file_that_is_refused_nothing_stays(queue: Queue, content: bytes, problem: str) -> None:
    making = queue.begin(name="Ann")
    with pytest.raises(DataError, match=problem):
        asyncio.run(keep(making, "a.txt", pieces(content[:8], content[8:]), 10))
    assert making.dropped == []
