"""Games of werewolf: what the fixtures cannot say. Real games are counted where they are there."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import SIDES, Event, Game
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.formats.werewolf.werewolf_among_us import _outcome
from wolf_chatbox.importers.shared.games import language
from wolf_chatbox.importers.streams.xml_stream import MAX_TAG

FIXTURES = Path(__file__).parents[1] / "fixtures"
DATA = Path(__file__).parents[3] / "shared/data"
GAMES = {
    path: name
    for name in (
        "llmafia",
        "fanlang",
        "onuw",
        "jinro_bbs",
        "werewolf_among_us",
        "werewolf_arena",
        "werewolf_bench",
        "mafia_tables",
    )
    for path in sorted((FIXTURES / name).glob("*.input.*"))
}
REAL = {
    "llmafia": "llmafia/games",
    "fanlang": "fanlang_werewolf",
    "onuw": "werewolf_gpt_onuw",
    "jinro_bbs": "jinro_bbs_archive_xml",
}


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))


def game_of(conversation: Conversation) -> Game:
    assert conversation.game is not None
    return conversation.game


def happened(game: Game, kind: str) -> list[Event]:
    return [event for event in game.events if event.kind == kind]


# Laws of every game


def check(conversation: Conversation) -> None:
    """A game fits together, and what it tells follows from its roles."""
    game = game_of(conversation)
    assert Conversation.from_dict(json.loads(json.dumps(conversation.to_dict()))) == conversation
    assert [event.at for event in game.events] == sorted(event.at for event in game.events)
    assert all(0 <= event.at <= len(conversation.turns) for event in game.events)
    assert [event.day for event in game.events] == sorted(event.day for event in game.events)
    assert game.winner in ("", *SIDES.values())
    roles = {player.name: player.first_role for player in game.players}
    whisperers = {turn.speaker for turn in conversation.turns if turn.channel == "whisper"}
    assert all(roles.get(name, "") in ("", "WEREWOLF") for name in whisperers)
    for event in game.events:
        match event.kind:
            case "divine" if event.actor:
                assert roles[event.actor] in ("SEER", "")
                assert event.result in ("", roles[event.target], "HUMAN")
                assert event.result != "HUMAN" or roles[event.target] != "WEREWOLF"
            case "guard":
                assert roles[event.actor] in ("BODYGUARD", "WITCH")
            case "attack_vote":
                assert roles[event.actor] in ("WEREWOLF", "")
            case "know" if event.result:
                assert event.result == roles[event.target]
            case "night" | "day" | "end" | "announce":
                assert not event.actor + event.target + event.result
    kinds = [event.kind for event in game.events]
    assert kinds.count("end") <= 1
    assert "end" not in kinds or set(kinds[kinds.index("end") :]) <= {"end", "announce"}
    assert game.facts.get("turns") is None or len(game.facts["turns"]) == len(conversation.turns)


@pytest.mark.parametrize("path", GAMES, ids=lambda path: f"{path.parent.name}/{path.name.partition('.')[0]}")
def test_the_games_of_the_fixtures_fit_together(path: Path) -> None:
    for conversation in read(path):
        check(conversation)


@pytest.mark.parametrize("name", REAL)
def test_real_games_fit_together_and_none_of_their_lines_is_lost(name: str) -> None:
    """The lines are counted without the importers. Without the real games, those of the fixtures are read."""
    folder = DATA / REAL[name]
    if not folder.exists():
        folder = FIXTURES / name
    tally = Tally()
    conversations = [
        conversation for conversation in read(folder, tally) if conversation.game and conversation.game.source
    ]
    for conversation in conversations:
        check(conversation)
    assert conversations
    if folder.parent != FIXTURES:
        assert tally.read - tally.dropped["vote by a dead player"] == lines_of(name, folder)


def lines_of(name: str, folder: Path) -> int:
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()]
    if name == "llmafia":
        chats = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*/public_[dn]*time_chat.txt"))
        return len(re.findall(r"^\[\d\d:\d\d:\d\d\] (?!Game-Manager)|Nighttime has ended", chats, re.MULTILINE))
    if name == "fanlang":
        return sum(len(json.loads(text)["audio"]) for text in texts if text.startswith("{"))
    if name == "onuw":
        return sum(len(re.findall(r"^\*\*\*\w+ \(thoughts as|^> \*\*\w+", text, re.MULTILINE)) for text in texts)
    return sum(text.count("<talk") for text in texts)


def test_a_name_of_nobody_is_a_fact_and_no_event(tmp_path: Path) -> None:
    path = tmp_path / "game_complete.json"
    state = json.loads((FIXTURES / "werewolf_arena/game_complete.input.json").read_text())
    state["rounds"][1]["votes"] = [{"Tess": "Nobody", "Wim": "Tess"}]
    path.write_text(json.dumps(state))
    tally = Tally()
    [conversation] = read(path, tally)
    check(conversation)
    assert game_of(conversation).facts["events_of_nobody_known"] == [
        {"at": 2 + 1, "day": 2, "kind": "vote", "actor": "Tess", "target": "Nobody"}
    ]
    assert tally.notes == [f"{path}: 1 events name no player, kept as facts only"]


def test_half_an_emoji_in_a_fact_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "game_complete.json"
    state = json.loads((FIXTURES / "werewolf_arena/game_complete.input.json").read_text())
    path.write_text(json.dumps({**state, "error_message": "\ud83d"}))
    [conversation] = read(path)
    assert json.dumps(conversation.to_dict(), ensure_ascii=False).encode()
    assert game_of(conversation).facts["error_message"] == "?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am the seer.", "en"),
        ("私は占い師です。", "ja"),
        ("我是预言家，昨晚验了五号。", "zh"),
        ("CO 占い師です", "ja"),
        ("5号查杀 PK", "zh"),
        ("村 ok ok ok ok", "en"),
    ],
)
def test_the_language_is_told_by_the_script(text: str, expected: str) -> None:
    assert language([Turn("a", text)]) == expected


# One Night's outcome


@pytest.mark.parametrize(
    ("roles", "votes", "dead", "winners"),
    [
        ("WEREWOLF VILLAGER SEER", [1, 0, 0], [0], ["VILLAGER"]),
        ("WEREWOLF VILLAGER SEER", [1, 2, 1], [1], ["WEREWOLF"]),
        ("WEREWOLF VILLAGER SEER", [1, 2, 0], [], ["WEREWOLF"]),
        ("WEREWOLF VILLAGER SEER ROBBER", [1, 0, 0, 1], [0, 1], ["VILLAGER"]),
        ("WEREWOLF MINION SEER", [1, 2, 1], [1], ["WEREWOLF"]),
        ("VILLAGER SEER ROBBER", [1, 2, 0], [], ["VILLAGER"]),
        ("VILLAGER SEER ROBBER", [1, 0, 0], [0], []),
        ("VILLAGER MINION ROBBER", [2, 0, 0], [0], ["WEREWOLF"]),
        ("VILLAGER MINION ROBBER", [1, 2, 1], [1], ["VILLAGER"]),
        ("WEREWOLF TANNER SEER", [1, 2, 1], [1], ["TANNER"]),
        ("WEREWOLF TANNER SEER DRUNK", [1, 0, 1, 0], [0, 1], ["TANNER", "VILLAGER"]),
        ("HUNTER WEREWOLF SEER", [1, 0, 0], [0, 1], ["VILLAGER"]),
        ("HUNTER TANNER WEREWOLF", [1, 0, 0], [0, 1], ["TANNER"]),
    ],
)
def test_who_wins_one_night(roles: str, votes: list[int], dead: list[int], winners: list[str]) -> None:
    assert _outcome(roles.split(), votes) == (dead, winners)


def test_who_wins_is_not_told_without_every_role() -> None:
    assert _outcome(["WEREWOLF", "DOPPELGANGER", "SEER"], [0, 0, 0]) is None
    assert _outcome(["WEREWOLF", "", "SEER"], [0, 0, 0]) is None
    assert _outcome([], []) is None


@given(st.lists(st.tuples(st.sampled_from(sorted(SIDES)), st.integers(0, 9)), min_size=1, max_size=10))
def test_an_outcome_is_one_whatever_is_voted(table: list[tuple[str, int]]) -> None:
    found = _outcome([role for role, _ in table], [vote % len(table) for _, vote in table])
    assert found is not None
    dead, winners = found
    killed = {table[place][0] for place in dead}
    assert ("TANNER" in winners) == ("TANNER" in killed)
    assert "VILLAGER" in winners or "WEREWOLF" not in killed
    assert "WEREWOLF" not in winners or not killed & {"WEREWOLF", "TANNER"}
    assert bool(dead) == (max(Counter(vote % len(table) for _, vote in table).values()) > 1)


# LLMafia


def test_one_file_of_a_game_stands_for_its_folder() -> None:
    folder = FIXTURES / "llmafia/games.input.d/0001"
    whole = read(folder)
    for name in (
        "config.json",
        "public_daytime_chat.txt",
        "public_nighttime_chat.txt",
        "public_manager_chat.txt",
        "who_wins.txt",
    ):
        assert read(folder / name) == whole


def test_a_chat_alone_is_told_apart_by_what_the_manager_says(tmp_path: Path) -> None:
    night = tmp_path / "chat.txt"
    night.write_text((FIXTURES / "llmafia/games.input.d/0001/public_nighttime_chat.txt").read_text())
    tally = Tally()
    [conversation] = read(night, tally)
    assert {turn.channel for turn in conversation.turns} == {"whisper"}
    assert "without config.json, public_manager_chat.txt, public_daytime_chat.txt" in tally.notes[0]
    night.write_text("[10:00:00] Ada: hello\n")
    with pytest.raises(DataError, match=r"cannot tell which chat of a game this is\. Pass the game's folder"):
        read(night, format="llmafia")


def test_files_that_belong_to_a_game_are_not_told_as_passed_over() -> None:
    tally = Tally()
    read(FIXTURES / "llmafia/games.input.d", tally)
    assert not [note for note in tally.notes if "skipped" in note]


def test_what_a_crash_wrote_into_the_day_again_is_not_told_again() -> None:
    """Whispers among it would tell everybody who whispers."""
    conversation = read(FIXTURES / "llmafia/games.input.d/0001")[0]
    assert [turn.channel for turn in conversation.turns if turn.text == "Ed asked too much."] == ["whisper"]
    assert [turn.text for turn in conversation.turns].count("Rain again. Who was out last night?") == 1
    assert "Di" not in [event.actor for event in happened(game_of(conversation), "vote") if event.day == 2]


def mafia_game(folder: Path, *rows: str) -> Path:
    """A game of mafia of three, whose info.csv holds these rows (time after 10:00, kind, node, text), in this order."""
    source = FIXTURES / "mafia_tables/game.input.d/1f-data"
    for name in ("node.csv", "network.csv"):
        shutil.copy(source / name, folder)
    header = (source / "info.csv").read_text().partition("\n")[0]
    told = [row.split("|") for row in rows]
    lines = [
        f"{at},{time and f'2019-05-01 10:{time}'},,,,,,f,,{kind},{node},1,{text}"
        for at, (time, kind, node, text) in enumerate(told, 1)
    ]
    (folder / "info.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


def test_a_mafiosos_last_words_of_the_night_are_told_to_nobody_else_though_the_day_begins_in_the_same_second(
    tmp_path: Path,
) -> None:
    folder = mafia_game(
        tmp_path,
        "00:10|info|1|Phase Change to Nighttime: Victim - None",
        "01:30.751204|info|1|Phase Change to Daytime: Victim - Cat Orr",
        "01:30.751203|text|3|Ben Low: Cat it is",
        "01:30.9|text|2|Amy Fox: Morning",
        "01:30.82|text|3|Ben Low: Good morning",
    )
    [conversation] = read(folder)
    assert [(turn.text, turn.channel) for turn in conversation.turns] == [
        ("Cat it is", "whisper"),
        ("Good morning", ""),
        ("Morning", ""),
    ]
    assert conversation.turns[0].time == datetime(2019, 5, 1, 10, 1, 30, 751203)
    check(conversation)


def test_rows_of_one_time_or_of_none_keep_the_order_of_the_file(tmp_path: Path) -> None:
    folder = mafia_game(
        tmp_path,
        "00:10|info|1|Phase Change to Nighttime: Victim - None",
        "01:30.5|info|1|Phase Change to Daytime: Victim - Cat Orr",
        "01:30.5|text|3|Ben Low: one",
        "|text|2|Amy Fox: two",
        "01:30.5|text|3|Ben Low: three",
        "01:30.25|text|3|Ben Low: zero",
    )
    [conversation] = read(folder)
    assert [(turn.text, turn.channel) for turn in conversation.turns] == [
        ("zero", "whisper"),
        ("one", ""),
        ("two", ""),
        ("three", ""),
    ]


# XML


RAIN = (FIXTURES / "jinro_bbs/rain.input.xml").read_text(encoding="utf-8")


def village(folder: Path, content: str | bytes) -> Path:
    path = folder / "village.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_entities_are_not_expanded_and_nothing_is_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    for declared in (
        '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">',
        f'<!ENTITY b SYSTEM "{secret.as_uri()}">',
        f'<!ENTITY % b SYSTEM "{secret.as_uri()}">',
    ):
        content = RAIN.replace('.dtd" >', f'.dtd" [{declared}]>').replace("眠いね", "&b;")
        with pytest.raises(DataError, match=r"village\.xml, line 3: declares an entity"):
            read(village(tmp_path, content))
    content = RAIN.replace("http://jindolf.sourceforge.jp/xml/dtd/bbsArchive-110421.dtd", secret.as_uri())
    [conversation] = read(village(tmp_path, content))
    assert "the secret" not in repr(conversation)


def test_a_village_that_is_cut_off_gives_what_was_whole(tmp_path: Path) -> None:
    whole = read(FIXTURES / "jinro_bbs/rain.input.xml")[0]
    tally = Tally()
    [conversation] = read(village(tmp_path, RAIN[: RAIN.index("ロルフは人狼です")]), tally)
    assert conversation.turns == whole.turns[:6]
    assert "the file ends inside an element" in tally.unread[0].reason
    assert {player.role for player in game_of(conversation).players} == {""}
    assert {event.result for event in happened(game_of(conversation), "divine")} == {""}
    check(conversation)


def test_what_is_no_xml_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"village\.xml, line 9, column \d+: not XML \(mismatched tag\)"):
        read(village(tmp_path, RAIN.replace("<avatarList>", "<avatarList></li>")))


def test_a_tag_without_an_end_takes_no_forever(tmp_path: Path) -> None:
    path = village(tmp_path, RAIN.replace("<avatarList>", f'<avatarList a="{"x" * (3 * MAX_TAG)}'))
    with pytest.raises(DataError, match="a tag is not closed"):
        read(path)


def test_a_japanese_encoding_is_read_as_the_file_declares_it() -> None:
    path = FIXTURES / "jinro_bbs/shift_jis.input.xml"
    assert Source.open(path).encoding == "cp932"
    tally = Tally()
    assert "よく降るね" in read(path, tally)[0].turns[0].text
    assert tally.notes == []


def test_an_event_that_is_not_known_is_told_to_nobody() -> None:
    [conversation] = read(FIXTURES / "jinro_bbs/rain.input.xml")
    game = game_of(conversation)
    assert "秘密の合図" not in repr(game.events)
    assert "秘密の合図" in repr(game.facts["other_events"])
    assert [turn.channel for turn in conversation.turns if turn.text == "よし。"] == ["thought"]


# The Mafia Dataset


def test_a_table_without_its_columns_names_them(tmp_path: Path) -> None:
    path = tmp_path / "info.csv"
    path.write_text("when,what\n1,2\n")
    with pytest.raises(DataError) as caught:
        read(path, format="mafia_tables")
    assert (
        str(caught.value)
        == f"{path}, line 1: the info table lacks originid, contents (found: when, what). Rename the columns."
    )


def test_columns_may_have_plainer_names(tmp_path: Path) -> None:
    (tmp_path / "node.csv").write_text("id,name,role\n1,Amy,mafioso\n2,Ben,bystander\n")
    (tmp_path / "info.csv").write_text("speaker,text\nAmy,Hello\nBen,Hi: all\n")
    [conversation] = read(tmp_path / "info.csv", format="mafia_tables")
    assert [(turn.speaker, turn.text, turn.channel) for turn in conversation.turns] == [
        ("Amy", "Hello", ""),
        ("Ben", "Hi: all", ""),
    ]
    assert [player.role for player in game_of(conversation).players] == ["WEREWOLF", "VILLAGER"]


def test_a_quote_that_is_not_closed_swallows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "info.csv"
    path.write_text('speaker,text\nAmy,"Hello\nBen,Hi\n')
    with pytest.raises(DataError, match=r"not a readable table \(unexpected end of data\)"):
        read(path, format="mafia_tables")


def test_at_night_bystanders_are_heard_by_nobody() -> None:
    [conversation] = read(FIXTURES / "mafia_tables/game.input.d")
    assert [(turn.speaker, turn.channel) for turn in conversation.turns[:3]] == [
        ("Dan Pry", "thought"),
        ("Ben Low", "whisper"),
        ("Amy Fox", ""),
    ]
