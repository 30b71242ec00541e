from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.conversation import Turn
from wolf_chatbox.talk.search import ENOUGH, LONGEST, Exchange, Index, exchanges, words_of

names = st.sampled_from(["Rick", "rick", "Morty", "Beth"])
texts = st.text(st.sampled_from("abe fox 犬猫山のカフェé'’:"), max_size=30)
turns = st.lists(st.builds(Turn, names, texts), max_size=30)
START = datetime(2026, 1, 1)


def asked(*texts: str) -> list[Turn]:
    return [Turn("Morty", text) for text in texts]


def index(*texts: str) -> Index:
    return Index(
        Exchange((Turn("Morty", text), Turn("Rick", "Hm.")), str(at), START + timedelta(days=at))
        for at, text in enumerate(texts)
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("My dogs’ names are Bella and Ｂｅｌｌａ!", ("dog", "name", "bella", "bella")),
        ("What's Anna's boss like?", ("anna", "boss")),
        ("犬を飼っています", ("犬", "飼")),
        ("温泉旅行のカフェへ行く", ("温泉", "泉旅", "旅行", "カフェ")),
        ("そうですねー", ()),
        ("Yes, I think so too. 本当に？", ()),
        ("", ()),
    ],
)
def test_words_tell_what_a_text_is_about(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@given(turns, names)
def test_exchanges_are_the_chat_cut_into_pieces_that_end_with_the_speaker(chat: list[Turn], speaker: str) -> None:
    pieces = list(exchanges(chat, speaker))
    assert [turn for piece in pieces for turn in piece.turns] == chat
    for piece in pieces[:-1]:
        assert piece.turns[-1].speaker.lower() == speaker.lower() or len(piece.turns) == LONGEST
    for piece in pieces:
        spoke = [turn.speaker.lower() == speaker.lower() for turn in piece.turns]
        assert spoke == sorted(spoke), "nobody else speaks after the speaker"


def test_a_message_and_its_reply_are_an_exchange_after_an_opening_too() -> None:
    chat = [Turn("Rick", "Welcome."), Turn("Morty", "Hi."), Turn("Rick", "Well?"), Turn("Morty", "Bye.")]
    assert [piece.turns for piece in exchanges(chat, "Rick")] == [(chat[0],), (chat[1], chat[2]), (chat[3],)]


@given(st.lists(turns.map(tuple), max_size=8), texts)
def test_what_is_found_shares_a_word_and_all_that_share_one_are_found(chats: list[tuple[Turn, ...]], text: str) -> None:
    memory = Index(map(Exchange, chats))
    found = memory.find(words_of(text))
    held = [{word for turn in chat for word in words_of(turn.text)} for chat in chats]
    assert {each.at for each in found} == {at for at, words in enumerate(held) if words & set(words_of(text))}
    for each in found:
        assert set(each.words) == held[each.at] & set(words_of(text))
        assert each.score > 0
    assert all(better.score > worse.score - 0.01 for better, worse in pairwise(found))


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    memory = index("castle river", "forest river", "forest mountain", "forest market")
    best = memory.find(["forest", "castle"])[0]
    assert (best.at, best.words) == (0, ("castle",))


def test_of_equal_exchanges_the_most_recent_comes_first() -> None:
    assert [each.at for each in index("my castle", "a castle", "the market").find(["castle"])] == [1, 0]


def test_the_score_counts_words_that_stand_nowhere_else() -> None:
    memory = index("castle forest", "river mountain", "market harbour", "window candle")
    one, two = memory.find(["castle"])[0].score, memory.find(["castle", "forest"])[0].score
    assert one == pytest.approx(1, abs=0.01)
    assert two == pytest.approx(2, abs=0.01)


def test_one_word_of_many_is_not_enough_and_two_that_stand_nowhere_else_are() -> None:
    memory = index(*(f"castle{at} forest{at}" for at in range(50)))
    assert not memory.fitting(asked("castle7 with towers, bridges, gardens and knights"))
    fitting = memory.fitting(asked("towers, bridges and castle7", "gardens, knights and forest7"))
    assert [memory.exchanges[each.at].chat for each in fitting] == ["7"]
    assert fitting[0].score == pytest.approx(ENOUGH, abs=0.01)


def test_a_short_question_is_answered_by_one_rare_word() -> None:
    memory = index("My dog is called Bella", *(f"We went to castle{at}" for at in range(50)))
    assert [each.words for each in memory.fitting(asked("I saw mountains and rivers", "Where is Bella?"))] == [
        ("bella",)
    ]


def test_small_talk_brings_nothing_back() -> None:
    memory = index(*["Hello, how are you today?"] * 3, "Yes, I think so", "そうですね、本当に")
    assert not memory.fitting(asked("Hello!", "How are you today?", "本当ですか"))


@pytest.mark.parametrize("texts", [(), ("",), ("", "", "...")])
def test_a_memory_without_words_finds_nothing(texts: tuple[str, ...]) -> None:
    assert index(*texts).fitting(asked("castle")) == []
    assert index("castle").fitting([]) == []
    assert index("castle").fitting(asked("...")) == []
