"""Downloading public sets from a server on the loopback that does everything wrong: refusals, and what is kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import Hub, use_endpoint
from mirror import Mirror
from public_sets import COMMIT, CONTENT, FOUR, GAMES, ONE, PATHS, SETS, THIRD, cached, failure, read
from wolf_chatbox.public import download


def test_damage_in_the_cache_is_repaired(mirror: Mirror) -> None:
    folder = download.fetch(SETS["village"])
    (folder / ONE).write_bytes(CONTENT[ONE].replace(b"things", b"thongs"))
    (folder / "tmp_of_a_killed_run").write_text("half")
    mirror.requests.clear()
    download.fetch(SETS["village"])
    assert [request.path for request in mirror.requests] == [PATHS[ONE]]
    assert cached() == {ONE: CONTENT[ONE], THIRD: CONTENT[THIRD]}


@pytest.mark.parametrize(
    ("fault", "tries", "why"),
    [
        (404, 1, "(HTTP status 404)"),
        (403, 1, "(HTTP status 403)"),
        (503, 4, "(HTTP status 503)"),
        (429, 4, "(HTTP status 429)"),
        ("wrong", 4, "failed its checksum and was not kept. Try another network."),
        ("long", 4, "failed its checksum and was not kept. Try another network."),
        ("cut", 4, "(the connection was interrupted)"),
        ("short", 4, ""),
    ],
)
def test_what_goes_wrong_for_ever(mirror: Mirror, fault: str | int, tries: int, why: str) -> None:
    mirror.faults[PATHS[ONE]] = [fault]
    text = failure()
    assert why in text
    assert f"{mirror.url}/{PATHS[ONE]} " in text
    assert text.endswith(
        "Check the network, or pass --from FOLDER with a folder that has the files. Partial downloads are kept."
    )
    assert len(mirror.asked(PATHS[ONE])) == tries
    assert ONE not in cached()
    assert set(cached()) <= {THIRD}
    mirror.faults.clear()
    download.fetch(SETS["village"])
    assert cached() == {ONE: CONTENT[ONE], THIRD: CONTENT[THIRD]}


@pytest.mark.parametrize(
    "faults",
    [[503, "fine"], ["wrong", "fine"], ["cut", 500, "cut", "fine"], ["short", "fine"], ["long", "fine"], [429, "slow"]],
)
def test_what_goes_wrong_once(mirror: Mirror, faults: list[str | int]) -> None:
    mirror.faults[PATHS[ONE]] = list(faults)
    download.fetch(SETS["village"])
    assert cached() == {ONE: CONTENT[ONE], THIRD: CONTENT[THIRD]}
    assert len(mirror.asked(PATHS[ONE])) == len(faults)
    assert not (download.data_folder(SETS["village"]) / "partial").exists()


def test_a_broken_download_goes_on_where_it_broke(mirror: Mirror) -> None:
    mirror.faults[PATHS[ONE]] = ["cut", 500, 500, 500, "fine"]
    assert "500" in failure()
    assert ONE not in cached()
    counted: list[int] = []
    download.fetch(SETS["village"], count=counted.append)
    last = mirror.asked(PATHS[ONE])[-1]
    assert last.start > 0
    assert last.start % download.CHUNK == 0
    assert last.start + last.sent == len(CONTENT[ONE])
    assert cached()[ONE] == CONTENT[ONE]


def test_a_server_that_knows_no_ranges(mirror: Mirror) -> None:
    mirror.faults[PATHS[ONE]] = ["cut", "whole"]
    counted: list[int] = []
    download.fetch(SETS["village"], count=counted.append)
    assert [request.start for request in mirror.asked(PATHS[ONE])] == [0, 0]
    assert cached()[ONE] == CONTENT[ONE]
    assert min(counted) < 0, "what comes again is not counted twice"
    assert sum(counted) == SETS["village"].bytes


@pytest.mark.parametrize("left", [b"x" * 10, b"x" * len(CONTENT[ONE]), b"x" * (len(CONTENT[ONE]) + 10)])
def test_what_was_left_of_another_file_is_dropped(mirror: Mirror, left: bytes) -> None:
    partial = download.data_folder(SETS["village"]) / "partial" / ONE
    partial.parent.mkdir(parents=True)
    partial.write_bytes(left)
    download.fetch(SETS["village"])
    assert cached()[ONE] == CONTENT[ONE]


def test_a_silent_server(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    mirror.pause = 0.3
    mirror.faults[PATHS[FOUR]] = ["silent"]
    assert "(no data for 0.1 seconds)" in failure(SETS["chat"])
    assert len(mirror.asked(PATHS[FOUR])) == 4
    assert cached(SETS["chat"]) == {}


def test_a_slow_server_is_waited_for(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    mirror.faults[PATHS[ONE]] = ["slow"]
    download.fetch(SETS["village"])
    assert len(mirror.asked(PATHS[ONE])) == 1
    assert cached()[ONE] == CONTENT[ONE]


def test_no_network(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOLF_CHATBOX_MIRROR", "http://127.0.0.1:9")
    assert re.search(r"\(no connection\)\. Check the network, or pass --from", failure())


def test_ctrl_c_loses_nothing(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "AT_ONCE", 1)

    def stop(number: int) -> None:
        if sum(counted) > download.CHUNK:
            raise KeyboardInterrupt
        counted.append(number)

    counted: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        download.fetch(SETS["village"], count=stop)
    assert cached() == {}
    mirror.requests.clear()
    download.fetch(SETS["village"])
    assert mirror.asked(PATHS[ONE])[0].start >= download.CHUNK
    assert cached() == {ONE: CONTENT[ONE], THIRD: CONTENT[THIRD]}


def test_a_cache_that_cannot_be_written(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    code, shown = cli("get", "village")
    assert code == 1
    assert re.search(r"error: \S+cache/data/village-0123456789ab: cannot be written", shown)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of SETS under other names, with others beside them, one of the same size."""
    place = tmp_path / "stick" / "deep" / "er"
    place.mkdir(parents=True)
    for number, content in enumerate(CONTENT.values()):
        (place / f"{number}.bin").write_bytes(content)
    (place.parent / "four.jsonl").write_bytes(bytes(len(CONTENT[FOUR])))
    (place.parent / "notes.txt").write_text("Ann: hello\n")
    return tmp_path / "stick"


def test_from_a_folder_by_checksum(mirror: Mirror, cli: Any, folder: Path, tmp_path: Path) -> None:
    code, shown = cli("get", "village", "chat", "--from", str(folder), "-o", "all.jsonl")
    assert code == 0, shown
    assert [each.group for each in read(tmp_path / "all.jsonl")] == ["ichi", "san", "one", "two", "four"]
    assert mirror.requests == []
    shutil.rmtree(folder)
    folder.mkdir()
    assert cli("get", "chat", "--from", str(folder))[0] == 0, "what is in the cache need not be in the folder"


def test_from_a_folder_that_lacks_a_file(mirror: Mirror, folder: Path) -> None:
    (folder / "deep" / "er" / "0.bin").write_bytes(CONTENT[ONE].replace(b"things", b"thongs"))
    text = failure(source=folder)
    assert text.startswith(f"--from {folder}: 1 of the 2 files of village are missing (the first is {ONE}).")
    assert text.endswith(f"Copy them there from https://github.com/them/village/tree/{COMMIT}, unchanged.")
    assert "no such folder" in failure(source=folder / "none")
    assert mirror.requests == []


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the data set of SETS: two files that are wanted, and a video that is not."""
    place = tmp_path / "repository"
    for name, content in (
        ("ego/split/train.jsonl", CONTENT[FOUR]),
        ("tube/split/test.jsonl", CONTENT[THIRD]),
        ("ego/videos/1.mp4", b"film"),
    ):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)
    with Hub({"them/games": place}) as server:
        use_endpoint(monkeypatch, server.url)
        yield server


def test_a_set_of_the_hub(mirror: Mirror, cli: Any, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, shown = cli("get", "on-the-hub")
    assert code == 0, shown
    assert hub.fetched() == {"train.jsonl", "test.jsonl"}
    assert read(tmp_path / "on-the-hub.jsonl") == [*GAMES[FOUR], *GAMES[THIRD]]
    assert "https://spdx.org/licenses/Apache-2.0.html" in (tmp_path / "on-the-hub.licences.txt").read_text()
    assert cli("werewolf", "chat", "on-the-hub")[0] == 0
    assert (
        "except for on-the-hub: no checksums are known for these files, and they are used as downloaded"
        in (tmp_path / "werewolf" / "datasheet.md").read_text()
    )
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    assert cli("get", "on-the-hub")[0] == 0, "what the hub's cache has is there without the hub"
    assert "--from finds files by checksum, and none are known for this data set" in failure(
        SETS["on-the-hub"], tmp_path
    )


def test_a_hub_that_has_it_no_more(mirror: Mirror, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "repository" / "ego" / "split")
    shutil.rmtree(tmp_path / "repository" / "tube")
    assert "them/games no longer has files */split/*.jsonl" in failure(SETS["on-the-hub"])
    hub.broken = 404
    assert "them/games cannot be downloaded (HTTP status 404)." in failure(SETS["on-the-hub"])
    shutil.rmtree(tmp_path / "hub")
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    text = failure(SETS["on-the-hub"])
    assert text.endswith(
        "cannot be downloaded (the hub cannot be reached, and the cache does not have it). "
        "Check the network, or set HF_ENDPOINT to a mirror."
    )
