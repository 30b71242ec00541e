"""The blind vote on a terminal."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from judged import study
from wolf_chatbox.evaluate.judging.blind import vote
from wolf_chatbox.evaluate.judging.pairs import Pair, Reply, pairs
from wolf_chatbox.evaluate.judging.votes import add_vote, not_voted, read_votes
from wolf_chatbox.screen import Screen


def voted(asked: list[Pair], typed: str, path: Path, done: int = 0) -> tuple[int, str]:
    """How many votes were cast by some keys, and what was shown."""
    screen = Screen(file=StringIO(), width=60)
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text(typed)
        cast = vote(asked, "ann", screen, lambda one: add_vote(path, one), done)
    return cast, screen.file.getvalue()  # type: ignore[attr-defined]


def test_each_key_is_its_vote_and_is_saved_at_once(tmp_path: Path) -> None:
    path, asked = tmp_path / "votes.jsonl", pairs(study(), 10)
    cast, shown = voted(asked, "12=s1\x03", path)
    assert cast == 4
    first, second, tie, fourth = read_votes([path])
    assert first.points()[asked[0].first.entry] == second.points()[asked[1].second.entry] == 1
    assert tie.choice == "tie"
    assert fourth.pair.key() == asked[4].key()
    assert not_voted(asked, read_votes([path]), "ann") == [asked[3], *asked[5:]]
    assert "1 of 10" in shown
    assert "6 of 10" in shown


def test_other_keys_mean_nothing_and_q_leaves(tmp_path: Path) -> None:
    cast, shown = voted(pairs(study(), 3), "x\r 3q", tmp_path / "votes.jsonl", done=5)
    assert cast == 0
    assert not (tmp_path / "votes.jsonl").exists()
    assert "6 of 8" in shown
    assert "7 of 8" not in shown


def test_the_vote_is_blind_and_obeys_no_control_codes(tmp_path: Path) -> None:
    [pair] = pairs(study(1, 1, ("good", "base")))
    pair = pair._replace(first=Reply("good", "\x1b[31m[bold]red"), second=Reply("base", ""))
    _, shown = voted([pair], "q", tmp_path / "votes.jsonl")
    assert "␛[31m[bold]red" in shown
    assert "(nothing)" in shown
    assert "\x1b" not in shown
    assert not any(name in shown for name in ("good", "base"))
