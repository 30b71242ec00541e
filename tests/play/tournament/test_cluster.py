"""On a Ray of two workers in this computer the same games and ratings come out as without it."""

from __future__ import annotations

import socket
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tournaments import order
from wolf_chatbox.errors import DataError
from wolf_chatbox.play.tournament.league import play
from wolf_chatbox.play.tournament.results import results


@pytest.fixture
def quiet() -> Iterator[None]:
    """Ray leaves sockets and files for its end to close, and tells of its own changes; neither is a fault here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_two_workers_of_ray_play_the_same_games(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.setenv(name, "0")  # put back afterwards
        monkeypatch.delenv(name)
    both = order(("rules", "random"))
    there = sorted(play(both, range(12), workers=2, ray="local"), key=lambda outcome: outcome.game)
    here = list(play(both, range(12)))
    assert there == here
    ours, theirs = results(both.contest, here), results(both.contest, there)
    assert ours["ratings"]
    assert theirs == ours
    assert not (tmp_path / ".ray").exists()


def test_without_ray_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DataError, match=r"pip install 'wolf-chatbox\[cluster\]'"):
        next(play(order(), range(3), ray="local"))


def test_an_address_at_which_nobody_listens_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DataError, match="no Ray cluster answers"):
        next(play(order(), range(3), ray=f"127.0.0.1:{port}"))
