"""Compressed files and archives: gzip, bzip2, xz, Zstandard, zip, tar and 7z, alone, in folders and in one another."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import py7zr
import pytest
from backports import zstd

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.importers.files import compression

FIXTURES = Path(__file__).parents[1] / "fixtures"
SINGLE = sorted(path for path in FIXTURES.glob("*/*.input.*") if path.is_file())
SLACK = FIXTURES / "slack/workspace.input.d"
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
}


def chat(lines: int, name: str = "boat") -> bytes:
    """What hardly compresses, so that a part of the file holds a part of the lines."""
    draw = random.Random(name)
    return "".join(
        f"[2024-01-20, 11:{at // 60 % 60:02}:{at % 60:02}] Ann: {name} {at} {draw.randbytes(30).hex()}\n"
        for at in range(lines)
    ).encode()


CHAT = chat(900)


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing may be written but temporary files, and none of them may stay."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))


def texts(conversations: list[Conversation]) -> list[str]:
    return [turn.text for conversation in conversations for turn in conversation.turns]


def archive(kind: str, files: dict[str, bytes]) -> bytes:
    """An archive: zip, 7z, tar, or tar. and a compression."""
    made = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in files.items():
                packed.writestr(name, content)
    elif kind == "7z":
        with py7zr.SevenZipFile(made, "w") as seven:
            for name, content in files.items():
                seven.writef(io.BytesIO(content), name)
    else:
        with tarfile.open(fileobj=made, mode="w") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return PACK.get(kind.partition(".")[2], bytes)(made.getvalue())
    return made.getvalue()


def of_folder(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def put(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


# One compressed file


@pytest.mark.parametrize("kind", PACK)
def test_a_compressed_file_reads_as_what_was_compressed(tmp_path: Path, kind: str) -> None:
    whole = put(tmp_path, "chat.txt", CHAT)
    packed = put(tmp_path, f"chat.txt.{kind}", PACK[kind](CHAT))
    tally = Tally()
    assert read(packed, tally) == read(whole)
    assert tally.kept == 900
    assert tally.formats == [(str(packed), "WhatsApp chat")]


@pytest.mark.parametrize("kind", PACK)
def test_the_content_tells_and_not_the_name(tmp_path: Path, kind: str) -> None:
    assert len(texts(read(put(tmp_path, "chat.txt", PACK[kind](CHAT))))) == 900
    assert len(texts(read(put(tmp_path, f"plain.txt.{kind}", CHAT)))) == 900


@pytest.mark.parametrize("kind", PACK)
def test_several_streams_in_one_file_are_one(tmp_path: Path, kind: str) -> None:
    half = len(CHAT) // 2
    packed = put(tmp_path, "chat", PACK[kind](CHAT[:half]) + PACK[kind](CHAT[half:]))
    assert len(texts(read(packed))) == 900


@pytest.mark.parametrize("path", SINGLE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_of_every_format_is_read_when_it_is_compressed(tmp_path: Path, path: Path) -> None:
    """Dumps come as `.jsonl.gz` and `.zst`."""
    kind = "zst" if path.suffix == ".jsonl" else "gz"
    packed = put(tmp_path, f"{path.name}.{kind}", PACK[kind](path.read_bytes()))
    alone = put(tmp_path, path.name, path.read_bytes())
    tally, apart = Tally(), Tally()
    assert read(packed, tally) == read(alone, apart)
    assert (tally.kept, tally.dropped, tally.unread) == (apart.kept, apart.dropped, [])


def test_compressed_files_lie_in_folders_and_archives_too(tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    for kind in PACK:
        put(folder, f"{kind}.txt.{kind}", PACK[kind](CHAT))
    packed = put(tmp_path, "all.zip", archive("zip", of_folder(folder)))
    for place in (folder, packed):
        tally = Tally()
        assert {conversation.group for conversation in read(place, tally)} == set(PACK)
        assert (tally.kept, tally.unread) == (3600, [])


def test_files_beside_a_compressed_one_are_found(tmp_path: Path) -> None:
    whole = FIXTURES / "cornell/corpus.input.d"
    for path in whole.iterdir():
        name, content = path.name, path.read_bytes()
        put(tmp_path, *((f"{name}.gz", gzip.compress(content)) if "lines" in name else (name, content)))
    assert read(tmp_path) == read(whole)


def test_another_encoding_is_found_in_a_compressed_file(tmp_path: Path) -> None:
    packed = put(tmp_path, "a.csv.gz", gzip.compress("name,line\nAnn,hé\nBob,là\n".encode("utf-16")))
    assert texts(read(packed)) == ["hé", "là"]


@pytest.mark.parametrize("kind", PACK)
def test_what_stands_before_the_end_of_a_cut_file_is_read_and_the_cut_is_told(tmp_path: Path, kind: str) -> None:
    long = chat(20_000)  # some blocks of the compressors
    content = PACK[kind](long)
    packed = put(tmp_path, f"chat.txt.{kind}", content[: len(content) // 2])
    tally = Tally()
    found, whole = texts(read(packed, tally)), texts(read(put(tmp_path, "whole.txt", long)))
    assert found[:-1] == whole[: len(found) - 1]
    assert whole[len(found) - 1].startswith(found[-1])
    assert 2000 < len(found) < 18_000
    (unread,) = tally.unread
    assert unread.turns == len(found)
    assert f"{packed}: damaged (" in unread.reason
    with pytest.raises(DataError, match="everything before that was read"):
        read(packed, strict=True)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_damage_within_a_compressed_file_is_told(tmp_path: Path, kind: str) -> None:
    content = bytearray(PACK[kind](chat(20_000)))
    content[len(content) // 2] ^= 255
    packed = put(tmp_path, f"chat.txt.{kind}", bytes(content))
    with pytest.raises(DataError, match=rf"chat\.txt\.{kind}: (damaged|cannot be unpacked) \("):
        read(packed, strict=True)


def test_a_file_of_which_nothing_can_be_unpacked_is_told(tmp_path: Path) -> None:
    packed = put(tmp_path, "a.txt.gz", gzip.compress(CHAT)[:12])
    with pytest.raises(DataError, match=r"a\.txt\.gz: cannot be unpacked \(.*\)\. Get it again\."):
        read(packed)


def test_a_cut_json_is_told_by_its_compressed_file(tmp_path: Path) -> None:
    content = gzip.compress((FIXTURES / "telegram/one_chat.input.json").read_bytes())
    tally = Tally()
    read(put(tmp_path, "result.json.gz", content[:-60]), tally)
    (unread,) = tally.unread
    assert "result.json.gz: damaged" in unread.reason


# Archives

KINDS = ["zip", "7z", "tar", *(f"tar.{kind}" for kind in PACK)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_reads_as_the_folder_it_was_made_of(tmp_path: Path, kind: str) -> None:
    for name in (f"export.{kind}", "export"):
        packed = put(tmp_path, name, archive(kind, of_folder(SLACK)))
        from_folder, from_archive = Tally(), Tally()
        assert read(SLACK, from_folder) == read(packed, from_archive)
        assert (from_folder.kept, from_folder.dropped) == (from_archive.kept, from_archive.dropped)
        assert all(path.startswith(str(packed)) for path, _ in from_archive.formats)


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_in_a_folder_or_an_archive_is_opened_and_one_in_that_is_not(tmp_path: Path, kind: str) -> None:
    inner = archive(kind, of_folder(SLACK))
    folder = tmp_path / "exports"
    folder.mkdir()
    put(folder, "one", inner)
    packed = put(tmp_path, "exports.zip", archive("zip", {"one": inner}))
    third = put(tmp_path, "third.7z", archive("7z", {"a.zip": archive("zip", {"b": inner, "c.txt": CHAT})}))
    assert read(folder) == read(packed) == read(SLACK)
    tally = Tally()
    assert len(texts(read(third, tally))) == 900
    assert "skipped 1 files in no known format: a.zip/b" in " ".join(tally.notes)


def test_a_document_that_is_a_zip_inside_is_no_archive(tmp_path: Path) -> None:
    document = archive("zip", {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"Ann: hello\nBob: hi\n"})
    with pytest.raises(DataError, match=r"a Word document \(DOCX\), not text"):
        read(put(tmp_path, "letter.docx", document))


@pytest.mark.parametrize("kind", ["7z", "tar", "tar.gz", "tar.zst"])
def test_names_in_an_archive_lead_nowhere(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "inside"
    place.mkdir()
    names = ["../../outside.txt", "/tmp/outside.txt"] if kind != "7z" else ["outside.txt"]
    packed = put(place, "escape", archive(kind, dict.fromkeys(names, CHAT)))
    before = sorted(tmp_path.rglob("*"))
    assert len(texts(read(packed))) == 900 * len(names)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"])
def test_a_tar_that_is_cut_is_read_up_to_there(tmp_path: Path, kind: str) -> None:
    content = archive(kind, {f"{name}.txt": chat(8000, name) for name in "abcd"})
    tally = Tally()
    found = texts(read(put(tmp_path, f"export.{kind}", content[: len(content) // 2]), tally))
    assert {text[0] for text in found} >= {"a"}
    assert len(found) < 32_000
    (unread,) = tally.unread
    assert f"export.{kind}: damaged after" in unread.reason
    assert unread.turns == len(found)


def test_a_tar_with_a_damaged_header_is_told(tmp_path: Path) -> None:
    content = bytearray(archive("tar", {"a.txt": CHAT, "b.txt": CHAT}))
    at = content.index(b"b.txt")
    content[at : at + 100] = b"\xff" * 100
    tally = Tally()
    assert len(texts(read(put(tmp_path, "export.tar", bytes(content)), tally))) == 900
    assert "export.tar: damaged after a.txt" in tally.unread[0].reason


def test_a_7z_with_a_damaged_file_is_read_but_for_that(tmp_path: Path) -> None:
    content = bytearray(archive("7z", {f"{name}.txt": chat(8000, name) for name in "abcd"}))
    at = len(content) // 2
    content[at : at + 8] = b"\0" * 8
    tally = Tally()
    found = texts(read(put(tmp_path, "export.7z", bytes(content)), tally))
    assert len(found) in (8000, 16_000)
    assert "export.7z: damaged after" in tally.unread[0].reason


@pytest.mark.parametrize("kind", ["zip", "7z"])
def test_an_archive_that_cannot_be_opened_is_told_and_spoils_no_folder(tmp_path: Path, kind: str) -> None:
    content = archive(kind, {"a.txt": CHAT, "b.txt": CHAT})
    cut = put(tmp_path, f"cut.{kind}", content[: len(content) // 2])
    with pytest.raises(DataError, match=rf"cut\.{kind}: not a readable {kind} archive \(.*\)\. Export it again\.$"):
        read(cut)
    put(tmp_path, "chat.txt", CHAT)
    tally = Tally()
    assert len(texts(read(tmp_path, tally))) == 900
    assert [unread.path for unread in tally.unread] == [str(cut)]
    with pytest.raises(DataError, match="not a readable"):
        read(tmp_path, strict=True)


@pytest.mark.parametrize("hidden", [False, True])
def test_an_encrypted_7z_is_refused(tmp_path: Path, hidden: bool) -> None:
    place = tmp_path / "secret.7z"
    with py7zr.SevenZipFile(place, "w", password="boat", header_encryption=hidden) as seven:
        seven.writestr(CHAT, "a.txt")
    with pytest.raises(DataError, match=r"secret\.7z: the archive is encrypted\. Unpack it, and pass the folder\."):
        read(place)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst", *KINDS])
def test_what_would_fill_the_disk_is_refused(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "MAX_UNPACKED", 1000)
    monkeypatch.setattr(compression, "MAX_RATIO", 20)
    bomb = b"Ann: hello\n" * 100_000
    content = PACK[kind](bomb) if kind in PACK else archive(kind, {"a.txt": bomb})
    if kind == "tar":
        monkeypatch.setattr(compression, "MAX_RATIO", 0)
    packed = put(tmp_path, f"trap.{kind}", content)
    with pytest.raises(DataError, match=r"trap.*: would unpack to .* bytes, over \d+ times its size"):
        read(packed)


def test_two_files_of_one_name_in_a_tar_are_refused(tmp_path: Path) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for _ in range(2):
            member = tarfile.TarInfo("a.txt")
            member.size = len(CHAT)
            tar.addfile(member, io.BytesIO(CHAT))
    with pytest.raises(DataError, match=r"contains several files named 'a\.txt'"):
        read(put(tmp_path, "twice.tar", made.getvalue()))


@pytest.mark.parametrize(
    ("kind", "modules"), [("zst", ("compression.zstd", "backports.zstd", "backports")), ("7z", ("py7zr",))]
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    tmp_path: Path, kind: str, modules: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = put(tmp_path, f"a.{kind}", PACK[kind](CHAT) if kind in PACK else archive(kind, {"a.txt": CHAT}))
    put(tmp_path, "chat.txt", CHAT)
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DataError, match=r"a package that is not installed: pip install 'wolf-chatbox\[archives\]'$"):
        read(packed)
    tally = Tally()
    assert len(texts(read(tmp_path, tally))) == 900
    assert "wolf-chatbox[archives]" in tally.unread[0].reason
