"""Folders and archives, damaged files among others, and sessions of a chat."""

from __future__ import annotations

import json
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, FormatError
from wolf_chatbox.importers import read_conversations

FIXTURES = Path(__file__).parents[1] / "fixtures"
FOLDERS = sorted(path for path in FIXTURES.glob("*/*.input.d"))


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))


def zipped(folder: Path, place: Path) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return place


# Folders and archives


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.parent.name)
def test_a_zip_reads_as_the_folder_it_was_made_of(folder: Path, tmp_path: Path) -> None:
    from_folder, from_zip = Tally(), Tally()
    assert read(folder, from_folder) == read(zipped(folder, tmp_path / "export.zip"), from_zip)
    assert (from_folder.kept, from_folder.dropped) == (from_zip.kept, from_zip.dropped)


def test_a_folder_of_many_formats_is_one_corpus(tmp_path: Path) -> None:
    for name in ("telegram/one_chat.input.json", "whatsapp/android_us.input.txt", "script/meld.input.csv"):
        shutil.copy(FIXTURES / name, tmp_path)
    (tmp_path / "photo.jpg").write_bytes(b"\x89PNG\0\0")
    (tmp_path / ".DS_Store").write_text("Ann: hello")
    (tmp_path / "notes.txt").write_text("nothing said here\n")
    tally = Tally()
    conversations = read(tmp_path, tally)
    apart = Tally()
    expected = [conversation for path in sorted(tmp_path.glob("*.input.*")) for conversation in read(path, apart)]
    assert conversations == expected
    assert tally.dropped == apart.dropped
    assert [note for note in tally.notes if "skipped" in note] == [
        f"{tmp_path}: skipped 2 files in no known format: notes.txt, photo.jpg"
    ]


def test_a_folder_with_nothing_known_in_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing said here\n")
    with pytest.raises(FormatError, match="no file in it is in a known format"):
        read(tmp_path)


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wolf_chatbox.importers.files import compression

    monkeypatch.setattr(compression, "MAX_UNPACKED", 1000)
    with zipfile.ZipFile(tmp_path / "trap.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "Ann: hello\n" * 100_000)
    with pytest.raises(DataError, match="would unpack to 1,100,000 bytes, over 200 times its size"):
        read(tmp_path / "trap.zip")


# A file among others that cannot be read

GAME = (FIXTURES / "aiwolf_json/six.input.json").read_text(encoding="utf-8").strip()
LOG = '[{"title": "Oars", "events": [{"role": "user", "content": "Hi"}]}]'
QUESTIONS = '{"question_id": 81, "category": "writing", "turns": ["Describe an oar.", "In one word."]}\n'
SCRIPT = 'name,line\nAnn,Who brings the oars?\nBob,Not me.\nAnn,"Then we\n' + "Bob,swim.\n" * 200


@pytest.fixture
def among_others(tmp_path: Path) -> Path:
    """A folder with two whole files, between which files lie that a format claims and that are wrong inside."""
    shutil.copy(FIXTURES / "script/meld.input.csv", tmp_path / "a.csv")
    shutil.copy(FIXTURES / "whatsapp/android_us.input.txt", tmp_path / "z.txt")
    broken = {
        "conversations.json": LOG,
        "game.json": GAME + "\n{}\n",
        "play.csv": SCRIPT,
        "question.jsonl": QUESTIONS,
    }
    for name, content in broken.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("archive", [False, True])
def test_a_file_that_is_wrong_inside_is_told_and_all_others_are_read(among_others: Path, archive: bool) -> None:
    place = zipped(among_others, among_others.parent / f"{among_others.name}.zip") if archive else among_others
    tally, apart = Tally(), Tally()
    conversations = read(place, tally)
    (game,) = read(FIXTURES / "aiwolf_json/six.input.json", apart)
    whole = [conversation for name in ("a.csv", "z.txt") for conversation in read(among_others / name, apart)]
    play = [conversation for conversation in conversations if conversation.group == "play"]
    assert [
        conversation for conversation in conversations if conversation not in play and conversation.game is None
    ] == whole
    assert [conversation.turns for conversation in conversations if conversation.game] == [game.turns], (
        "what stands behind a game's end does not undo the game"
    )
    assert [turn.text for conversation in play for turn in conversation.turns] == ["Who brings the oars?", "Not me."]
    assert tally.kept == sum(len(conversation.turns) for conversation in conversations)
    assert tally.read == apart.read + 2, "what is read of a file that goes wrong is counted"
    assert [(Path(unread.path).name, unread.turns) for unread in tally.unread] == [
        ("conversations.json", 0),
        ("game.json", len(game.turns)),
        ("play.csv", 2),
        ("question.jsonl", 0),
    ]
    assert all(unread.reason.startswith(unread.path) for unread in tally.unread)
    assert "line 4: a quote is opened and not closed" in tally.unread[2].reason
    assert json.loads(json.dumps(tally.record()))["unread"][1]["turns"] == len(game.turns)


def test_a_file_of_a_folder_in_another_encoding_is_told(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "script/meld.input.csv", tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("name,line\n花子,おはよう、太郎さん。\n太郎,おはよう。\n", encoding="cp932")
    tally = Tally()
    assert read(tmp_path, tally)
    [unread] = tally.unread
    assert unread.path.endswith("b.csv")
    assert unread.reason.endswith("It is probably CP932: pass --encoding cp932.")


def test_strictly_a_folder_is_read_up_to_the_first_file_that_is_wrong(among_others: Path) -> None:
    with pytest.raises(DataError, match=r'conversations\.json: no "messages" or "conversations" list'):
        read(among_others, strict=True)
    with pytest.raises(DataError, match=r"play\.csv, line 4"):
        read(among_others / "play.csv")


def test_turns_of_a_conversation_that_never_comes_whole_are_counted_as_dropped(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "script/meld.input.csv", tmp_path / "a.csv")
    shutil.copytree(FIXTURES / "mafia_tables/game.input.d", tmp_path / "game")
    players = tmp_path / "game/1f-data/node.csv"
    players.write_text(players.read_text().replace("Cat Orr", "Amy Fox"))
    tally, apart = Tally(), Tally()
    conversations = read(tmp_path, tally)
    read(FIXTURES / "mafia_tables/game.input.d", apart)
    assert [conversation.group for conversation in conversations] == [
        conversation.group for conversation in read(tmp_path / "a.csv")
    ]
    assert tally.kept == sum(len(conversation.turns) for conversation in conversations)
    assert tally.dropped["conversation cut off by damage"] == apart.kept > 0
    assert "a player has no name, or two have the same" in tally.unread[0].reason


def test_a_folder_of_nothing_but_wrong_files_is_an_error(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(QUESTIONS)
    with pytest.raises(
        DataError, match=r"no file in it can be read\. The first error: .*a\.jsonl, line 1: each turn needs"
    ):
        read(tmp_path)


def test_a_day_of_a_channel_that_is_wrong_leaves_the_other_days(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "slack/workspace.input.d", tmp_path / "export")
    days = sorted((tmp_path / "export/boats").glob("*.json"))
    shutil.copy(days[-1], days[-1].with_name("2024-05-03.json"))
    whole = Tally()
    expected = read(tmp_path / "export", whole)
    broken = days[-1].with_name("2024-05-02a.json")
    broken.write_text(days[-1].read_text(encoding="utf-8").rstrip() + "]", encoding="utf-8")
    tally = Tally()
    conversations = read(tmp_path / "export", tally)
    assert [Path(unread.path).name for unread in tally.unread] == [broken.name]
    assert tally.read == whole.read + tally.unread[0].turns
    assert tally.unread[0].turns > 0
    assert {conversation.group for conversation in conversations} == {conversation.group for conversation in expected}


def test_a_chat_of_messenger_that_is_wrong_leaves_the_others_of_its_folder(tmp_path: Path) -> None:
    for at, name in enumerate(("Ann", "Bob", "Cat")):
        chat = {"threadName": name, "messages": [{"senderName": name, "text": "Hi", "timestamp": 1714607990120 + at}]}
        (tmp_path / f"{name}.json").write_text(json.dumps(chat) + ("!" if name == "Bob" else ""))
    tally = Tally()
    assert [conversation.group for conversation in read(tmp_path, tally)] == ["Ann", "Bob", "Cat"]
    assert [(Path(unread.path).name, unread.turns) for unread in tally.unread] == [("Bob.json", 1)]


def test_a_file_that_two_formats_claim_and_one_without_permission_are_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(FIXTURES / "script/meld.input.csv", tmp_path / "a.csv")
    (tmp_path / "both.csv").write_text("name,line\nAda,say <|endoftext|>\n")
    (tmp_path / "secret.csv").write_text("name,line\nAda,Hi\n")
    opens = Path.open

    def refuse(path: Path, *args: Any, **settings: Any) -> Any:
        if path.name == "secret.csv":
            raise PermissionError(13, "Permission denied")
        return opens(path, *args, **settings)

    monkeypatch.setattr(Path, "open", refuse)
    tally = Tally()
    assert len(read(tmp_path, tally)) > 0
    assert [unread.reason.removeprefix(f"{tmp_path}/").partition(". ")[0] for unread in tally.unread] == [
        "both.csv: could be raw or script",
        "secret.csv: no permission to read it",
    ]


def test_names_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    place = tmp_path / "inside"
    place.mkdir()
    with zipfile.ZipFile(place / "escape.zip", "w") as archive:
        archive.writestr("../../outside.txt", "Ann: hello\nBob: hi\nAnn: bye\n")
    before = sorted(tmp_path.rglob("*"))
    assert len(read(place / "escape.zip")) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    whole = zipped(FIXTURES / "slack/workspace.input.d", tmp_path / "a.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError):
        read(tmp_path / "b.zip")


@pytest.mark.parametrize("damage", ["checksum", "content", "method", "cut"])
def test_a_damaged_archive_is_read_as_far_as_it_can_be_and_the_rest_is_told(tmp_path: Path, damage: str) -> None:
    place = tmp_path / "export.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.txt", "b.txt"):
            archive.writestr(
                name, "".join(f"[2024-01-20, 11:{minute:02}:57] Ann: {name} {minute}\n" for minute in range(50))
            )
    content = bytearray(place.read_bytes())
    listed = content.index(b"PK\x01\x02")
    if damage == "checksum":
        content[listed + 16] ^= 1
    elif damage == "content":
        content[50:70] = b"\xff" * 20
    elif damage == "method":
        content[listed + 10] = content[8] = 99
    else:
        del content[-30:]
    place.write_bytes(content)
    with pytest.raises(DataError, match=r"export\.zip.*(unpacked|not a readable zip archive)"):
        read(place, strict=True)
    if damage != "cut":
        tally = Tally()
        assert {turn.text[0] for conversation in read(place, tally) for turn in conversation.turns} == {"b"}
        (left,) = tally.unread
        assert "cannot be unpacked" in left.reason
        assert left.turns == 0


def test_two_files_of_one_name_in_an_archive_are_refused_unless_they_are_the_same(tmp_path: Path) -> None:
    same, other = tmp_path / "same.zip", tmp_path / "other.zip"
    for place, texts in (
        (same, ["Ann: hello\nBob: hi\n"] * 2),
        (other, ["Ann: hello\nBob: hi\n", "Ann: bye\nBob: bye\n"]),
    ):
        with zipfile.ZipFile(place, "w") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile warns of what is meant here
            for text in texts:
                archive.writestr("chat.txt", text)
    assert [len(conversation.turns) for conversation in read(same)] == [2]
    with pytest.raises(
        DataError, match=r"^.*other\.zip: contains different files named 'chat\.txt'\. Unpack it, .*folder\.$"
    ):
        read(other)


def test_a_day_of_another_channel_is_another_chat() -> None:
    conversations = read(FIXTURES / "slack/workspace.input.d")
    assert [(conversation.group, len(conversation.turns)) for conversation in conversations] == [
        ("boats", 2),
        ("lakes", 1),
    ]


# Sessions


@pytest.mark.parametrize(("gap", "parts"), [(8, 2), (0, 1), (0.01, 3)])
def test_a_chat_is_cut_where_it_was_silent(tmp_path: Path, gap: float, parts: int) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("13.6.2018, 21:25 - A: one\n13.6.2018, 21:26 - B: two\n14.6.2018, 12:00 - A: three\n")
    assert len(read(path, session_gap=gap)) == (parts if gap != 0.01 else 3)


def test_what_nobody_said_can_be_kept() -> None:
    tally = Tally()
    conversations = read(FIXTURES / "whatsapp/android_us.input.txt", tally, also_keep=("media", "system", "deleted"))
    assert not tally.dropped
    assert sum(len(conversation.turns) for conversation in conversations) == 10
    assert conversations[0].turns[0].speaker == "system"


def test_messages_of_one_second_stand_in_the_order_of_their_milliseconds(tmp_path: Path) -> None:
    said = [("Ann", "one", 1714607990120), ("Ann", "three", 1714607990340), ("Bob", "two", 1714607990230)]
    export = {
        "messages": [{"sender_name": name, "content": text, "timestamp_ms": stamp} for name, text, stamp in said],
        "title": "Oars",
    }
    path = tmp_path / "message_1.json"
    path.write_text(json.dumps(export))
    (conversation,) = read(path)
    assert [turn.text for turn in conversation.turns] == ["one", "two", "three"]
    assert conversation.turns[1].to_dict()["time"] == "2024-05-01T23:59:50.230000"
    assert Conversation.from_dict(json.loads(json.dumps(conversation.to_dict()))) == conversation
