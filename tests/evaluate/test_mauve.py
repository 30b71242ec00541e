"""MAUVE: closed forms, one distribution against itself, and against others."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replies import study

from wolf_chatbox.evaluate.entries import Study
from wolf_chatbox.evaluate.features import features
from wolf_chatbox.evaluate.measure import estimate
from wolf_chatbox.evaluate.measures.mauve import CLUSTERINGS, SCALE, details, frontier, mauve, measures, under

Rows = np.ndarray[Any, np.dtype[np.float32]]


def normal(seed: int, count: int, *, shift: float = 0.0) -> Rows:
    return (np.random.default_rng(seed).normal(size=(count, 16)) + shift).astype(np.float32)


def gibberish_of(rows: Rows) -> Rows:
    """Each number moved to another place of its row."""
    return np.random.default_rng(0).permuted(rows, axis=1)


def test_the_area_of_distributions_that_share_nothing() -> None:
    # With the paper's c = 5 the curve is ((1 - w)^5, w^5), so the area is 5 B(6, 5), with B the beta function.
    expected = 5 * math.factorial(5) * math.factorial(4) / math.factorial(10)
    assert under(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(expected, rel=0.01)


def test_the_area_of_equal_distributions_is_one() -> None:
    assert under(np.array([0.3, 0.7]), np.array([0.3, 0.7])) == pytest.approx(1)


def test_both_sides_weigh_the_same() -> None:
    one, other = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8])
    assert under(one, other) == pytest.approx(under(other, one))


def test_a_point_of_the_curve_by_hand() -> None:
    one, other = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    mixture = (one + other) / 2
    divergences = [sum(side * np.log(side / mixture)) for side in (other, one)]
    assert frontier(one, other)[:, 50] == pytest.approx(np.exp(-SCALE * np.array(divergences)))


def test_the_curve_falls() -> None:
    across, up = frontier(np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8]))
    assert across[0] == up[-1] == 1
    assert (np.diff(across) < 0).all()
    assert (np.diff(up) > 0).all()


def test_one_distribution_is_near_to_itself_and_far_from_others() -> None:
    humans = normal(1, 200) + np.arange(16, dtype=np.float32) / 4
    assert mauve(humans, normal(2, 200) + np.arange(16, dtype=np.float32) / 4, 0) > 0.9
    assert mauve(humans, gibberish_of(humans), 0) < 0.2


def test_a_side_that_says_half_of_it_lies_between() -> None:
    first, second = normal(1, 100, shift=2), normal(2, 100, shift=-2)
    humans = np.concatenate([first, second])
    half = mauve(humans, normal(3, 200, shift=2), 0)
    assert mauve(humans, normal(4, 200, shift=9), 0) < half < mauve(humans, humans, 0)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_and_equal_texts(count: int) -> None:
    assert mauve(np.ones((count, 3), np.float32), np.ones((count, 3), np.float32), 0) == 1
    assert mauve(normal(0, count), normal(0, count), 0) == pytest.approx(1)
    assert mauve(np.zeros((count, 3), np.float32), normal(0, 40)[:, :3], 0) < 1


def judged(*, far: bool, count: int = 60) -> tuple[Study, dict[str, Rows]]:
    texts = [f"reply {at}" for at in range(count)]
    humans = normal(1, count, shift=1)
    run = gibberish_of(humans - np.arange(16, dtype=np.float32)) if far else normal(2, count, shift=1)
    return study(texts, texts, texts), {"humans": humans, "run0": run}


def test_the_measure_is_mauve_of_all_conversations_together() -> None:
    for far in (True, False):
        of, rows = judged(far=far)
        (measure,) = measures(of, rows)
        humans, run, unknown = of.entries
        figure = estimate(measure, measure.parts(run), 0)
        assert figure.value == pytest.approx(mauve(rows["humans"], rows["run0"], of.seed))
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < figure.high
        assert (figure.value < 0.5) == far
        assert not measure.parts(humans)
        assert not measure.parts(unknown)
        assert len(measure.parts(run)) == 30
        assert measure.parts(run)[0].shape[:2] == (2, CLUSTERINGS)


def test_details_tell_what_halves_of_the_humans_get_of_each_other() -> None:
    of, rows = judged(far=True)
    told = details(of, rows)["entries"]
    assert set(told) == {"humans", "run0"}
    assert told["run0"]["halves"] < 0.5 < 0.8 < told["humans"]["halves"]
    assert "curve" not in told["humans"]
    assert told["run0"]["curve"][0][0] == told["run0"]["curve"][-1][1] == 1


def test_details_of_one_conversation() -> None:
    texts = ["a", "b"]
    rows = {"humans": normal(1, 2), "run0": normal(2, 2)}
    assert details(study(texts, texts), rows)["entries"]["run0"]["halves"] is None


TEXTS = ["the goose is in the house", "yes", "", "<|endoftext|>", "yes", "鵞鳥 😂", "a word " * 60]


def test_features_of_texts(tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    # The law holds to rounding, which is small in fp32.
    monkeypatch.setattr("wolf_chatbox.evaluate.features.inference_dtype", lambda device: torch.float32)
    done: list[int] = []
    rows = features(str(tiny_gpt2), TEXTS, told=done.append)
    assert rows.shape == (7, 32)
    assert rows.dtype == np.float32
    assert done[-1] == 6
    assert np.isfinite(rows).all()
    assert (rows[1] == rows[4]).all()
    assert len(np.unique(rows, axis=0)) == 6, "what somebody types is no end token"
    monkeypatch.setattr("wolf_chatbox.evaluate.features.AT_ONCE", 1)
    one_by_one = features(str(tiny_gpt2), TEXTS)
    assert rows == pytest.approx(one_by_one, abs=1e-5), "what pads a text is not seen"
