"""Laws of the split, and finding speakers."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.split import (
    Split,
    count_speakers,
    find_speaker,
    hold_out_groups,
    hold_out_speaker,
    partner_of,
    split,
    split_in_time,
)
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import Game


def talk(group: str, *speakers: str) -> Conversation:
    return Conversation(tuple(Turn(speaker, f"{group} {at}") for at, speaker in enumerate(speakers)), group)


def weight(conversation: Conversation) -> int:
    return sum(turn.speaker == "B" for turn in conversation.turns)


talks = st.builds(talk, st.sampled_from("abcdefgh"), *[st.sampled_from("AB")] * 3)
corpora = st.lists(talks, max_size=20)
shares = st.floats(0.01, 0.99)
seeds = st.integers(0, 1000)


def groups(conversations: list[Conversation]) -> set[str]:
    return {each.group for each in conversations}


@given(corpora, shares, seeds)
def test_no_group_is_on_both_sides_and_nothing_is_lost(
    conversations: list[Conversation], share: float, seed: int
) -> None:
    assume(len(groups(conversations)) > 1)
    training, held, notice = split(conversations, share, seed)
    assert not groups(training) & groups(held)
    assert training == [each for each in conversations if each.group in groups(training)]
    assert held == [each for each in conversations if each.group in groups(held)]
    assert len(training) + len(held) == len(conversations)
    assert training
    assert held
    assert notice is None


@given(corpora, shares, seeds)
def test_the_seed_decides(conversations: list[Conversation], share: float, seed: int) -> None:
    assert split(conversations, share, seed) == split(conversations, share, seed)


def test_another_seed_holds_out_another_part() -> None:
    conversations = [talk(str(group), "A", "B") for group in range(20)]
    assert len({str(split(conversations, 0.1, seed)[1]) for seed in range(10)}) > 3


@given(corpora, seeds)
def test_share_zero_holds_nothing_out_and_says_so(conversations: list[Conversation], seed: int) -> None:
    training, held, notice = split(conversations, 0, seed)
    assert training == conversations
    assert held == []
    assert notice is not None
    assert "nothing is held out" in notice


@given(st.integers(1, 9), seeds)
def test_groups_of_one_size_are_held_out_to_the_nearest(tenths: int, seed: int) -> None:
    conversations = [talk(str(group), "A", "B") for group in range(10)]
    assert len(split(conversations, tenths / 10, seed)[1]) == tenths


@given(seeds)
def test_a_group_far_too_large_is_not_held_out(seed: int) -> None:
    conversations = [talk("large", *"AB" * 40), *(talk(str(group), *"AB" * 5) for group in range(2))]
    training, held, _ = split(conversations, 0.1, seed)
    assert "large" in groups(training)
    assert len(held) == 1


@given(corpora, shares, seeds)
def test_what_weighs_is_on_both_sides(conversations: list[Conversation], share: float, seed: int) -> None:
    heavy = {each.group for each in conversations if weight(each)}
    assume(len(heavy) > 1)
    training, held, _ = split(conversations, share, seed, weight)
    assert sum(map(weight, training)) > 0
    assert sum(map(weight, held)) > 0
    assert groups(held) <= heavy


@given(seeds)
def test_the_weights_decide_what_is_held_out(seed: int) -> None:
    # Counted in turns, the group with much to learn is the small one.
    much, little = talk("much", *"B" * 9), talk("little", "B", *"A" * 30)
    assert split([much, little], 0.1, seed)[1] == [much]
    assert split([much, little], 0.1, seed, weight)[1] == [little]


one_group = st.lists(st.lists(st.sampled_from("AB"), min_size=1, max_size=8), min_size=1, max_size=6)


def turns(conversations: list[Conversation]) -> list[Turn]:
    return [turn for each in conversations for turn in each.turns]


@given(one_group, shares, seeds)
def test_one_group_is_cut_in_time(speakers: list[list[str]], share: float, seed: int) -> None:
    conversations = [
        Conversation(tuple(Turn(speaker, f"{at} {n}") for n, speaker in enumerate(each)), "g")
        for at, each in enumerate(speakers)
    ]
    training, held, notice = split(conversations, share, seed)
    everything = turns(conversations)
    assert turns(training) + turns(held) == everything
    assert share * len(everything) <= len(turns(held)) < share * len(everything) + 1
    assert all(each.turns and each.group == "g" for each in training + held)
    assert notice is not None
    assert "last part in time" in notice


@given(one_group, shares, seeds)
def test_one_group_is_cut_by_weight(speakers: list[list[str]], share: float, seed: int) -> None:
    conversations = [
        Conversation(tuple(Turn(speaker, f"{at} {n}") for n, speaker in enumerate(each)), "g")
        for at, each in enumerate(speakers)
    ]
    total = sum(map(weight, conversations))
    assume(total)
    training, held, _ = split(conversations, share, seed, weight)
    assert turns(training) + turns(held) == turns(conversations)
    assert share * total <= sum(map(weight, held)) < share * total + 1
    assert weight(Conversation(held[0].turns[:1])) == 1, (
        "the held-out part begins with the turn that made it large enough"
    )


def test_without_anything_that_weighs_nothing_is_held_out() -> None:
    conversations = [talk("g", "A", "A"), talk("h", "A")]
    assert split(conversations, 0.5, 0, weight) == (conversations, [], None)
    assert split([], 0.5, 0) == ([], [], None)


# Speakers

SPEAKERS = Counter({"Rick": 9, "Morty": 8, "Beth": 5, "MORTY": 2, "Jerry": 2, "Summer": 1, "Straße": 1})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Rick", "Rick"),
        ("rick", "Rick"),
        ("RICK", "Rick"),
        ("MORTY", "MORTY"),
        ("morty", "Morty"),
        ("STRASSE", "Straße"),
    ],
)
def test_a_speaker_is_found_whatever_the_case(name: str, found: str) -> None:
    assert find_speaker(name, SPEAKERS) == found


def test_a_name_with_a_slip_gives_the_nearest() -> None:
    with pytest.raises(DataError) as caught:
        find_speaker("Mortie", SPEAKERS)
    assert str(caught.value).startswith("persona 'Mortie': no such speaker. Did you mean Morty")
    assert "Beth" not in str(caught.value)


def test_a_name_like_no_other_gives_those_who_speak_most() -> None:
    with pytest.raises(DataError) as caught:
        find_speaker("Xqz", SPEAKERS)
    assert (
        str(caught.value)
        == "persona 'Xqz': no such speaker. The data has Rick, Morty, Beth, MORTY, Jerry, … and 2 more."
    )


def test_count_speakers_counts_turns() -> None:
    assert count_speakers([talk("g", "A", "B", "A"), talk("h", "B", "A")]) == {"A": 3, "B": 2}


def test_the_partner_speaks_most_often_right_before_the_persona() -> None:
    conversations = [talk("g", "Bo", "Al", "Cy", "Cy", "Al", "Bo", "Al"), talk("h", "Cy", "Cy", "Cy")]
    assert partner_of("Al", conversations) == "Bo"
    assert partner_of("Cy", conversations) == "Al"


def test_neither_the_persona_itself_nor_the_system_is_a_partner() -> None:
    conversations = [talk("g", "system", "Al", "Al", "Al", "Bo", "Al"), talk("h", "system", "Al")]
    assert partner_of("Al", conversations) == "Bo"
    assert partner_of("Al", [talk("g", "system", "Al", "Al")]) is None


def test_the_end_of_one_conversation_does_not_come_before_the_next() -> None:
    assert partner_of("Al", [talk("g", "Bo"), talk("g", "Al")]) is None


# Other ways to hold out


@given(corpora, shares, st.data())
def test_what_is_held_out_in_time_comes_after_all_the_rest(
    conversations: list[Conversation], share: float, data: st.DataObject
) -> None:
    hours = data.draw(st.lists(st.integers(0, 23), min_size=len(conversations), max_size=len(conversations)))
    timed = [
        Conversation(
            tuple(Turn(turn.speaker, turn.text, datetime(2024, 5, 1, hour)) for turn in each.turns), each.group
        )
        for each, hour in zip(conversations, hours)
    ]
    training, held, notice = split_in_time(timed, share)
    assert notice is None
    assert Counter(turn for each in training + held for turn in each.turns) == Counter(
        turn for each in timed for turn in each.turns
    )
    before = [turn.time for each in training for turn in each.turns if turn.time]
    after = [turn.time for each in held for turn in each.turns if turn.time]
    assert not before or not after or max(before) <= min(after)


def test_a_speaker_is_held_out() -> None:
    conversations = [talk("a", "A", "B"), talk("b", "B"), talk("c", "A", "C")]
    assert hold_out_speaker(conversations, "a") == Split([conversations[1]], [conversations[0], conversations[2]])
    with pytest.raises(DataError, match="held-out speaker 'D': no such speaker"):
        hold_out_speaker(conversations, "D")


def test_games_are_whole_and_with_their_translations_on_each_side_in_time_too() -> None:
    def game(name: str) -> Conversation:
        return Conversation((Turn("Ann", name), Turn("Bob", "no")), "all", Game("made", "en", (), (), same_as=name[:1]))

    games = [game("a en"), game("b en"), game("c en"), game("a ja"), game("c ja")]
    for share in (0.1, 0.3, 0.5, 0.9):
        for training, held_out, _ in (split_in_time(games, share), split(games[:4], share, 0)):
            assert training
            assert not {each.game.same_as for each in training if each.game} & {
                each.game.same_as for each in held_out if each.game
            }
    assert [each.turns[0].text for each in split_in_time(games, 0.5)[1]] == ["a en", "a ja", "c en", "c ja"]
    for alone in (games[:1], [games[0], games[3]]):
        assert split(alone, 0.3, 0)[:2] == (alone, [])
        assert split_in_time(alone, 0.3)[:2] == (alone, [])


def test_groups_are_held_out_by_their_names() -> None:
    conversations = [Conversation((Turn("a", "x"),), group) for group in ("one/1", "one/2", "two/1")]
    assert hold_out_groups(conversations, "one/*") == Split([conversations[2]], conversations[:2])
    with pytest.raises(
        DataError, match=r"held-out group 'three': no group has such a name \(there are one/1, one/2, two/1\)"
    ):
        hold_out_groups(conversations, "three")
