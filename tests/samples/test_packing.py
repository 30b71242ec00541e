from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.samples.packing import pack, share_filled
from wolf_chatbox.samples.rendering import Sample


def samples_of(sizes: list[int]) -> list[Sample]:
    return [Sample([number] * size, [True] * size) for number, size in enumerate(sizes)]


@given(st.lists(st.integers(1, 64), max_size=80))
def test_every_sample_is_in_exactly_one_row_and_no_row_is_too_long(sizes: list[int]) -> None:
    samples = samples_of(sizes)
    rows = pack(samples, 64)
    assert sorted(id(sample) for row in rows for sample in row) == sorted(map(id, samples))
    assert all(0 < sum(map(len, row)) <= 64 for row in rows)
    assert pack(samples, 64) == rows


def test_rows_are_filled() -> None:
    sizes = [random.Random(at).randint(20, 512) for at in range(500)]
    assert share_filled(pack(samples_of(sizes), 512), 512) >= 0.97


def test_a_sample_longer_than_a_row_is_an_error() -> None:
    with pytest.raises(ValueError, match="65 tokens"):
        pack(samples_of([65]), 64)
