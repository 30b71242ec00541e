"""A vote between two runs in a chat: blind until it is cast, and kept in a form that others read."""

from __future__ import annotations

import random
import stat
from pathlib import Path
from typing import Any

import pytest

from scripted import talk, voice
from told import Told, carry_out
from wolf_chatbox.cli.chat import rivals_of
from wolf_chatbox.config import ChatConfig, SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.preferences import Preference, read_preferences
from wolf_chatbox.errors import ChatError
from wolf_chatbox.evaluate.judging.votes import read_votes
from wolf_chatbox.model.character import Character
from wolf_chatbox.talk.commands import Commands
from wolf_chatbox.talk.comparison import Ballot, Better, Rivals, ballot
from wolf_chatbox.talk.face import Face


def rivals(tokenizer: Any, kept: list[tuple[Ballot, str]], *replies: str, **settings: Any) -> Rivals:
    def load(run: str) -> tuple[str, Character]:
        other = voice(tokenizer, *replies, **settings)
        other.engine.close = lambda: None
        return run, Character(other, "Rick", "Morty", SamplingConfig())

    def keep(cast: Ballot, better: str) -> Path:
        kept.append((cast, better))
        return Path("votes.jsonl")

    return Rivals("rick", load, keep)


@pytest.mark.parametrize("answer", ["1", "2", "=", ""])
def test_a_vote_is_blind_until_it_is_cast(tokenizer: Any, answer: str) -> None:
    told, kept = Told(answer), list[tuple[Ballot, str]]()
    session = talk(tokenizer, "first", "mine")
    commands = Commands(session, told, rivals=rivals(tokenizer, kept, "theirs"))
    carry_out(commands, "hello")
    before = session.tree
    carry_out(commands, "/compare other")
    asked = told.lines.index("Which is better? 1, 2, = neither; Enter skips: ")
    assert not any("other" in line for line in told.lines[:asked])
    shown = [line.partition(": ")[2] for line in told.lines[asked - 2 : asked]]
    assert sorted(shown) == ["mine", "theirs"]
    names = [{"mine": "rick", "theirs": "other"}[text] for text in shown]
    assert told.lines[-1].startswith(f"1 was {names[0]}, 2 was {names[1]}.")
    assert session.tree is before
    better = {"1": "first", "2": "second", "=": "tie"}.get(answer)
    assert [vote for _, vote in kept] == ([better] if better else [])
    for cast, _ in kept:
        assert cast.context == (Turn("Morty", "hello"),)
        assert [cast.first, cast.second] == list(zip(names, shown))


def test_votes_are_kept_in_the_form_that_others_read(tmp_path: Path) -> None:
    kept = rivals_of(ChatConfig(home=tmp_path / "home"), "rick", print).keep
    asked = Ballot((Turn("Morty", "hello"),), "Rick", ("rick", "mine"), ("other", "theirs"))
    votes: tuple[Better, ...] = ("second", "tie")
    for better in votes:
        place = kept(asked, better)
    assert place == tmp_path / "home" / "votes" / "terminal.jsonl"
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    [tie] = read_votes([place])
    assert tie.points() == {"rick": 0.5, "other": 0.5}, "the last vote about a pair counts"
    chosen, nothing = read_preferences(place)
    assert chosen == Preference(asked.context, Turn("Rick", "theirs"), Turn("Rick", "mine"))
    assert nothing is None


def test_both_orders_are_shown(tokenizer: Any) -> None:
    session, other = talk(tokenizer, "hm", "mine"), voice(tokenizer, "theirs")
    session.reply("hello")
    orders = {
        ballot(session, "rick", "other", Character(other, "Rick", "Morty", SamplingConfig()), random.Random(seed)).first
        for seed in range(20)
    }
    assert orders == {("rick", "mine"), ("other", "theirs")}


def test_a_run_that_knows_nobody_here_reads_its_own_names(tokenizer: Any) -> None:
    session = talk(tokenizer, "hm")
    session.reply("hello")
    other = voice(tokenizer, "Hear, hear.", speakers={"Ann": 3, "Bob": 2})
    ballot(session, "rick", "ann", Character(other, "Ann", "Bob", SamplingConfig()), random.Random(0))
    [prompt] = other.engine.prompts
    text = tokenizer.decode(prompt)
    assert "Ann:" in text
    assert "Bob: hello" in text
    assert "Rick" not in text


def test_a_comparison_needs_somebody_to_ask_a_run_and_a_message(tokenizer: Any) -> None:
    told = Told()
    session = talk(tokenizer, "hm")
    with pytest.raises(ChatError, match="terminal only"):
        Commands(session, Face(print)).answer("/compare other")
    commands = Commands(session, told, rivals=rivals(tokenizer, [], "hm"))
    with pytest.raises(ChatError, match="give a trained model's folder"):
        commands.answer("/compare")
    with pytest.raises(ChatError, match="no message yet"):
        commands.answer("/compare other")
    session.reply("hello")
    carry_out(commands, "/compare")
    assert told.lines[-1] == "Both say the same: hm"
