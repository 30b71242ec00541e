"""What a voice promises of its replies: choice, no repetition, whole characters, stop strings, steady prompts."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conftest import make_gpt2, make_llama
from scripted import SPEAKERS, voice
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.model.candidates import Candidate, Reverse, best, rank, repetition
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.torch import TorchDecoder
from wolf_chatbox.model.said import Said, essence, is_short
from wolf_chatbox.model.settled import Ends, whole
from wolf_chatbox.model.token_text import TokenText
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.samples.fitting import first_kept
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.scene import Scene

laws = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
ASKED = Scene((Turn("Rick", "Yes."), Turn("Morty", "Where are we?")), speaker="Rick")
SAMPLING = SamplingConfig(max_new_tokens=60)


def model_voice(tokenizer: Any, **settings: Any) -> Voice:
    renderer = make_renderer(tokenizer, "named", "Rick", "Morty", SPEAKERS)
    return Voice(Engine(TorchDecoder(make_gpt2(len(tokenizer)), 8), tokenizer), renderer, SPEAKERS, **settings)


# The last reply again


def test_the_last_reply_is_not_said_again(tokenizer: Any) -> None:
    speaking = voice(tokenizer, "Yes.", "Yes.", "No.")
    reply = speaking.answer(ASKED, SAMPLING)
    assert "".join(reply) == "No.", "nothing of the first tries was shown"
    assert (reply.text, reply.repeated, tokenizer.decode(reply.ids).strip()) == ("No.", False, "No.")
    longer = voice(tokenizer, "Yes. We are here.").answer(ASKED, SAMPLING)
    assert "".join(longer) == "Yes. We are here.", "to begin the same is not to repeat"
    assert not longer.repeated


def test_a_reply_that_cannot_be_another_is_accepted_with_a_mark(tokenizer: Any) -> None:
    speaking = voice(tokenizer, "Yes.")
    reply = speaking.answer(ASKED, SAMPLING)
    assert "".join(reply) == reply.text == "Yes."
    assert reply.repeated
    assert len(speaking.engine.prompts) == 4  # type: ignore[attr-defined]
    greedy = voice(tokenizer, "Yes.", "No.").answer(ASKED, SAMPLING.changed(temperature=0.0))
    assert "".join(greedy) == "Yes.", "no seed changes what is the most likely"
    assert greedy.repeated


def test_none_of_the_last_ten_replies_is_said_again_but_a_very_short_one_may(tokenizer: Any) -> None:
    old = ["Old Grimbold is here.", "Yes.", *(f"It costs {number} coppers, pup." for number in range(9))]
    turns = tuple(Turn(name, text) for said in old for name, text in (("Rick", said), ("Morty", "And?")))
    asked = Scene(turns, speaker="Rick")
    for written in (old[-1], old[2], "it costs 3  COPPERS — pup", "It costs 8 coppers, pup!"):
        reply = voice(tokenizer, written, "The door is shut.").answer(asked, SAMPLING)
        assert "".join(reply) == "The door is shut.", written
        assert not reply.repeated
        stubborn = voice(tokenizer, written).answer(asked, SAMPLING)
        assert ("".join(stubborn), stubborn.repeated) == (written, True)
    for written in ("Yes.", "Old Grimbold is here.", "It costs 8 coppers, pup, and a song."):  # short, long ago, new
        assert "".join(voice(tokenizer, written, "No.").answer(asked, SAMPLING)) == written
    last = Scene((*turns, Turn("Rick", "Yes."), Turn("Morty", "And?")), speaker="Rick")
    assert "".join(voice(tokenizer, "yes", "No.").answer(last, SAMPLING)) == "No.", "but not right after itself"


@given(st.text("aB é\u0301.…が゙ﾊ🙂", max_size=12), st.integers(0, 12))
def test_what_becomes_a_repetition_waits_from_its_first_letter(text: str, cut: int) -> None:
    said = Said([text])
    assert said.again(text) == said.again(f" {text.upper()} ") == bool(essence(text))
    assert said.may_become(text[:cut]) or not essence(text)


def test_what_is_short_is_so_in_every_language() -> None:
    assert all(map(is_short, ["Yes.", "No, Morty!", "はい。", "…", "Hrrm…", "不是"]))
    assert not any(map(is_short, ["I do not", "ochtend­wandelingen zijn", "それはどうかな", "我不知道你在说什么"]))
    assert not Said(["Hm."]).again("Hm, no.")
    assert Said(["…"]).again("…")
    assert not Said(["…"]).again("?!")
    assert not Said([]).again("")


def test_another_speaker_may_say_the_same(tokenizer: Any) -> None:
    reply = voice(tokenizer, "Where are we?", "No.").answer(ASKED, SAMPLING)
    assert "".join(reply) == "Where are we?"
    assert not reply.repeated


def test_what_is_drawn_again_follows_from_the_seed(tokenizer: Any) -> None:
    speaking = model_voice(tokenizer)
    short = SAMPLING.changed(max_new_tokens=1, temperature=1.0)
    first = "".join(speaking.answer(ASKED, short, seed=5))
    again = Scene((Turn("Rick", first), Turn("Morty", "Where are we?")), speaker="Rick")
    replies = {"".join(speaking.answer(again, short.changed(top_k=2), seed=seed)) for seed in range(30)}
    assert len(replies) > 1
    for seed in range(10):
        one, same = ("".join(speaking.answer(again, short, seed=seed)) for _ in range(2))
        assert one == same


# Best of n


def test_candidates_are_drawn_from_the_seed_and_the_best_is_said(tokenizer: Any) -> None:
    speaking = model_voice(tokenizer)
    sampling = SAMPLING.changed(best_of=5, max_new_tokens=12, temperature=1.0)
    reply = speaking.answer(ASKED, sampling, seed=3)
    pieces = list(reply)
    assert pieces == [reply.text], "it is shown when the choice is made"
    assert len(reply.candidates) == 5
    assert reply.text == reply.candidates[reply.chosen].text
    assert reply.candidates[reply.chosen].score == max(candidate.score for candidate in reply.candidates)
    assert reply.candidates[0].text == "".join(speaking.answer(ASKED, sampling.changed(best_of=1), seed=3))
    assert len({candidate.text for candidate in reply.candidates}) > 1
    again = speaking.answer(ASKED, sampling, seed=3, top=0)
    assert "".join(again) == reply.text
    assert [candidate.text for candidate in again.candidates] == [candidate.text for candidate in reply.candidates]
    mean = math.fsum(piece.logprob for piece in again.tokens) / len(again.tokens)
    assert again.candidates[again.chosen].likelihood == pytest.approx(mean)
    assert again.drawn > len(again.tokens)


def test_candidates_and_their_ranking_share_forward_passes(tokenizer: Any) -> None:
    backwards = Engine(TorchDecoder(make_llama(len(tokenizer)), 8), tokenizer)
    renderer = make_renderer(tokenizer, "named", "Rick", "Morty", SPEAKERS)
    speaking = model_voice(tokenizer, reverse=Reverse(backwards, renderer))
    passes = []
    for engine in (speaking.engine, backwards):
        read, counted = engine.decoder.read, list[int]()
        passes.append(counted)
        engine.decoder.read = (  # type: ignore[method-assign]
            lambda feeds, read=read, counted=counted: (counted.append(len(feeds)), read(feeds))[1]
        )
    reply = speaking.answer(ASKED, SAMPLING.changed(best_of=8, max_new_tokens=20, temperature=1.0), seed=3)
    "".join(reply)
    assert reply.drawn > 6 * 20
    assert len(passes[0]) <= 20 + 2
    assert len(passes[1]) <= 6


def test_a_candidate_that_is_empty_or_says_the_last_reply_again_loses(tokenizer: Any) -> None:
    sampling = SAMPLING.changed(best_of=3)
    reply = voice(tokenizer, " ", "Yes.", "no no no no").answer(ASKED, sampling)
    assert "".join(reply) == "no no no no"
    assert reply.chosen == 2
    again = voice(tokenizer, "Yes.").answer(ASKED, sampling)
    assert "".join(again) == "Yes."
    assert again.repeated


def test_the_first_of_equal_candidates_is_taken_and_repetition_costs() -> None:
    same = Candidate("a", -1.0, 0.0, None, -1.0)
    assert best([same, same], Said([])) == 0
    assert best([same, same._replace(text="b", score=-2.0)], Said(["A!"])) == 1, "rather than say the last one again"
    likely, unlikely = rank(["so it is so it is so it is", "well, I never"], [-1.0, -1.5], ASKED)
    assert likely.score < unlikely.score
    assert repetition("Yes.", ["yes"]) == 1
    assert repetition("I saw the old goose", ["Beth saw the old goose today"]) == pytest.approx(2 / 3)
    assert repetition("one two three four", ["five six seven eight"]) == repetition("…", ["…"]) == 0


def test_a_reverse_model_prefers_what_fits_the_message(tokenizer: Any) -> None:
    backwards = Engine(TorchDecoder(make_llama(len(tokenizer)), 4), tokenizer)
    renderer = make_renderer(tokenizer, "named", "Rick", "Morty", SPEAKERS)
    reverse = Reverse(backwards, renderer, weight=1.0)
    texts = ["In the inn.", "I do not know.", "Two coppers."]
    candidates = rank(texts, [-9.0, 0.0, 0.0], ASKED, reverse)
    for text, candidate in zip(texts, candidates):
        ids = [*renderer.words(ASKED.turns[-1], ASKED), renderer.end_id]
        prompt = [*renderer.turn(Turn("Rick", text), ASKED).ids, *renderer.head("Morty", ASKED)]
        scores = backwards.score(prompt, ids)
        assert candidate.reverse == pytest.approx(sum(scores) / len(scores))
        assert candidate.score == pytest.approx(candidate.reverse)
    speaking = model_voice(tokenizer, reverse=reverse)
    reply = speaking.answer(ASKED, SAMPLING.changed(best_of=4, max_new_tokens=8), seed=1)
    assert "".join(reply)
    assert all(candidate.reverse is not None for candidate in reply.candidates)


# Where a reply ends


@laws
@given(
    st.lists(st.sampled_from(["Hm.", "STOP", "ST", "END", "\n", " ", "🐺", "Beth", ":", "そう"]), min_size=1).map(
        "".join
    ),
    st.lists(st.sampled_from(["STOP", "\n\n", "END OF", "🐺", "Hm.ST"]), max_size=3),
)
def test_a_reply_ends_before_a_stop_string_and_shows_nothing_of_it(tokenizer: Any, text: str, stops: list[str]) -> None:
    reply = voice(tokenizer, text, speakers={}).answer(ASKED, SAMPLING.changed(max_new_tokens=400), stop=stops)
    written = f" {text}".lstrip()
    found = [(at, stop) for stop in stops if (at := written.find(stop)) >= 0]
    pieces = list(reply)
    assert "".join(pieces) == reply.text
    if "Beth:" not in text:
        assert reply.text == written[: min(found)[0] if found else None].rstrip()
        assert reply.stopped == (min(found, key=lambda pair: pair[0])[1] if found else None) or len(found) > 1


@given(st.text(st.sampled_from("ab:\nB e[]*)「"), max_size=30), st.integers(1, 30))
@example("x\nBeth", 3)
@example("Be)]:", 3)
def test_what_is_settled_is_a_beginning_of_all_that_follows(text: str, cut: int) -> None:
    ends = Ends(["Be", "a b"], ["ab", "b:"])

    def shown(part: str) -> str:
        end = ends.find(part)
        return part[: end.at].rstrip() if end else ends.settled(part)

    end = ends.find(text)
    final = text[: end.at].rstrip() if end else whole(text).rstrip()
    if not ends.find(text[:cut]):
        assert final.startswith(shown(text[:cut]))


def test_a_reply_never_ends_inside_a_character(tokenizer: Any) -> None:
    for text in ("so 🐺", "そうです", "yes 👩‍🚀", "🇯🇵"):
        for most in range(1, 30):
            reply = voice(tokenizer, text).answer(ASKED, SAMPLING.changed(max_new_tokens=most))
            assert "".join(reply) == reply.text
            assert "\ufffd" not in reply.text
            assert not reply.text.endswith("\u200d")
            assert reply.text != "🇯"
    assert whole("e\u0301") == "e\u0301"
    assert whole("🇯🇵🇫") == "🇯🇵"
    assert whole("ක්\u200d") == "ක්\u200d", "in Sinhala the joiner ends a letter"


def test_a_chat_model_does_not_write_the_next_message(chat_tokenizer: Any) -> None:
    renderer = make_renderer(chat_tokenizer, "chat", "assistant", "user", ("user", "assistant"))
    start = chat_tokenizer.convert_tokens_to_ids("<|im_start|>")
    assert start in Voice(Engine(TorchDecoder(make_gpt2(410))), renderer)._stop_ids()


STRANGERS = ["Morty: hey", "BETH: hey", "[Morty] hey", "<beth> hey", "**Morty**: hey", "(Beth): hey", "Morty： hey"]
STRANGERS += ["Morty「はい」", "Rick: me", "user: hi", "Narrator: Night falls.", "### Human: hi", "assistant :\nhi"]
OWN = ["Morty, come here", "Morty - wait!", "Beth said: no", "Mortys: hm", "(Morty laughs)", "[door] Morty", "users: x"]


@pytest.mark.parametrize("line", STRANGERS)
def test_a_strangers_line_is_never_said(tokenizer: Any, line: str) -> None:
    after = voice(tokenizer, f"Well.\n{line}", "unused").answer(ASKED, SAMPLING)
    assert "".join(after) == "Well."
    first = voice(tokenizer, line, f"\n {line}", "I say so.")
    reply = first.answer(ASKED, SAMPLING)
    assert list(reply)
    assert (reply.text, len(first.engine.prompts)) == ("I say so.", 3)  # type: ignore[attr-defined]
    always = voice(tokenizer, line)
    assert list(always.answer(ASKED, SAMPLING)) == []
    assert len(always.engine.prompts) == 4  # type: ignore[attr-defined]
    greedy = voice(tokenizer, line, "another")
    assert list(greedy.answer(ASKED, SAMPLING.changed(temperature=0.0))) == [], "nothing else can be drawn"
    chosen = voice(tokenizer, line, "I say so.", line).answer(ASKED, SAMPLING.changed(best_of=3))
    assert "".join(chosen) == "I say so."


@pytest.mark.parametrize("line", OWN)
def test_a_line_that_names_somebody_is_the_speakers_own(tokenizer: Any, line: str) -> None:
    for text in (line, f"Well.\n{line}"):
        assert "".join(voice(tokenizer, text).answer(ASKED, SAMPLING)) == text


def test_a_reply_that_was_stopped_or_asked_to_end_is_not_drawn_again(tokenizer: Any) -> None:
    stopped = voice(tokenizer, "STOP here", "No.")
    assert list(stopped.answer(ASKED, SAMPLING, stop=["STOP"])) == []
    assert len(stopped.engine.prompts) == 1  # type: ignore[attr-defined]
    asked = iter([True])
    assert list(voice(tokenizer, "Hm.").answer(ASKED, SAMPLING, over=lambda: next(asked))) == []
    assert "".join(voice(tokenizer, "", "No.").answer(ASKED, SAMPLING)) == "No.", "an empty one is"


# Tokens


def test_a_reply_says_its_tokens(tokenizer: Any) -> None:
    speaking = model_voice(tokenizer)
    reply = speaking.answer(ASKED, SAMPLING.changed(max_new_tokens=20, temperature=1.0), seed=2, top=3)
    for _ in reply:
        assert len(reply.tokens) == len(reply.ids)
    assert b"".join(piece.bytes for piece in reply.tokens).decode(errors="replace").strip().startswith(reply.text)
    for piece in reply.tokens:
        assert len(piece.top) == 3
        assert piece.logprob <= piece.top[0].logprob <= 0
    assert list(speaking.answer(ASKED, SAMPLING, seed=2).tokens) == []
    ended = voice(tokenizer, "I say so.\nBeth: and I").answer(ASKED, SAMPLING, top=0)
    assert "".join(ended) == "I say so."
    assert b"".join(piece.bytes for piece in ended.tokens).strip() == b"I say so."
    assert ended.drawn > len(ended.tokens)


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40))
def test_the_bytes_of_the_tokens_are_those_of_the_text(text: str) -> None:
    from conftest import make_tokenizer

    tokenizer = made.setdefault("tokenizer", make_tokenizer())
    ids = tokenizer(text, add_special_tokens=False).input_ids
    assert b"".join(TokenText(tokenizer).bytes_of(id) for id in ids) == text.encode()


made: dict[str, Any] = {}


def test_a_sentencepiece_vocabulary_has_bytes_too() -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"<unk>": 0, "<0xE3>": 1, "▁goose": 2, "x": 3}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>")))
    texts = TokenText(tokenizer)
    assert [texts.bytes_of(id) for id in (1, 2, 3)] == [b"\xe3", b" goose", b"x"]
    assert texts.piece(1, -1.0).text == "\ufffd"


# Who speaks next


def test_who_speaks_is_the_probability_of_the_label(tokenizer: Any) -> None:
    speaking = model_voice(tokenizer)
    names = ["Rick", "Beth", "Morty"]
    shares = speaking.who_speaks(ASKED, names)
    prompt = speaking.renderer.prompt(Scene(ASKED.turns, speaker="Rick"), 200)
    start = prompt[: -len(speaking.renderer.head("Rick", ASKED))]
    sums = [sum(speaking.engine.score(start, speaking.renderer.head(name, ASKED))) for name in names]
    whole = sum(map(math.exp, sums))
    assert shares == pytest.approx({name: math.exp(one) / whole for name, one in zip(names, sums)}, rel=1e-3)
    assert sum(shares.values()) == pytest.approx(1)
    assert speaking.who_speaks(ASKED, ["Beth"]) == {"Beth": 1}
    assert sum(speaking.who_speaks(Scene(()), names).values()) == pytest.approx(1)
    plain = voice(tokenizer, "hm", style="dialogpt")
    assert plain.who_speaks(ASKED, ["Rick", "Morty"]) == {"Rick": 0.5, "Morty": 0.5}


# Prompts


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(40, 120), st.sampled_from([1.0, 0.75, 0.5]))
def test_old_turns_leave_in_blocks_and_what_is_left_fits(lengths: list[int], room: int, keep: float) -> None:
    firsts = [first_kept(lengths[:at], room, keep) for at in range(1, len(lengths) + 1)]
    for at, first in enumerate(firsts):
        assert sum(lengths[first : at + 1]) <= room
    assert firsts == sorted(firsts)
    for at, (before, first) in enumerate(pairwise(firsts), start=1):
        if first == before:
            continue
        assert sum(lengths[before : at + 1]) > room, "none leaves before the room is full"
        assert first == at or sum(lengths[first : at + 1]) <= keep * room
        assert sum(lengths[first - 1 : at + 1]) > keep * room, "and no more than it takes"


def test_a_chat_of_500_turns_never_fails_never_outgrows_the_context_and_is_seldom_read_anew(tokenizer: Any) -> None:
    speaking = voice(tokenizer, "hm", context=256)
    sampling = SamplingConfig(max_new_tokens=40)
    turns: tuple[Turn, ...] = ()
    before: list[int] = []
    anew = 0
    for number in range(250):
        turns += (Turn("Morty", f"message {number}" + " goose" * (number % 7)),)
        reply = speaking.answer(Scene(turns, speaker="Rick"), sampling, seed=number)
        said = "".join(reply)
        turns += (Turn("Rick", f"{said} {number}"),)
        prompt = speaking.engine.prompts[-1]  # type: ignore[attr-defined]
        assert len(prompt) <= 256 - 40
        same = next((at for at, (one, other) in enumerate(zip(before, prompt)) if one != other), len(before))
        anew += same < len(before) // 2
        before = prompt
    assert anew < 250 / 3
    other = speaking.answer(Scene(turns[:101], speaker="Beth"), sampling)
    "".join(other)
    again = speaking.answer(Scene(turns[:101], speaker="Rick"), sampling)
    "".join(again)
    one, two = speaking.engine.prompts[-2:]  # type: ignore[attr-defined]
    head = len(speaking.renderer.head("Beth", ASKED))
    assert one[:-head] == two[: len(one) - head], "whoever speaks next, the history begins in the same place"


@given(st.integers(0, 12), st.integers(1, 3))
def test_a_reply_ends_when_it_is_over_with_what_there_is(tokenizer: Any, after: int, best_of: int) -> None:
    sampling = SamplingConfig(max_new_tokens=40, best_of=best_of)
    speaking = voice(tokenizer, "a long and winding reply about the goose and the house of the wolf")
    whole = "".join(speaking.answer(ASKED, sampling, 1))
    asked = iter([False] * after * best_of)
    reply = speaking.answer(ASKED, sampling, 1, over=lambda: next(asked, True))
    text = "".join(reply)
    assert whole.startswith(text)
    assert (len(text) < len(whole), reply.drawn) == (True, after * best_of)


def test_what_ends_a_reply_by_an_error_is_raised_and_its_slot_is_free(tokenizer: Any) -> None:
    class Left(Exception): ...

    def over() -> bool:
        if len(reply.ids) >= 3:
            raise Left
        return False

    engine = Engine(TorchDecoder(make_gpt2(len(tokenizer)), 1), tokenizer)
    speaking = replace(voice(tokenizer, "unused"), engine=engine)
    reply = speaking.answer(ASKED, SamplingConfig(max_new_tokens=100), 2, over=over)
    with pytest.raises(Left):
        list(reply)
    assert len(reply.ids) == 3
    list(speaking.answer(ASKED, SamplingConfig(max_new_tokens=5), 3))
    assert not [text for text in engine._open if not text.done]


@given(st.text(" ab\n", min_size=1, max_size=20), st.lists(st.text(" ab", min_size=1, max_size=3), max_size=3))
def test_raw_text_goes_on_with_its_white_space_up_to_a_stop_string(tokenizer: Any, text: str, stops: list[str]) -> None:
    speaking = voice(tokenizer, f"{text}.")
    whole = f" {text}."  # the scripted engine says a space first
    ends = [whole.find(stop) for stop in stops if stop in whole]
    reply = speaking.go_on(tokenizer("Rick:").input_ids, SamplingConfig(max_new_tokens=100), 1, stop=stops)
    shown = ""
    for piece in reply:
        shown += piece
        assert whole.startswith(shown)
    assert bool(ends) == (reply.stopped is not None)
    assert shown == (whole[: min(ends)] if ends else whole) or whole[len(shown) :].startswith(reply.stopped or "\0")
