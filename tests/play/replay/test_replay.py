"""A recorded game as a page: every step is there, nothing is told before its time, and texts stay texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from playwright.sync_api import Page

from browsing import browser, visit  # noqa: F401
from games import DATA, games, told
from wolf_chatbox.cli.werewolf.replay import replay
from wolf_chatbox.conversation import Conversation, Turn, write_conversations
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.play.replay.config import ReplayConfig
from wolf_chatbox.play.replay.frames import frames
from wolf_chatbox.play.replay.page import to_html
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.table import TableConfig

NAMES = ("Ann", "Ben", "Cid", "Dot", "Eve")


def played(seed: int = 1) -> Village:
    table = TableConfig()
    village = Village(table, deal(table, NAMES, seed), seed, game_id=f"g{seed}")
    village.think("Ann", "I wait.")
    return Moderator(village, {name: ChancePlayer(f"{seed} {name}") for name in NAMES}).lead()


@given(games())
@settings(max_examples=60, deadline=None)
def test_every_turn_of_any_game_is_a_step_in_its_order(game: Conversation) -> None:
    said = [(frame.who, frame.text) for frame in frames(game) if frame.kind in ("talk", "whisper", "thought", "grave")]
    assert said == [(turn.speaker, turn.text) for turn in game.turns]


def test_suspicion_adds_up_and_a_step_knows_nothing_of_later_ones() -> None:
    whole = played().conversation()
    steps = list(frames(whole))
    for step in steps:
        assert step.suspicion is not None
        assert sum(step.suspicion) == pytest.approx(1)
    assert whole.game is not None
    half = Conversation(whole.turns[:4], whole.group, whole.game.kept(range(4)))
    assert list(frames(half))[:4] == steps[:4]


def test_the_thoughts_of_our_games_stand_where_they_were_thought() -> None:
    first = next(frames(played().conversation()))
    assert (first.kind, first.who, first.text) == ("thought", "Ann", "I wait.")


def test_the_first_day_has_its_number() -> None:
    first = next(frames(played().conversation()))
    assert first.day == 0
    assert first.to_dict()["day"] == 0


def test_a_game_with_other_roles_has_no_suspicion() -> None:
    from dataclasses import replace

    game = told()
    assert game.game is not None
    players = tuple(replace(player, role="FOX") if player.name == "Jun" else player for player in game.game.players)
    assert all(step.suspicion is None for step in frames(replace(game, game=replace(game.game, players=players))))


def test_a_text_cannot_become_a_part_of_the_page() -> None:
    game = told()
    bad = Turn("Rin", "</script><script>alert(1)</script> <b>&amp;")
    text = to_html(Conversation((*game.turns, bad), "<i>g</i>", game.game), "en")
    data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["frames"][-1]["text"] == bad.text or bad.text in [
        frame.get("text") for frame in json.loads(data[1])["frames"]
    ]
    assert "alert(1)</script>" not in text
    assert "<i>g</i>" not in text


def test_a_log_becomes_a_file_beside_you(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "two.jsonl").open("w") as file:
        write_conversations([played(1).conversation(), played(2).conversation()], file)
    assert replay(ReplayConfig("two.jsonl", game=2)) == 0
    assert "g2" in (tmp_path / "two.html").read_text()
    with pytest.raises(DataError, match="fewer than 3"):
        replay(ReplayConfig("two.jsonl", game=3))
    (tmp_path / "chat.jsonl").write_text('{"turns": [{"speaker": "A", "text": "hi"}]}\n')
    with pytest.raises(DataError, match="no game"):
        replay(ReplayConfig("chat.jsonl"))


@pytest.mark.skipif(not DATA.is_dir(), reason="the contest's logs are not here")
def test_the_contests_logs_can_be_replayed() -> None:
    for path in sorted(DATA.glob("aiwolf_nlp_viewer/*/*1.log"))[::6]:
        [game] = read_conversations(path)
        assert len(list(frames(game))) > len(game.turns)
        assert "<title>" in to_html(game, "ja")


@pytest.mark.slow
def test_a_person_steps_through_a_game(visit: Callable[..., Page], tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "game.html"
    file.write_text(to_html(told(), "en"), encoding="utf-8")
    page = visit(file.as_uri())
    course, role = page.locator("#course"), page.locator(".role").first
    assert "Jun it is." not in course.inner_text()
    page.keyboard.press("End")
    assert "Jun it is." in course.inner_text()
    assert "the village won" in page.locator("#won").inner_text().casefold()
    assert role.inner_text() == "werewolf"
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert "Jun it is." not in course.inner_text()
    assert role.inner_text() == ""
    page.keyboard.press("r")
    assert "Jun it is." in course.inner_text()
    assert role.inner_text() == "werewolf"
