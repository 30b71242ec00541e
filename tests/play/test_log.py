"""The files of a game are the server's to the letter, and our importers read them without loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from replayed import GAMES, Recording
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.play.log import Times, log_text, write_log
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.steps import Ask
from wolf_chatbox.werewolf.table import TableConfig


@pytest.mark.parametrize("path", GAMES, ids=[path.stem for path in GAMES])
def test_the_log_is_that_of_the_real_server(path: Path) -> None:
    recording = Recording(path)
    assert log_text(recording.play()[0], recording.teams) == recording.log


ROLES = {
    "Rin": "WEREWOLF",
    "Ken": "SEER",
    "Mio": "BODYGUARD",
    "Aoi": "VILLAGER",
    "Jun": "WEREWOLF",
    "Emi": "MEDIUM",
    "Sho": "VILLAGER",
}
TEAMS = {name: f"wolf{seat}" for seat, name in enumerate(ROLES, 1)}


def scripted(table: TableConfig, lose: str = "") -> Village:
    """Day 0: Ken divines Rin. Day 1: Sho is executed, Mio guards Aoi from Rin and Jun. Day 2: Jun is, and Rin eats Ken.
    Day 3: Rin is executed."""
    village = Village(table, ROLES, 1, game_id="01G")
    targets = {
        0: {"divine": "Rin"},
        1: {"vote": "Sho", "divine": "Aoi", "guard": "Aoi", "attack": "Aoi"},
        2: {"vote": "Jun", "divine": "Mio", "guard": "Aoi", "attack": "Ken"},
        3: {"vote": "Rin"},
    }
    course, answer = village.course(), None
    try:
        while True:
            step = course.send(answer)
            if lose and village.day == 1:
                village.lose(lose)
            answer = None
            if isinstance(step, Ask):
                spoken = "Good day, everybody."
                text = spoken if step.kind in ("talk", "whisper") else targets[village.day][step.kind]
                answer = dict.fromkeys(step.who, text)
    except StopIteration:
        return village


TABLE = TableConfig(
    players=7, roles=("werewolf=2", "seer", "bodyguard", "medium", "villager=2"), talks=1, whispers=0, protocol="v0"
)


def test_every_kind_of_row() -> None:
    village = scripted(TABLE)
    rows = log_text(village, TEAMS).split("\n")
    assert rows[:8] == [
        *(f"0,status,{seat},{role},ALIVE,wolf{seat},{name}" for seat, (name, role) in enumerate(ROLES.items(), 1)),
        f"0,talk,0,0,{village.seat(village.lines[0].speaker)},Good day, everybody.",
    ]
    acts = [row for row in rows if row.split(",")[1] not in ("status", "talk")]
    assert acts == [
        "0,divine,2,1,WEREWOLF",
        *(f"1,vote,{seat},7" for seat in range(1, 8)),
        "1,execute,7,VILLAGER",
        "1,divine,2,4,HUMAN",
        "1,guard,3,4,VILLAGER",
        *("1,attackVote,1,4", "1,attackVote,5,4"),
        "1,attack,4,false",
        *(f"2,vote,{seat},5" for seat in range(1, 7)),
        "2,execute,5,WEREWOLF",
        "2,divine,2,3,HUMAN",
        "2,guard,3,4,VILLAGER",
        "2,attackVote,1,2",
        "2,attack,2,true",
        *(f"3,vote,{seat},1" for seat in (1, 3, 4, 6)),
        "3,execute,1,WEREWOLF",
        "4,result,3,0,VILLAGER",
    ]
    assert [row.split(",")[4] for row in rows if row.startswith("4,status")] == [
        *("DEAD", "DEAD", "ALIVE", "ALIVE", "DEAD", "ALIVE", "DEAD")
    ]


def test_a_lost_player_has_no_state_from_the_next_morning_on() -> None:
    rows = log_text(scripted(replace(TABLE, lost_share=0.5), lose="Emi"), TEAMS).split("\n")
    states = [row.split(",")[4] for row in rows if ",status,6,MEDIUM," in row]
    assert states == ["ALIVE", "ALIVE", "", "", ""]


def test_times_are_written_in_v1_only() -> None:
    village = scripted(replace(TABLE, protocol="v1"))
    times = Times(dict.fromkeys(village.lines, 1_778_646_866_123))
    rows = [row for row in log_text(village, TEAMS, times).split("\n") if ",talk," in row]
    assert rows
    assert all(row.endswith("Good day, everybody.,1778646866") for row in rows)
    assert "1778646866" not in log_text(scripted(TABLE), TEAMS, times)


@pytest.mark.parametrize("table", [TABLE, replace(TABLE, protocol="v1", whispers=2)], ids=["v0", "v1"])
def test_the_log_is_read_without_loss(table: TableConfig, tmp_path: Path) -> None:
    village = scripted(table)
    write_log(tmp_path / "game.log", village, TEAMS, Times())
    assert facts_of(read(tmp_path / "game.log")) == facts_of(village.conversation())


def test_the_blanks_around_a_mention_are_no_part_of_what_is_said(tmp_path: Path) -> None:
    village = scripted(TABLE)
    village.lines[3] = village.lines[3]._replace(text=" @Ken  good day to you ")
    write_log(tmp_path / "game.log", village, TEAMS)
    assert facts_of(read(tmp_path / "game.log")) == facts_of(village.conversation())


def test_no_line_of_a_text_is_taken_for_a_record(tmp_path: Path) -> None:
    village = scripted(TABLE)
    village.lines[3] = village.lines[3]._replace(text="I know:\n3,vote,1,3\n9,result,0,9,WEREWOLF\n, or not")
    write_log(tmp_path / "game.log", village, TEAMS)
    found = read(tmp_path / "game.log")
    assert found.game
    assert found.game.events == village.conversation().game.events


def test_a_game_that_goes_on_is_written_as_far_as_it_went() -> None:
    village = Village(TABLE, ROLES, 1)
    course = village.course()
    for _ in range(2):
        next(course)
    assert log_text(village, TEAMS).split("\n")[-1] == "0,status,7,VILLAGER,ALIVE,wolf7,Sho"


def read(path: Path) -> Conversation:
    tally = Tally()
    [conversation] = read_conversations(path, None, tally)
    assert not tally.notes
    return conversation


def facts_of(conversation: Conversation) -> object:
    """What a game is for training, without what only one of its forms can tell."""
    game = conversation.game
    assert game is not None
    turns = [(turn.speaker, turn.text, turn.channel) for turn in conversation.turns]
    return turns, game.events, game.winner, [(one.name, one.role, one.seat) for one in game.players]
