"""Public sets as conversations: single ones, the list of them, and a corpus of games with its datasheet."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from mirror import Mirror
from public_sets import COMMIT, CONTENT, FOUR, GAMES, ONE, SETS, THIRD, cached, read
from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.public import catalogue, collection, download

DATA = ROOT.parent / "shared" / "data"


def test_get_tells_the_licence_first_and_keeps_it(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    code, shown = cli("get", "village", "chat")
    assert code == 0, shown
    assert shown.index("village: MIT (Copyright (c) 2024 village). Please cite: village: Games. 2024.") < shown.index(
        "turns read"
    )
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
    assert "(unchanged)" in shown
    assert (tmp_path / "village.jsonl").read_bytes() == before


def test_get_replaces_no_other_file(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    (tmp_path / "village.jsonl").write_text("mine")
    code, shown = cli("get", "village")
    assert code == 1
    assert "error: village.jsonl: already exists. Replace it with --overwrite, or choose another name." in shown
    assert (tmp_path / "village.jsonl").read_text() == "mine"
    assert cli("get", "village", "--overwrite")[0] == 0
    assert len(read(tmp_path / "village.jsonl")) == 4


def test_several_sets_into_one_file(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    assert cli("get", "chat", "village", "-o", "all.jsonl")[0] == 0
    assert [each.group for each in read(tmp_path / "all.jsonl")] == ["four", "ichi", "san", "one", "two"]
    assert (tmp_path / "all.licences.txt").read_text().count("Permission is hereby granted") == 2


def test_unknown_and_unfetched_sets(mirror: Mirror, cli: Any) -> None:
    assert cli("get", "vilage") == (1, "error: vilage: no such data set. Did you mean village?\n")
    assert cli("get", "qqq") == (1, "error: qqq: no such data set. The sets are village, chat, on-the-hub, a-series.\n")
    why = "error: a-series: not downloaded automatically: its licence is not stated"
    by_hand = f"{why}. Go to https://example.org/series, download it (free) and pass its name.\n"
    assert cli("get", "a-series") == (1, by_hand)
    assert cli("werewolf", "a-series") == (2, "error: --names a-series: contains no werewolf games.\n")
    assert mirror.requests == []


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


def test_werewolf_makes_a_corpus(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    code, shown = cli("werewolf")
    assert code == 0, shown
    corpus = tmp_path / "werewolf"
    assert {path.name for path in corpus.iterdir()} == {
        "werewolf.en.jsonl",
        "werewolf.ja.jsonl",
        "datasheet.md",
        "datasheet.ja.md",
        "licences.txt",
    }
    assert read(corpus / "werewolf.en.jsonl") == [*GAMES[ONE], *GAMES[FOUR]]
    assert read(corpus / "werewolf.ja.jsonl") == GAMES[THIRD]
    assert (corpus / "licences.txt").read_text().count("Permission is hereby granted") == 2
    assert "village: 4 games (2 ja, 2 en)" in shown
    assert "not included (no checksums): on-the-hub." in shown
    assert "5 games in werewolf" in shown
    # Whoever names the folder gets the games, each once, and nothing of what describes them.
    assert Counter(each.group for each in read_conversations(corpus)) == Counter(
        each.group for games in GAMES.values() for each in games
    )


def test_the_datasheet_counts_right(mirror: Mirror, cli: Any, tmp_path: Path) -> None:
    cli("werewolf")
    turns = sum(len(game.turns) for games in GAMES.values() for game in games)
    english = sum(len(game.turns) for path in (ONE, FOUR) for game in GAMES[path])
    text = (tmp_path / "werewolf" / "datasheet.md").read_text()
    assert f"5 werewolf games with {turns:,} utterances" in text
    assert f"| `werewolf.en.jsonl` | en | 3 | {english:,} |" in text
    characters = sum(len(turn.text) for path in (ONE, THIRD) for game in GAMES[path] for turn in game.turns)
    assert f"| village | ja 2, en 2 | 4 | 3 | 12 | {turns - 4:,} | {characters:,} | MIT |" in text
    assert "| SEER | 4 | 1 | 5 |" in text
    assert "| WEREWOLF | 2 | 0 | 2 |" in text  # winners
    assert "| none or unknown | 1 | 0 | 1 |" in text
    assert "| the wolves | 4 | 1 | 5 |" in text
    assert "2 of the games are recordings of 1 (translations)" in text
    assert "Ken is always the wolf." in text
    assert "village: Games. 2024." in text
    japanese = (tmp_path / "werewolf" / "datasheet.ja.md").read_text()
    assert "人狼はいつも Ken である。" in japanese
    figures = [re.findall(r"^\|.*\d.*\|$", each, re.MULTILINE) for each in (text, japanese)]
    assert [re.findall(r"\d+", row) for row in figures[0]] == [re.findall(r"\d+", row) for row in figures[1]]
    assert len(figures[0]) >= 9


def test_the_datasheet_tells_what_was_dropped(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, cli: Any, tmp_path: Path
) -> None:
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
    assert "(unchanged)" in shown
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in corpus.iterdir()} == kept
    code, shown = cli("werewolf", "village", "-o", "games")
    assert code == 1
    assert (
        "error: games: holds a different corpus of games. Replace it with --overwrite, or choose another folder."
        in shown
    )
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in corpus.iterdir()} == kept
    assert cli("werewolf", "village", "-o", "games", "--overwrite")[0] == 0
    assert len(read(corpus / "werewolf.ja.jsonl")) == 2
    (corpus / "mine.txt").write_text("mine")
    code, shown = cli("werewolf", "village", "-o", "games", "--overwrite")
    assert code == 1
    assert "error: games: holds files other than a corpus of games. Choose another folder." in shown
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
    """The package's own catalogue, with the real files if this machine has them, else without any."""
    monkeypatch.setattr(catalogue, "sets", lambda: catalogue.read_sets(ROOT / "src/wolf_chatbox/public/sources.json"))
    code, shown = cli("werewolf", "--from", str(DATA if DATA.is_dir() else tmp_path))
    if not DATA.is_dir():
        assert code == 1
        assert "127 of the 127 files of aiwolf-nlp are missing" in shown
        return
    assert code == 0, shown
    corpus = tmp_path / "werewolf"
    games = {language: read(corpus / f"werewolf.{language}.jsonl") for language in ("en", "ja", "zh")}
    assert {language: len(found) for language, found in games.items()} == {"en": 20 + 21 + 6, "ja": 102, "zh": 11}
    turns = sum(len(game.turns) for found in games.values() for game in found)
    assert f"160 werewolf games with {turns:,} utterances" in (corpus / "datasheet.md").read_text()
    assert mirror.requests == []
