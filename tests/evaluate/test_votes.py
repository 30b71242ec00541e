"""Pairs, votes, and what they say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from judged import study, vote
from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.preferences import read_preferences
from wolf_chatbox.errors import CheckpointError, DataError
from wolf_chatbox.evaluate.entries import Answer
from wolf_chatbox.evaluate.judging.pairs import pairs
from wolf_chatbox.evaluate.judging.ranking import agreements, bradley_terry, cohens_kappa, ranking
from wolf_chatbox.evaluate.judging.votes import Vote, add_vote, not_voted, read_votes

# Agresti, "Categorical Data Analysis", the American League of 1987: games that the row won against the column.
TEAMS = ["Milwaukee", "Detroit", "Toronto", "New-York", "Boston", "Cleveland", "Baltimore"]
WON = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]
PUBLISHED = [1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.0]


def test_every_two_entries_meet_equally_often_and_in_all_conversations() -> None:
    found = pairs(study(), 60)
    assert set(Counter(frozenset({pair.first.entry, pair.second.entry}) for pair in found).values()) == {10}
    for one in ("good", "poor"):
        first = [pair for pair in found if {pair.first.entry, pair.second.entry} == {one, "base"}][:3]
        assert {pair.conversation for pair in first} == {0, 1, 2}


def test_the_pairs_are_the_same_for_everybody_and_the_sides_change() -> None:
    assert pairs(study()) == pairs(study())
    assert pairs(study(), 7) == pairs(study())[:7]
    sides = Counter(pair.first.entry for pair in pairs(study(8, 8, ("good", "base"))))
    assert min(sides["good"], sides["base"]) > 15


def test_equal_replies_are_no_pair() -> None:
    base = study(entries=("good", "base"))
    good, other = base.entries
    same = replace(base, entries=(good, replace(other, answers=[Answer(f" {one.text}\n") for one in good.answers])))
    assert pairs(base)
    assert not pairs(same)


@pytest.mark.parametrize("choice", ["first", "second", "tie"])
def test_a_vote_comes_back_as_it_was(tmp_path: Path, choice: str) -> None:
    cast = vote("good", "base", choice, voter="アン\u2028", conversation=3)  # type: ignore[arg-type]
    add_vote(tmp_path / "votes.jsonl", cast)
    [found] = read_votes([tmp_path / "votes.jsonl"])
    assert found.points() == cast.points()
    assert (found.pair.key(), found.pair.conversation, found.voter) == (cast.pair.key(), 3, "アン\u2028")


def test_a_vote_has_the_form_that_preferences_are_learnt_from() -> None:
    form = vote("good", "base", "second").to_dict()
    assert form["prompt"] == [{"role": "user", "name": "Traveller", "content": "question 0"}]
    assert form["chosen"] == [{"role": "assistant", "name": "Grimbold", "content": "base says 0"}]
    assert form["rejected"] == [{"role": "assistant", "name": "Grimbold", "content": "good says 0"}]
    assert (form["chosen_by"], form["rejected_by"]) == ("base", "good")
    tie = vote("good", "base", "tie").to_dict()
    assert "chosen" not in tie
    assert "rejected" not in tie


def test_preference_learning_reads_the_file_and_leaves_ties_out(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    for at, choice in enumerate(("second", "tie")):
        add_vote(path, vote("good", "base", choice, at))  # type: ignore[arg-type]
    learnt, tie = read_preferences(path)
    assert learnt is not None
    assert (learnt.chosen.text, learnt.rejected.text) == ("base says 0", "good says 0")
    assert tie is None


def test_votes_go_on_where_they_were_left(tmp_path: Path) -> None:
    path, asked = tmp_path / "votes.jsonl", pairs(study(), 6)
    for pair in asked[:2]:
        add_vote(path, Vote(pair.swapped(), "first", "ann"))
    add_vote(path, Vote(asked[2], "first", "bob"))
    assert not_voted(asked, read_votes([path]), "ann") == asked[2:]


def test_the_last_vote_of_a_voter_about_a_pair_counts(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    for cast in (
        vote("good", "base", "first"),
        vote("base", "good", "first"),
        vote("good", "base", "tie", voter="bob"),
    ):
        add_vote(path, cast)
    votes = read_votes([path])
    assert [(cast.voter, cast.points()["base"]) for cast in votes] == [("ann", 1.0), ("bob", 0.5)]


def test_who_gave_no_name_is_called_as_the_file(tmp_path: Path) -> None:
    add_vote(tmp_path / "carol.jsonl", vote("good", "base", "first", voter=""))
    assert [cast.voter for cast in read_votes([tmp_path / "carol.jsonl"])] == ["carol"]


def test_a_line_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text(json.dumps(vote("good", "base", "first").to_dict()))  # no line end
    add_vote(path, vote("good", "base", "second", at=1))
    assert len(read_votes([path])) == 2


@pytest.mark.parametrize(
    "line",
    [
        '{"prompt": []}',
        "[]",
        '{"prompt": [], "chosen": [{"role": "assistant", "content": "a"}], "rejected": []}',
        '{"prompt": 3, "tied": [1, 2], "tied_by": ["a", "b"]}',
        '{"prompt": [], "chosen": [{"role": "a", "content": "b"}], "rejected": [{"role": "a", "content": "c"}]}',
    ],
)
def test_what_is_no_vote_is_told_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "votes.jsonl").write_text(f"\n{line}\n")
    with pytest.raises(DataError, match="line 2: no vote of an evaluation"):
        read_votes([tmp_path / "votes.jsonl"])


def test_a_place_that_takes_no_votes_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be written"):
        add_vote(tmp_path, vote("good", "base", "first"))
    with pytest.raises(DataError, match="cannot be read"):
        read_votes([tmp_path / "none.jsonl"])


def test_the_scores_are_those_that_were_published() -> None:
    scores = bradley_terry(np.array(WON, float), prior=0)
    assert np.round(scores - scores[-1], 2).tolist() == PUBLISHED


def test_the_better_entry_has_the_higher_score_and_who_never_lost_a_finite_one() -> None:
    votes = [vote("good", "base", "first", at, conversation=at % 5) for at in range(20)]
    votes += [vote("poor", "base", "tie", at, conversation=at % 5) for at in range(20)]
    found = {rank.entry: rank for rank in ranking(votes)}
    assert ranking(votes)[0].entry == "good"
    assert (found["good"].wins, found["base"].losses, found["poor"].ties) == (20, 20, 20)
    good, base = found["good"].score, found["base"].score
    assert np.isfinite(good.value)
    assert good.low is not None
    assert base.high is not None
    assert good.low > base.high


def test_votes_without_a_winner_leave_all_equal() -> None:
    votes = [vote("good", "base", choice, at, conversation=at) for at, choice in enumerate(["first", "second"] * 6)]  # type: ignore[arg-type]
    one, other = ranking(votes)
    assert one.score.value == pytest.approx(other.score.value)
    assert one.score.low is not None
    assert one.score.low < 0 < (one.score.high or 0)


def test_few_conversations_have_no_interval_and_no_vote_no_rank() -> None:
    assert {
        rank.score.low for rank in ranking([vote("good", "base", "first", at, conversation=at) for at in range(4)])
    } == {None}
    assert ranking([]) == []
    assert agreements([]) == []


def test_cohens_kappa_of_the_textbook() -> None:
    """Two readers of 50 grant proposals: 20 both yes, 15 both no, 5 and 10 apart: 0.4."""
    both = [("y", "y")] * 20 + [("n", "n")] * 15 + [("y", "n")] * 5 + [("n", "y")] * 10
    share, kappa = cohens_kappa(both)
    assert share == 0.7
    assert kappa == pytest.approx(0.4)
    assert cohens_kappa([("y", "y")]) == (1.0, None)


def test_agreement_does_not_depend_on_which_reply_was_shown_first() -> None:
    ann = [vote("good", "base", "first" if at % 3 else "second", at) for at in range(9)]
    bob = [Vote(one.pair.swapped(), "second" if one.choice == "first" else "first", "bob") for one in ann]
    against = [Vote(one.pair, "second" if one.choice == "first" else "first", "judge:m") for one in ann]
    found = {(one.voter, one.other): one for one in agreements([*ann, *bob, *against])}
    assert found["ann", "the other people"].share == 1
    assert found["ann", "the other people"].kappa == 1
    judged = found["judge:m", "people"]
    assert judged.pairs == 18
    assert judged.share == 0
    assert judged.kappa is not None
    assert judged.kappa < 0
    assert ("ann", "people") not in found


def test_three_people_are_compared_two_by_two() -> None:
    votes = [vote("good", "base", "first", at, voter) for voter in ("ann", "bob", "cy") for at in range(3)]
    assert {(one.voter, one.other) for one in agreements(votes)} >= {("ann", "bob"), ("ann", "cy"), ("bob", "cy")}


def test_a_name_in_a_prompt_is_the_speaker(tmp_path: Path) -> None:
    form = vote("good", "base", "first").to_dict()
    assert Vote.from_dict(form, "x").pair.context == (Turn("Traveller", "question 0"),)
