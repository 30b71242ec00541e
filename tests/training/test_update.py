"""The random numbers of an update: fixed by seed, update and process alone, in every version of Python."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.training.update import mixed, seed_update


@pytest.mark.parametrize(
    ("numbers", "seed"),
    [
        ((0, 0, 0), 3010437511937009226),
        ((0, 3, 1), 8823971639256032228),
        ((1, 2, 3), 529344067295497451),
        ((7, 1000, 0), 5588838068139540584),
        ((123456789, 10**6, 7), 4553839194379707250),
        ((2**61 - 1, 1, 0), 7619408953831620358),
        ((2**61, 40, 3), 2420877202881380786),
        ((2**63 - 1, 5, 0), 625908803364689415),
    ],
)
def test_the_seeds_of_earlier_runs_stay(numbers: tuple[int, int, int], seed: int) -> None:
    """These were written down by the version that interrupted runs may come from."""
    assert mixed(*numbers) % 2**63 == seed
    seed_update(*numbers)
    drawn = torch.rand(3)
    assert torch.equal(drawn, torch.rand(3, generator=torch.Generator().manual_seed(seed)))


@given(st.lists(st.integers(0, 2**63 - 1), max_size=5))
def test_a_mix_has_64_bits(numbers: list[int]) -> None:
    assert 0 <= mixed(*numbers) < 2**64


def test_dropout_differs_between_processes_and_updates_and_not_between_runs() -> None:
    def drawn(*settings: int) -> float:
        seed_update(*settings)
        return float(torch.rand(()))

    assert drawn(0, 3, 1) == drawn(0, 3, 1)
    assert len({drawn(seed, update, process) for seed in range(3) for update in range(3) for process in range(3)}) == 27
