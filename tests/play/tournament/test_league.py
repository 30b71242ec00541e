"""The same games come out of any number of workers, of a run that was stopped, and of threads."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tournaments import order, played
from wolf_chatbox.errors import CheckpointError, ConfigError
from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.tournament import league
from wolf_chatbox.play.tournament.league import Record, play
from wolf_chatbox.play.tournament.outcome import Outcome

GAMES = range(12)


def test_two_workers_play_the_games_that_one_plays() -> None:
    both = order(("rules", "random"))
    one, two = (sorted(play(both, GAMES, workers), key=lambda outcome: outcome.game) for workers in (1, 2))
    assert one == two
    assert [outcome.game for outcome in one] == list(GAMES)


def test_threads_play_the_same_games(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(league, "thinks", lambda order: True)
    found = sorted(play(order(), GAMES, 3), key=lambda outcome: outcome.game)
    monkeypatch.undo()
    assert found == list(play(order(), GAMES))


def test_who_stops_listening_stops_the_games(monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[int] = []
    real = league.play_chunk
    monkeypatch.setattr(league, "thinks", lambda order: True)
    monkeypatch.setattr(
        league, "play_chunk", lambda order, games, *rest: began.extend(games) or real(order, games, *rest)
    )
    games = play(order(), range(10_000), 2)
    assert next(games)
    games.close()
    assert len(began) < 10_000


def test_a_tournament_that_was_killed_goes_on(tmp_path: Path) -> None:
    record = Record(tmp_path / "games", order())
    with record.open() as found:
        assert not found
        for outcome in islice(play(record.order, GAMES), 5):
            record.add(outcome)
    with record.games.open("ab") as file:  # killed while it wrote the sixth game
        file.write(b'{"game": 5, "players": ["ran')
    with record.open() as found:
        assert sorted(found) == [0, 1, 2, 3, 4]
        for outcome in play(record.order, [game for game in GAMES if game not in found]):
            record.add(outcome)
    assert list(record.read().values()) == list(play(order(), GAMES))


def test_games_of_other_settings_are_not_mixed(tmp_path: Path) -> None:
    record = Record(tmp_path / "games", order())
    with record.open():
        record.add(next(play(record.order, [0])))
    other = Record(tmp_path / "games", order(players=9))
    with pytest.raises(CheckpointError, match=r"holds games of other table.*--fresh"), other.open():
        pass
    with other.open(fresh=True) as found:
        assert not found


def test_a_tournament_without_a_game_is_not_in_the_way(tmp_path: Path) -> None:
    with Record(tmp_path / "games", order()).open():
        pass
    other = Record(tmp_path / "games", order(players=9))
    with other.open():
        other.add(next(play(other.order, [0])))
    with pytest.raises(CheckpointError, match="games of other table"), Record(tmp_path / "games", order()).open():
        pass


def test_games_without_their_conversations_are_played_again_where_these_are_wanted(tmp_path: Path) -> None:
    record = Record(tmp_path / "games", order())
    with record.open():
        record.add(next(play(record.order, [0])))
    with Record(tmp_path / "games", order(keep=True)).open() as found:
        assert not found


def test_who_is_no_player_is_told_before_a_game() -> None:
    with pytest.raises(ConfigError, match="is no player"):
        next(play(order(["nobody"]), GAMES))


@given(game=st.integers(0, 500), size=st.sampled_from([5, 9, 13]))
def test_what_is_kept_tells_who_lived_and_who_won(game: int, size: int) -> None:
    [outcome] = played(1, first=game, players=size)
    assert Outcome.from_dict(json.loads(json.dumps(outcome.to_dict())), "here") == outcome
    alive = outcome.alive(outcome.days + 1)
    wolves = sum(outcome.roles[seat] == WEREWOLF for seat in alive)
    assert outcome.winner == ("WEREWOLF" if wolves else "VILLAGER")
    assert not wolves or 2 * wolves >= len(alive)
    for day, voter, _ in outcome.votes:
        assert voter in outcome.alive(day)
    for day, actor, target in (*outcome.divinations, *outcome.guards, *outcome.attack_votes):
        assert {actor, target} <= outcome.alive_at_night(day)
