"""Laws of the engine over a decoder whose logits are a function of all it was told to read."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines import engine as module
from wolf_chatbox.model.engines.decoder import Feed, Logits
from wolf_chatbox.model.engines.engine import Engine, _shared
from wolf_chatbox.model.engines.sampling import Token, log_probabilities

VOCABULARY = 12
SAMPLING = SamplingConfig(max_new_tokens=6, temperature=1.0)


class Fake:
    """Gives logits that only the very same ids give, and checks that it is used as the protocol says."""

    name = "fake"
    fingerprint = "fake"

    def __init__(self, slots: int = 2, context: int = 64, room: int | None = None) -> None:
        self.slots = slots
        self.room = room or slots * context
        self.context = context
        self.held: list[list[int]] = [[] for _ in range(slots)]
        self.steps: list[list[Feed]] = []
        self.fail: list[BaseException] = []
        self._busy = threading.Lock()

    def read(self, feeds: Sequence[Feed]) -> Logits:
        assert self._busy.acquire(blocking=False), "one thread at a time"
        try:
            assert feeds
            assert len({feed.slot for feed in feeds}) == len(feeds)
            self.steps.append(list(feeds))
            rows = []
            for number, feed in enumerate(feeds):
                held = self.held[feed.slot]
                assert feed.ids
                assert feed.at <= len(held), "what is to be kept is there"
                del held[feed.at :]
                if self.fail and number == len(feeds) // 2:
                    for other in feeds if self.room < self.slots * self.context else ():
                        del self.held[other.slot][other.at :]
                    raise self.fail.pop()
                for id in feed.ids:
                    held.append(id)
                    rows.append(_logits(held))
                assert len(held) < self.context
                if not feed.every:
                    rows[-len(feed.ids) :] = rows[-1:]
            assert sum(map(len, self.held)) <= self.room
            return np.stack(rows)
        finally:
            self._busy.release()

    def copy(self, source: int, target: int, length: int) -> None:
        assert 0 < length <= len(self.held[source])
        assert source != target
        self.held[target] = self.held[source][:length]

    def keep(self, slot: int, length: int) -> None:
        assert length <= len(self.held[slot])
        del self.held[slot][length:]

    def save(self, slot: int, length: int) -> bytes:
        return bytes(self.held[slot][:length])

    def restore(self, slot: int, state: bytes) -> None:
        self.held[slot] = list(state)

    def close(self) -> None: ...

    @property
    def read_ids(self) -> int:
        return sum(len(feed.ids) for step in self.steps for feed in step)


def _logits(ids: Sequence[int]) -> Logits:
    return np.random.default_rng(hash(tuple(ids)) % 2**32).normal(0, 2, VOCABULARY).astype(np.float32)


def alone(prompt: Sequence[int], seed: int, sampling: SamplingConfig = SAMPLING) -> list[int]:
    return [token.id for token in Engine(Fake(1)).stream(prompt, sampling, {0}, seed=seed)]


def check(engine: Engine) -> None:
    """No slot is said to hold what was not read into it."""
    decoder: Any = engine.decoder
    for slot, held in zip(engine._slots, decoder.held):
        assert slot.ids == held[: len(slot.ids)]


PROMPTS = st.lists(st.integers(1, 3), min_size=1, max_size=12)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), PROMPTS),
        st.tuples(st.sampled_from(["next", "close", "interrupt", "forget", "score"]), st.integers(0, 9)),
    ),
    max_size=50,
)


@settings(max_examples=200)
@given(ACTIONS, st.integers(1, 4), st.sampled_from([2, 5, 512]), st.sampled_from([None, 64, 90]))
def test_whatever_happens_around_a_stream_it_gives_what_it_gives_alone(
    actions: list[tuple[str, Any]], slots: int, step: int, room: int | None
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STEP", step)
        engine = Engine(decoder := Fake(slots, room=room))
        opened: list[tuple[Any, list[int], int, list[int]]] = []
        for seed, (action, what) in enumerate(actions):
            if action == "open":
                opened.append((engine.stream(what, SAMPLING, {0}, seed=seed), what, seed, []))
            elif opened:
                at = what % len(opened)
                stream, prompt, _, got = opened[at]
                if action == "close":
                    stream.close()
                    del opened[at]
                elif action == "forget":
                    del opened[at], stream
                elif action == "score":
                    assert len(engine.score(prompt, [1, 2])) == 2
                else:
                    decoder.fail = [KeyboardInterrupt()] if action == "interrupt" else []
                    try:
                        got += [token.id for token in [next(stream, None)] if token]
                    except KeyboardInterrupt:
                        del opened[at]
                    decoder.fail = []
            check(engine)
        for stream, prompt, seed, got in reversed(opened):
            assert got + [token.id for token in stream] == alone(prompt, seed)
        check(engine)


@settings(max_examples=30)
@given(st.lists(PROMPTS, min_size=1, max_size=24), st.integers(1, 4))
def test_many_threads_get_what_each_gets_alone(prompts: list[list[int]], slots: int) -> None:
    engine = Engine(decoder := Fake(slots))
    got: dict[int, list[int]] = {}

    def draw(seed: int) -> None:
        got[seed] = [token.id for token in engine.stream(prompts[seed], SAMPLING, {0}, seed=seed)]

    threads = [threading.Thread(target=draw, args=(seed,)) for seed in range(len(prompts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == {seed: alone(prompt, seed) for seed, prompt in enumerate(prompts)}
    assert max(map(len, decoder.steps)) <= slots
    check(engine)


def test_threads_that_leave_at_any_moment_disturb_nobody() -> None:
    """A reader that is stopped from outside closes its stream while another thread computes."""
    engine = Engine(decoder := Fake(3))
    wrong: list[Any] = []
    opened: list[Any] = []

    def talk(seed: int) -> None:
        try:
            for turn in range(15):
                prompt = [1 + seed % 3, 1 + turn % 4]
                stream = engine.stream(prompt, SAMPLING, {0}, seed=seed)
                if seed % 2:
                    opened.append(stream)
                    next(stream, None)
                elif [token.id for token in stream] != alone(prompt, seed):
                    wrong.append(seed)
        except Exception as error:
            wrong.append(error)

    def leave() -> None:
        while any(thread.is_alive() for thread in threads[:-1]):
            while opened:
                opened.pop().close()

    threads = [threading.Thread(target=talk, args=(seed,)) for seed in range(10)]
    threads.append(threading.Thread(target=leave))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    check(engine)
    assert len(decoder.steps) > 10


def test_streams_get_their_slots_in_the_order_they_were_opened() -> None:
    engine = Engine(decoder := Fake(2))
    streams = [engine.stream([10, number + 1], SAMPLING, (), seed=1) for number in range(6)]
    assert len(list(streams[-1])) == 6, "the last one's reader drives all of them"
    firsts = [feed.ids[-1] for step in decoder.steps for feed in step if feed.at < 2 and len(feed.ids) < 3]
    order = list(dict.fromkeys(id for id in firsts if id <= 6))
    assert order == sorted(order)
    assert all(len(list(stream)) == 6 for stream in streams[:-1]), "and nobody's tokens are lost"


def test_a_stream_that_nobody_reads_blocks_nobody_and_is_freed_when_it_is_forgotten() -> None:
    engine = Engine(Fake(1))
    unread = engine.stream([1, 2], SAMPLING.changed(max_new_tokens=40), (), seed=1)
    next(unread)
    assert len(list(engine.stream([3], SAMPLING, (), seed=2))) == 6
    endless = engine.stream([1, 2, 3], SAMPLING.changed(max_new_tokens=50), (), seed=1)
    next(endless)
    del endless
    before = len(engine.decoder.steps)  # type: ignore[attr-defined]
    next(engine.stream([3, 3], SAMPLING, (), seed=2))
    assert len(engine.decoder.steps) == before + 1  # type: ignore[attr-defined]


def test_a_long_prompt_is_read_in_parts_while_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP", 8)
    engine = Engine(decoder := Fake(3, context=256))
    short = engine.stream([1], SAMPLING.changed(max_new_tokens=40), (), seed=1)
    next(short)
    decoder.steps.clear()
    long = engine.stream([2] * 60, SAMPLING, (), seed=1)
    later = engine.stream([3] * 60, SAMPLING, (), seed=1)
    next(long)
    assert all(sum(len(feed.ids) for feed in step) <= 8 for step in decoder.steps)
    assert all(len(feeds) >= 2 for feeds in decoder.steps), "the short one draws in every step"
    assert len(decoder.steps) == 9, "the older prompt is read first"
    next(later)
    assert len(decoder.steps) <= 9 + 9


@pytest.mark.parametrize("streams", [1, 2, 8, 20])
@pytest.mark.parametrize("slots", [4, 8])
def test_streams_of_one_prompt_read_it_once(streams: int, slots: int) -> None:
    engine = Engine(decoder := Fake(slots, context=256))
    prompt = [1 + at % 5 for at in range(100)]
    sampling = SAMPLING.changed(max_new_tokens=3)
    drawn = [engine.stream(prompt, sampling, (), seed=seed) for seed in range(streams)]
    assert [len(list(stream)) for stream in drawn] == [3] * streams
    assert decoder.read_ids <= 100 + streams * 3


@pytest.mark.parametrize("known", [False, True])
def test_eight_candidates_of_one_length_take_the_forward_passes_of_one(known: bool) -> None:
    prompt = [1 + at % 5 for at in range(100)]
    passes = []
    for streams in (1, 8):
        engine = Engine(decoder := Fake(8, context=256))
        if known:
            list(engine.stream(prompt[:-1], SAMPLING.changed(max_new_tokens=1), (), seed=0))
        before = len(decoder.steps)
        drawn = [engine.stream(prompt, SAMPLING.changed(max_new_tokens=40), (), seed=seed) for seed in range(streams)]
        assert [len(list(stream)) for stream in drawn] == [40] * streams
        passes.append(len(decoder.steps) - before)
    assert passes == [40, 41 - known], "the others begin when the first has read the prompt"


def test_a_text_that_only_begins_the_same_is_kept() -> None:
    engine = Engine(decoder := Fake(2, context=256))
    one, other = [1, 2, *[3] * 50], [1, 2, *[4] * 50]
    for prompt in (one, other, one, other):
        list(engine.stream(prompt, SAMPLING, (), seed=1))
    assert decoder.read_ids < 2 * 52 + 4 * 7


def test_scores_are_the_log_probabilities_and_share_their_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SCORED", 3)
    engine = Engine(decoder := Fake(4))
    prompt = [1, 2, 3] * 6
    texts = [[4, 5, 6, 7, 8, 9, 10], [5], [], [4, 5, 1]]
    drawing = engine.stream([7], SAMPLING, {0}, seed=3)
    next(drawing)
    scores = engine.scores([(prompt, text) for text in texts])
    for text, got in zip(texts, scores, strict=True):
        expected = [log_probabilities(_logits([*prompt, *text[:at]]), id)[0] for at, id in enumerate(text)]
        assert got == pytest.approx(expected)
    assert decoder.read_ids <= 2 * (len(prompt) + sum(map(len, texts)))
    assert len([*drawing]) + 1 == len(alone([7], 3))
    for bad in ([], [1] * 60):
        with pytest.raises(ValueError, match="tokens to score"):
            engine.score(bad, [1] * 5)


def test_bad_logits_are_raised_where_that_stream_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Fake(2)
    whole = decoder.read

    def read(feeds: Sequence[Feed]) -> Logits:
        rows = whole(feeds)
        rows[[at for at, feed in enumerate(feeds) if decoder.held[feed.slot][0] == 5]] = np.nan
        return rows

    monkeypatch.setattr(decoder, "read", read)
    engine = Engine(decoder)
    bad, good = (engine.stream([first], SAMPLING, {0}, seed=1) for first in (5, 6))
    assert [token.id for token in good] == alone([6], 1)
    with pytest.raises(ModelError, match="NaN"):
        next(bad)
    assert list(bad) == []
    with pytest.raises(ModelError, match="NaN"):
        engine.score([5], [1, 2])


def test_a_state_is_saved_and_put_back() -> None:
    engine = Engine(Fake(2))
    assert engine.save([1, 2]) is None
    list(engine.stream([1, 2, 3, 4], SAMPLING, {0}, seed=1))
    saved = engine.save([1, 2, 3, 9])
    assert saved is not None
    assert saved[0] == [1, 2, 3]
    other = Engine(decoder := Fake(2))
    other.restore(*saved)
    assert [token.id for token in other.stream([1, 2, 3, 4], SAMPLING, {0}, seed=1)] == alone([1, 2, 3, 4], 1)
    assert decoder.steps[0][0].ids == [4]


@given(st.lists(st.integers(0, 1), max_size=40), st.lists(st.integers(0, 1), max_size=40), st.integers(0, 40))
def test_shared(one: list[int], other: list[int], same: int) -> None:
    other = one[:same] + other
    expected = next((at for at, pair in enumerate(zip(one, other)) if pair[0] != pair[1]), min(len(one), len(other)))
    assert _shared(one, other) == expected


def test_a_stream_is_a_stream_of_tokens() -> None:
    stream: Iterator[Token] = Engine(Fake()).stream([1], SAMPLING, (), seed=1, top=2)
    for token in stream:
        assert token.logprob is not None
        assert token.logprob <= token.top[0][1]
        assert len(token.top) == 2
