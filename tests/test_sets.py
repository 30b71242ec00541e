"""Public sets: what is fetched, what is refused, what is kept when the line breaks, and what becomes of it; against a server on the loopback."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conftest import ROOT
from hub import Hub
from mirror import Mirror
from test_hub import use_endpoint
from wolf_chatbox import catalogue, collection, download
from wolf_chatbox.catalogue import File, PublicSet
from wolf_chatbox.cli import app, run
from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import Event, Game, Player
from wolf_chatbox.importers import read_conversations

DATA = ROOT.parent / "shared" / "data"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PLAYERS = (Player("Ken", "WEREWOLF"), Player("Rin", "SEER"), Player("Mio", "VILLAGER"))


def play(name: str, language: str, lines: int, winner: str, same_as: str = "") -> Conversation:
    """A short game: everybody talks, the wolf whispers once, and at the end somebody wins, or nobody."""
    turns = [Turn(PLAYERS[at % 3].name, f"{name}: I say {at} things, and no more.") for at in range(lines)]
    turns.append(Turn("Ken", "Rin is next.", channel="whisper"))
    events = (Event(0, 1, "day"), Event(lines, 1, "night"), Event(lines + 1, 1, "attack", target="Rin", result="killed"), Event(lines + 1, 2, "end"))
    return Conversation(tuple(turns), name, Game("made-up", language, PLAYERS, events, winner, same_as=same_as))


GAMES = {
    "village/one.jsonl": [play("one", "en", 900, "WEREWOLF", "first"), play("two", "en", 4, "")],
    "village/it's the third #3.jsonl": [play("ichi", "ja", 5, "WEREWOLF", "first"), play("san", "ja", 6, "VILLAGER")],
    "chat/four.jsonl": [play("four", "en", 3, "VILLAGER")],
}
"""The first file is far longer than a piece in which it is fetched; one of its games is in the second in another language."""
CONTENT = {path: "".join(json.dumps(game.to_dict()) + "\n" for game in games).encode() for path, games in GAMES.items()}
ONE, THIRD, FOUR = GAMES


def listed(*paths: str) -> tuple[File, ...]:
    return tuple(File(hashlib.sha256(CONTENT[path]).hexdigest(), len(CONTENT[path]), path) for path in paths)


def public(name: str, *paths: str, **more: Any) -> PublicSet:
    form: dict[str, Any] = {
        "title": f"The games of {name}",
        "languages": ("en",),
        "what": "made-up games",
        "what_ja": "作り話のゲーム",
        "bias": "Ken is always the wolf.",
        "bias_ja": "人狼はいつも Ken である。",
        "licence": "MIT",
        "copyright": f"Copyright (c) 2024 {name}",
        "citation": f"{name}: Games. 2024.",
        "games": 4,
        "format": "conversations",
        "repository": f"them/{name}",
        "commit": COMMIT,
    }
    return PublicSet(name=name, files=listed(*paths), **(form | more))


SETS = {
    "village": public("village", ONE, THIRD),
    "chat": public("chat", FOUR, games=1),
    "on-the-hub": public("on-the-hub", repository="", commit="", hub="them/games", patterns=("*/split/*.jsonl",), licence="Apache-2.0"),
    "a-series": public(
        "a-series", licence="", games=None, repository="", commit="", by_hand="Get it at https://example.org/series (free), and name it"
    ),
}
PATHS = {path: f"them/{'chat' if path == FOUR else 'village'}/{COMMIT}/{path}" for path in CONTENT}


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A server that has the files of SETS, which are all that is known; nobody waits between two tries."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(catalogue, "sets", lambda: SETS)
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    with Mirror({PATHS[path]: content for path, content in CONTENT.items()}) as server:
        monkeypatch.setenv("WOLF_CHATBOX_MIRROR", server.url)
        yield server


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(lambda: app.meta(["data", *arguments], exit_on_error=False, print_error=False), {})
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return call


def cached(wanted: PublicSet = SETS["village"]) -> dict[str, bytes]:
    """The files of a set in the cache."""
    folder = download.data_folder(wanted) / "files"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read(path: Path) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(format="conversations")))


def failure(wanted: PublicSet = SETS["village"], source: Path | None = None) -> str:
    """The one line that says why a set cannot be had."""
    with pytest.raises(DataError) as raised:
        download.fetch(wanted, source)
    text = str(raised.value)
    assert "\n" not in text
    assert wanted.name in text
    return text


# fetching


def test_get_tells_the_licence_first_and_keeps_it(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    code, shown = cli("get", "village", "chat")
    assert code == 0, shown
    assert shown.index("village: MIT (Copyright (c) 2024 village). Please cite: village: Games. 2024.") < shown.index("turns read")
    assert read(tmp_path / "village.jsonl") == [*GAMES[THIRD], *GAMES[ONE]]
    assert read(tmp_path / "chat.jsonl") == GAMES[FOUR]
    for kept in (tmp_path / "village.licences.txt", download.data_folder(SETS["village"]) / "licence.txt"):
        text = kept.read_text()
        assert "Copyright (c) 2024 village" in text
        assert "Permission is hereby granted" in text
        assert "Please cite: village: Games. 2024." in text
        assert f"https://github.com/them/village/tree/{COMMIT}" in text
    assert cached() == {ONE: CONTENT[ONE], THIRD: CONTENT[THIRD]}


def test_second_get_fetches_and_changes_nothing(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    cli("get", "village")
    mirror.requests.clear()
    before = (tmp_path / "village.jsonl").read_bytes()
    code, shown = cli("get", "village")
    assert (code, mirror.requests) == (0, [])
    assert "nothing to do: the same was there" in shown
    assert (tmp_path / "village.jsonl").read_bytes() == before


def test_get_replaces_no_other_file(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    (tmp_path / "village.jsonl").write_text("mine")
    code, shown = cli("get", "village")
    assert code == 1
    assert "error: village.jsonl: is there already. Replace it with --overwrite, or choose another name." in shown
    assert (tmp_path / "village.jsonl").read_text() == "mine"
    assert cli("get", "village", "--overwrite")[0] == 0
    assert len(read(tmp_path / "village.jsonl")) == 4


def test_several_sets_into_one_file(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    assert cli("get", "chat", "village", "-o", "all.jsonl")[0] == 0
    assert [each.group for each in read(tmp_path / "all.jsonl")] == ["four", "ichi", "san", "one", "two"]
    assert (tmp_path / "all.licences.txt").read_text().count("Permission is hereby granted") == 2


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
        (404, 1, "(the server answers 404)"),
        (403, 1, "(the server answers 403)"),
        (503, 4, "(the server answers 503)"),
        (429, 4, "(the server answers 429)"),
        ("wrong", 4, "is another file than expected (its checksum differs); it was not kept."),
        ("long", 4, "is another file than expected (its checksum differs); it was not kept."),
        ("cut", 4, "(the connection broke off)"),
        ("short", 4, ""),
    ],
)
def test_what_goes_wrong_for_ever(mirror: Mirror, fault: str | int, tries: int, why: str) -> None:
    mirror.faults[PATHS[ONE]] = [fault]
    text = failure()
    assert why in text
    assert f"{mirror.url}/{PATHS[ONE]} " in text
    assert text.endswith("Check the network, or name a folder that has the files: --from FOLDER. What has come is kept.")
    assert len(mirror.asked(PATHS[ONE])) == tries
    assert ONE not in cached()
    assert set(cached()) <= {THIRD}
    mirror.faults.clear()
    download.fetch(SETS["village"])
    assert cached() == {ONE: CONTENT[ONE], THIRD: CONTENT[THIRD]}


@pytest.mark.parametrize(
    "faults", [[503, "fine"], ["wrong", "fine"], ["cut", 500, "cut", "fine"], ["short", "fine"], ["long", "fine"], [429, "slow"]]
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
    assert "(the server is silent for 0.1 seconds)" in failure(SETS["chat"])
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
    assert re.search(r"\(no connection\)\. Check the network, or name a folder .*--from", failure())


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


# from a folder


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
    assert text.startswith(f"--from {folder}: 1 of the 2 files of village are not in it (the first is {ONE}).")
    assert text.endswith(f"Copy them there from https://github.com/them/village/tree/{COMMIT}, unchanged.")
    assert "there is no such folder" in failure(source=folder / "none")
    assert mirror.requests == []


# what is not simply fetched


def test_unknown_and_unfetched_sets(mirror: Mirror, cli: Any) -> None:
    assert cli("get", "vilage") == (1, "error: vilage: no set of that name. Did you mean village?\n")
    assert cli("get", "qqq") == (1, "error: qqq: no set of that name. There are village, chat, on-the-hub, a-series.\n")
    by_hand = "error: a-series: its licence is not stated, so it is not fetched. Get it at https://example.org/series (free), and name it.\n"
    assert cli("get", "a-series") == (1, by_hand)
    assert cli("werewolf", "a-series") == (2, "error: --names a-series: is no set of werewolf games.\n")
    assert mirror.requests == []


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the data set of SETS: two files that are wanted, and a video that is not."""
    place = tmp_path / "repository"
    for name, content in (("ego/split/train.jsonl", CONTENT[FOUR]), ("tube/split/test.jsonl", CONTENT[THIRD]), ("ego/videos/1.mp4", b"film")):
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
    assert "No checksums were known for on-the-hub: its files are as they came." in (tmp_path / "werewolf" / "datasheet.md").read_text()
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    assert cli("get", "on-the-hub")[0] == 0, "what the hub's cache has is there without the hub"
    assert "its files have no checksums here to be found by" in failure(SETS["on-the-hub"], tmp_path)


def test_a_hub_that_has_it_no_more(mirror: Mirror, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "repository" / "ego" / "split")
    shutil.rmtree(tmp_path / "repository" / "tube")
    assert "them/games has no files */split/*.jsonl any more" in failure(SETS["on-the-hub"])
    hub.broken = 404
    assert "them/games cannot be fetched (the hub answers 404)." in failure(SETS["on-the-hub"])
    shutil.rmtree(tmp_path / "hub")
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    text = failure(SETS["on-the-hub"])
    assert text.endswith("cannot be fetched (the hub cannot be reached, and it is not in the cache). Check the network; HF_ENDPOINT names a mirror.")


# the list


def test_list(mirror: Mirror, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    download.fetch(SETS["chat"])
    code, shown = cli("list")
    assert code == 0
    rows = {line.split()[0]: line for line in shown.split("\n\n")[0].splitlines()[1:]}
    assert list(rows) == list(SETS)
    assert "yes" in rows["chat"]
    assert "yes" not in rows["village"]
    assert "none stated" in rows["a-series"]
    assert "by hand" in rows["a-series"]
    assert "village: made-up games\ncite: village: Games. 2024.\nhttps://github.com/them/village/tree/" in shown
    code, shown = cli("list", "--json")
    found = {each["name"]: each for each in json.loads(shown)}
    assert found["village"]["bytes"] == sum(len(CONTENT[path]) for path in (ONE, THIRD))
    assert found["village"]["licence"] == "MIT"
    assert found["village"]["citation"]


def test_the_catalogue_of_the_package() -> None:
    known = catalogue.sets()
    assert set(known) >= {"aiwolf-nlp", "llmafia", "fanlang", "onuw-gpt", "werewolf-among-us", "rick-and-morty"}
    for each in known.values():
        assert each.citation
        assert each.what_ja
        assert each.address.startswith("https://")
        assert sum(map(bool, (each.files, each.hub, each.by_hand))) == 1
        assert len({file.path for file in each.files}) == len(each.files)
        for file in each.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.bytes >= 0
            assert not {"..", ""} & set(file.path.split("/"))
        if each.licence:
            assert each.copyright
            assert each.bias
            assert each.bias_ja
    assert [each.name for each in catalogue.werewolf_sets()] == ["aiwolf-nlp", "llmafia", "fanlang", "onuw-gpt"]
    assert {name: (len(each.files), each.bytes) for name, each in known.items() if each.files} == {
        "aiwolf-nlp": (127, 2188749),
        "llmafia": (312, 195275),
        "fanlang": (11, 916565),
        "onuw-gpt": (6, 97548),
    }


# a corpus of games


def test_werewolf_makes_a_corpus(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    code, shown = cli("werewolf")
    assert code == 0, shown
    corpus = tmp_path / "werewolf"
    assert {path.name for path in corpus.iterdir()} == {"werewolf.en.jsonl", "werewolf.ja.jsonl", "datasheet.md", "datasheet.ja.md", "licences.txt"}
    assert read(corpus / "werewolf.en.jsonl") == [*GAMES[ONE], *GAMES[FOUR]]
    assert read(corpus / "werewolf.ja.jsonl") == GAMES[THIRD]
    assert (corpus / "licences.txt").read_text().count("Permission is hereby granted") == 2
    assert "village: 4 games (2 ja, 2 en)" in shown
    assert "left out, as their files have no checksums: on-the-hub." in shown
    assert "5 games in werewolf" in shown
    # Whoever names the folder gets the games, each once, and nothing of what describes them.
    assert Counter(each.group for each in read_conversations(corpus)) == Counter(each.group for games in GAMES.values() for each in games)


def test_the_datasheet_counts_right(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    cli("werewolf")
    turns = sum(len(game.turns) for games in GAMES.values() for game in games)
    english = sum(len(game.turns) for path in (ONE, FOUR) for game in GAMES[path])
    text = (tmp_path / "werewolf" / "datasheet.md").read_text()
    assert f"5 games of werewolf with {turns:,} utterances" in text
    assert f"| `werewolf.en.jsonl` | en | 3 | {english:,} |" in text
    characters = sum(len(turn.text) for path in (ONE, THIRD) for game in GAMES[path] for turn in game.turns)
    assert f"| village | ja 2, en 2 | 4 | 3 | 12 | {turns - 4:,} | {characters:,} | MIT |" in text
    assert "| SEER | 4 | 1 | 5 |" in text
    assert "| WEREWOLF | 2 | 0 | 2 |" in text  # winners
    assert "| none, or not told | 1 | 0 | 1 |" in text
    assert "| the wolves | 4 | 1 | 5 |" in text
    assert "2 of the games are recordings of 1 (translations)" in text
    assert "Ken is always the wolf." in text
    assert "village: Games. 2024." in text
    japanese = (tmp_path / "werewolf" / "datasheet.ja.md").read_text()
    assert "人狼はいつも Ken である。" in japanese
    figures = [re.findall(r"^\|.*\d.*\|$", each, re.MULTILINE) for each in (text, japanese)]
    assert [re.findall(r"\d+", row) for row in figures[0]] == [re.findall(r"\d+", row) for row in figures[1]]
    assert len(figures[0]) >= 9


def test_the_datasheet_tells_what_was_dropped(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, cli: Any, tmp_path: Path) -> None:
    def read_all(folder: Path, config: ReadConfig, tally: Any) -> Iterator[Conversation]:
        for each in read_conversations(folder, config, tally):
            tally.drop(1, "a mark|of the server")
            tally.notes.append(f"{folder}: a note on {folder}/x")
            yield each.with_turns(range(1, len(each.turns)), each.turns[1:])

    monkeypatch.setattr(collection, "read_conversations", read_all)
    code, shown = cli("werewolf", "village")
    assert code == 0
    assert "  dropped: 4 (a mark|of the server)" in shown
    text = (tmp_path / "werewolf" / "datasheet.md").read_text()
    turns = sum(len(game.turns) for path in (ONE, THIRD) for game in GAMES[path])
    assert f"{turns:,} utterances were read = {turns - 4:,} kept + 4 dropped" in text
    assert "| village | a mark\\|of the server | 4 |" in text
    assert "- village: a note on …/x" in text
    assert str(tmp_path) not in text


def test_a_second_corpus(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    corpus = tmp_path / "games"
    assert cli("werewolf", "chat", "-o", "games")[0] == 0
    kept = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in corpus.iterdir()}
    mirror.requests.clear()
    code, shown = cli("werewolf", "chat", "-o", "games")
    assert code == 0
    assert "nothing to do: the same was there" in shown
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in corpus.iterdir()} == kept
    code, shown = cli("werewolf", "village", "-o", "games")
    assert code == 1
    assert "error: games: holds another corpus of games. Replace it with --overwrite, or choose another folder." in shown
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in corpus.iterdir()} == kept
    assert cli("werewolf", "village", "-o", "games", "--overwrite")[0] == 0
    assert len(read(corpus / "werewolf.ja.jsonl")) == 2
    (corpus / "mine.txt").write_text("mine")
    code, shown = cli("werewolf", "village", "-o", "games", "--overwrite")
    assert code == 1
    assert "error: games: holds other things than a corpus of games. Choose another folder." in shown
    assert (corpus / "mine.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("games")] == ["games"]


def test_a_corpus_is_whole_or_not_there(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(collection, "datasheet", stop)
    with pytest.raises(KeyboardInterrupt):
        collection.write_corpus([(SETS["chat"], download.fetch(SETS["chat"]))], tmp_path / "werewolf")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("werewolf")]


def test_the_real_sets_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Any, mirror: Mirror) -> None:
    """The package's own catalogue, with the real files where this machine has them, and with none of them where it has not."""
    monkeypatch.setattr(catalogue, "sets", lambda: catalogue.read_sets(ROOT / "src/wolf_chatbox/data/sources.json"))
    code, shown = cli("werewolf", "--from", str(DATA if DATA.is_dir() else tmp_path))
    if not DATA.is_dir():
        assert code == 1
        assert "127 of the 127 files of aiwolf-nlp are not in it" in shown
        return
    assert code == 0, shown
    corpus = tmp_path / "werewolf"
    games = {language: read(corpus / f"werewolf.{language}.jsonl") for language in ("en", "ja", "zh")}
    assert {language: len(found) for language, found in games.items()} == {"en": 20 + 21 + 6, "ja": 102, "zh": 11}
    turns = sum(len(game.turns) for found in games.values() for game in found)
    assert f"160 games of werewolf with {turns:,} utterances" in (corpus / "datasheet.md").read_text()
    assert mirror.requests == []
