"""Self-play is training data: importers read it, views learn whom they should, a dry run takes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tournaments import Chatty, Named, order
from wolf_chatbox.cli import app, run
from wolf_chatbox.data.preferences import read_preferences
from wolf_chatbox.game import SIDES
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.play.casting import Cast
from wolf_chatbox.play.tournament.forks import MARGIN, Tape, context_of, fork, play_on
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.scene import Scene
from wolf_chatbox.training.loop import train
from wolf_chatbox.werewolf.sight import SPEECH, Kind, Sight
from wolf_chatbox.werewolf.views import view


def selfplay(*arguments: str) -> int:
    return run(lambda: app.meta(["werewolf", "selfplay", *arguments], exit_on_error=False, print_error=False), {})


def test_the_games_are_read_with_everything_that_was_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "games.jsonl"
    assert selfplay("random", "--games", "6", "-o", str(file)) == 0
    games = list(read_conversations([str(file)]))
    assert len({game.group for game in games}) == 6
    for each in games:
        assert each.game is not None
        assert each.game.winner
        assert each.turns
        assert {player.facts["team"] for player in each.game.players} == {"random"}
        assert not any(player.context for player in each.game.players)
    assert not (tmp_path / "games.jsonl.unfinished").exists()
    assert "6 games are in" in capsys.readouterr().err


def test_of_games_kept_for_their_winners_only_these_are_learnt(tmp_path: Path) -> None:
    file = tmp_path / "games.jsonl"
    assert selfplay("random", "--games", "6", "--keep", "winners", "-o", str(file)) == 0
    for each in read_conversations([str(file)]):
        assert each.game is not None
        won = {player.name for player in each.game.players if SIDES[player.role] == each.game.winner}
        scenes = view(each, "player")
        assert {name for scene in scenes for name in scene.learners or ()} == won & each.speakers()
        assert {turn.speaker for scene in scenes for turn in scene.turns} >= each.speakers()  # the losers are context


@pytest.mark.parametrize("keep", ["all", "winners"])
def test_a_dry_run_takes_the_games(
    keep: str, config: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "games.jsonl"
    assert selfplay("random", "--games", "4", "--keep", keep, "-o", str(file)) == 0
    told: list[Any] = []
    train(config(data=(str(file),), dry_run=True, style="named", validation_share=0), told.append)
    assert told


class Hopeful(Chatty):
    """Gives up or fights, and votes for whoever gave up."""

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if kind in SPEECH:
            return self._chance.choice(("I give up.", "I fight.")) if sight.left == sight.table.talks else "Over"
        quitters = [line.speaker for line in sight.said() if line.text == "I give up." and line.speaker in sight.alive]
        return quitters[0] if quitters else super().answer(kind, sight)


def test_the_line_is_chosen_after_which_the_side_wins_more_often() -> None:
    chosen = [fork(order(("ann",)), game, Named(ann=Hopeful), 8) for game in range(30)]
    found = [choice for choice in chosen if choice is not None]
    assert found
    for choice in found:
        assert choice.chosen.speaker == choice.rejected.speaker
        assert {choice.chosen.text, choice.rejected.text} == {"I give up.", "I fight."}
        assert choice.context[0].text.startswith("You are ")
    assert sum(choice.chosen.text == "I fight." for choice in found) > len(found) / 2


def test_lines_that_change_nothing_are_not_told_apart_often() -> None:
    assert 0 < MARGIN < 1
    same = [fork(order(("ann",)), game, Named(), 16) for game in range(12)]
    assert sum(choice is not None for choice in same) <= 3


def test_a_game_on_a_tape_goes_as_before() -> None:
    whole = Tape()
    first = play_on(order(("ann",)), 0, Named(), whole, "first")
    replies = [asked.reply for asked in whole.asked]
    half = Tape(replies[:9])
    second = play_on(order(("ann",)), 0, Named(), half, "other")
    assert [asked.reply for asked in half.asked[:9]] == replies[:9]
    assert second.lines[:9] == first.lines[:9]
    assert play_on(order(("ann",)), 0, Named(), Tape(replies), "third").lines == first.lines


def test_the_context_of_a_choice_is_the_prompt_of_the_game(tokenizer: Any) -> None:
    tape = Tape([None] * 3)
    play_on(order(("ann",)), 0, Named(), tape, "first", lambda: len(tape.asked) > 3)
    scene = tape.scene
    assert scene is not None
    assert scene.opening
    assert scene.speaker
    renderer = make_renderer(tokenizer, "named", None, "", scene.speakers())
    choice = Scene(context_of(scene), scene.speaker)
    assert renderer.prompt(choice, 2000) == renderer.prompt(scene, 2000)


def test_the_command_writes_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cast, "make", lambda self, name, setting="": Hopeful)
    games, choices = tmp_path / "games.jsonl", tmp_path / "choices.jsonl"
    assert selfplay("random", "--games", "10", "-o", str(games), "--preferences", str(choices)) == 0
    found = list(read_preferences(choices))
    assert found
    assert all(found)
    assert json.loads(choices.read_text().splitlines()[0])["prompt"]
