"""The archive of chats: kept, listed, found; and what is damaged is left as it is."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.errors import ChatError, CheckpointError
from wolf_chatbox.talk.archive import LONGEST_ID, Archive, plain
from wolf_chatbox.talk.tree import Message, Tree

HOSTILE = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc/passwd",
    "a\\b",
    "a.b",
    "a b",
    "a\n",
    "a\0",
    "é",
    "１",
    "x" * 5000,
    "%2e",
]


def tree(*texts: str, speakers: tuple[str, str] = ("You", "Grimbold")) -> Tree:
    """A chat in which the two speak in turns."""
    chat = Tree()
    for at, text in enumerate(texts):
        chat = chat.say(Message(speakers[at % 2], text, heard=frozenset(speakers)))
    return chat


def keep(archive: Archive, id: str, chat: Tree, time: int = 0, **about: str) -> None:
    archive.keep(id, chat, ("Grimbold",), about)
    if time:
        os.utime(archive.path(id), (time, time))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "chats")


def test_a_chat_is_kept_whole_and_for_its_owner_only(archive: Archive) -> None:
    branched = tree("Hello", "Hrrm.", "Soup?")
    branched = branched.add(0, Message("Grimbold", "Bah!", heard=frozenset({"You", "Grimbold"})))
    keep(archive, "one", branched, run="rick", title="満月")
    kept = archive.get("one")
    assert kept is not None
    assert (kept.id, kept.tree, kept.present) == ("one", branched, ("Grimbold",))
    assert kept.about == {"run": "rick", "title": "満月"}
    assert stat.S_IMODE(archive.path("one").stat().st_mode) == 0o600
    assert stat.S_IMODE(archive.folder.stat().st_mode) == 0o700
    assert [path.name for path in archive.folder.iterdir()] == ["one.jsonl"]


def test_another_archive_reads_what_one_kept(archive: Archive) -> None:
    keep(archive, "one", tree("Hello"))
    assert Archive(archive.folder).all() == archive.all()


def test_what_is_kept_again_takes_the_place_of_what_was_there(archive: Archive) -> None:
    keep(archive, "one", tree("Hello"), 1000)
    assert archive.all()[0].title == "Hello"
    keep(archive, "one", tree("Good day", "Hrrm."), 2000)
    assert [kept.title for kept in archive.all()] == ["Good day"]


def test_the_newest_chat_stands_first(archive: Archive) -> None:
    for number, id in enumerate(("b", "a", "c")):
        keep(archive, id, tree(id), 1000 + number)
    assert [kept.id for kept in archive.all()] == ["c", "a", "b"]


def test_ids_are_all_different_and_good(archive: Archive) -> None:
    ids = [archive.new_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(archive.path(id).parent == archive.folder for id in ids)


def test_a_title_is_the_given_one_else_how_the_chat_begins(archive: Archive) -> None:
    keep(archive, "a", tree("  Hello \n  there  "))
    keep(archive, "b", tree("Hello"), title="Supper")
    keep(archive, "c", tree("x" * 500))
    titles = {kept.id: kept.title for kept in archive.all()}
    assert titles == {"a": "Hello there", "b": "Supper", "c": "x" * 80}


def test_a_removed_chat_is_gone_and_no_other(archive: Archive) -> None:
    keep(archive, "a", tree("Hello"))
    keep(archive, "b", tree("Hello"))
    assert len(archive.all()) == 2
    archive.remove("a")
    assert archive.get("a") is None
    assert [kept.id for kept in archive.all()] == ["b"]
    archive.remove("a")  # somebody else removed it


def test_an_archive_without_a_folder_is_empty(archive: Archive) -> None:
    assert archive.all() == archive.find("soup") == []
    assert archive.get("one") is None


@pytest.mark.parametrize("id", HOSTILE)
def test_what_cannot_be_a_name_is_refused_and_touches_no_file(archive: Archive, id: str) -> None:
    archive.folder.mkdir()
    outside = archive.folder.parent / "x.jsonl"
    outside.write_text("mine")
    for act in (archive.get, archive.remove, lambda id: archive.keep(id, tree("Hello"), (), {})):
        with pytest.raises(ChatError) as said:
            act(id)
        assert len(str(said.value)) < LONGEST_ID + 100
    assert outside.read_text() == "mine"
    assert list(archive.folder.iterdir()) == []


def test_damaged_files_are_skipped_and_left_alone(archive: Archive) -> None:
    keep(archive, "good", tree("Soup"))
    whole = archive.path("good").read_bytes()
    damaged = {
        "cut": whole[: len(whole) // 2],
        "binary": bytes(range(256)),
        "list": b"[1, 2]\n",
        "number": b"7\n",
        "deep": b"[" * 100_000,
        "strange-turns": b'{"turns": {"a": 1}}\n',
        "strange-tree": json.dumps(json.loads(whole) | {"tree": {"messages": 5}}).encode(),
        "loop": json.dumps(json.loads(whole) | {"tree": {"messages": [], "at": 9}}).encode(),
    }
    for name, content in damaged.items():
        (archive.folder / f"{name}.jsonl").write_bytes(content)
    (archive.folder / "folder.jsonl").mkdir()
    (archive.folder / "no id.jsonl").write_bytes(whole)
    (archive.folder / "link.jsonl").symlink_to(archive.folder / "nowhere")
    assert [kept.id for kept in archive.all()] == ["good"]
    assert [found.kept.id for found in archive.find("soup")] == ["good"]
    for name, content in damaged.items():
        assert archive.get(name) is None, name
        assert (archive.folder / f"{name}.jsonl").read_bytes() == content


def test_a_strange_about_is_none(archive: Archive) -> None:
    keep(archive, "one", tree("Soup"))
    value = json.loads(archive.path("one").read_text(encoding="utf-8"))
    for about in ([1], "x", None, {"title": ["a"]}):
        archive.path("one").write_text(json.dumps(value | {"about": about}), encoding="utf-8")
        kept = Archive(archive.folder).get("one")
        assert kept is not None
        assert isinstance(kept.title, str)
        assert len(Archive(archive.folder).find("soup")) == 1


def test_a_chat_that_cannot_be_written_is_told(archive: Archive) -> None:
    archive.folder.write_text("a file where the folder should be")
    with pytest.raises(CheckpointError):
        keep(archive, "one", tree("Hello"))


# The search


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("soup", [0, 2]),
        ("SOUP", [0, 2]),
        ("ｓｏｕｐ", [0, 2]),
        ("the soup", [0]),
        ("soup the", [0]),
        ("grimbold hates", [1]),
        ("grimbold", []),  # who speaks is not what was said
        ("straße", [3]),
        ("STRASSE", [3]),
        ("満月", [4]),
        ("月の夜", [4]),
        ("ｶﾞﾗｽ", [5]),
        ("が", [6]),
        ("soup bread", []),
        ("   ", []),
        ("", []),
        (".*", []),
    ],
)
def test_a_message_is_found_by_all_its_words(archive: Archive, words: str, numbers: list[int]) -> None:
    said = (
        "Where is the Soup?",
        "He hates soap.",
        "More soup",
        "In der Straße",
        "満月の夜に",
        "ガラスの靴",
        "か\u3099いた",
    )
    keep(archive, "one", tree(*said))
    assert [found.number for found in archive.find(words)] == numbers


def test_a_branch_is_found_too(archive: Archive) -> None:
    chat = tree("Hello", "Soup is ready.")
    keep(archive, "one", chat.add(0, Message("Grimbold", "Bah!")))
    assert [found.number for found in archive.find("soup")] == [1]


def test_a_title_helps_and_is_not_enough(archive: Archive) -> None:
    keep(archive, "one", tree("Hello", "Stew"), title="Supper")
    assert [found.number for found in archive.find("supper stew")] == [1]
    assert archive.find("supper") == []


def test_hits_of_the_newest_chat_stand_first_and_are_not_too_many(archive: Archive) -> None:
    keep(archive, "old", tree(*["soup"] * 40), 1000)
    keep(archive, "new", tree(*["soup"] * 40), 2000)
    found = archive.find("soup")
    assert [hit.kept.id for hit in found] == ["new"] * 40 + ["old"] * 10


def test_an_excerpt_shows_the_word_with_what_is_around_it(archive: Archive) -> None:
    keep(archive, "long", tree("a " * 200 + "the full moon rises" + " b" * 200))
    keep(archive, "short", tree("the full\nmoon"))
    excerpts = {found.kept.id: found.excerpt for found in archive.find("moon")}
    assert excerpts["short"] == "the full moon"
    assert "the full moon rises" in excerpts["long"]
    assert excerpts["long"].startswith("…")
    assert excerpts["long"].endswith("…")
    assert len(excerpts["long"]) < 170


@given(st.text(min_size=1, max_size=80), st.data())
def test_every_word_of_a_message_finds_it_with_an_excerpt(text: str, data: st.DataObject) -> None:
    wanted = plain(text).split()
    if wanted:
        chat = tree("x " + text)
        found = list(_Memory(chat).find(data.draw(st.sampled_from(wanted))))
        assert [hit.number for hit in found] == [0]
        assert found[0].excerpt


class _Memory(Archive):
    """An archive of one chat that is in no file."""

    def __init__(self, chat: Tree) -> None:
        super().__init__(Path())
        self.chat = chat

    def all(self) -> list:  # type: ignore[type-arg]
        from datetime import datetime

        from wolf_chatbox.talk.archive import Kept

        return [Kept("one", datetime(2026, 1, 1), {}, self.chat, ())]


def test_a_file_that_comes_is_kept_and_one_that_is_no_chat_is_refused(tmp_path: Path) -> None:
    archive, other = Archive(tmp_path / "one"), Archive(tmp_path / "other")
    chat = tree("Hello", "Honk")
    archive.keep("one", chat, ("Grimbold",), {"run": "goose", "title": "Geese"})
    id = other.add(archive.path("one").read_bytes(), "geese.jsonl")
    kept = other.get(id)
    assert kept is not None
    assert (kept.tree, kept.present, kept.title) == (chat, ("Grimbold",), "Geese")
    for content in (b"", b"{}", b"\xff\xfe", b"[]\n", b'{"group": "a", "turns": []}'):
        with pytest.raises(ChatError, match="bad: not a saved chat"):
            other.add(content, "bad")
    assert len(other.all()) == 1
