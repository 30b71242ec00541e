"""How many threads compute: laws over a clock of our own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wolf_chatbox.model.engines.threads import LIMIT, RARELY, Threads, possible_counts


def run(threads: Threads, steps: int, seconds: Callable[[int], float]) -> float:
    """Compute steps that take so long with a number of threads; returns the time of all."""
    whole = 0.0
    for _ in range(steps):
        took = seconds(threads.choose())
        while (limit := threads.limit()) is not None and took > limit:
            whole += limit
            threads.failed(limit)
            took = seconds(threads.choose())
        threads.took(took)
        whole += took
    return whole


def quiet(count: int) -> float:
    return 1.0 / count + 0.1


def busy(count: int) -> float:
    return 1.5 if count == 1 else 30.0 * count


def test_all_threads_on_a_quiet_machine() -> None:
    threads = Threads([1, 2, 4])
    run(threads, 100, quiet)
    assert run(threads, 5000, quiet) < 1.03 * 5000 * quiet(4)


def test_never_much_slower_than_one_thread() -> None:
    for eager in (False, True):
        threads = Threads([1, 2, 4], eager=eager)
        first = 2 * busy(4) if eager else 0
        assert run(threads, 20_000, busy) < first + 1.01 * 20_000 * busy(1)


def test_it_follows_the_load() -> None:
    threads = Threads([1, 2])
    run(threads, 300, quiet)
    assert threads.choose() == 2
    assert run(threads, 60, busy) < 60 * busy(1) + (LIMIT + 1) * quiet(1)  # one step is given up
    assert threads.choose() == 1
    run(threads, RARELY + 100, quiet)
    assert threads.choose() == 2


def test_a_count_that_cannot_win_is_left_after_one_step() -> None:
    threads, used = Threads([1, 2, 4]), list[int]()

    def counted(count: int) -> float:
        used.append(count)
        return busy(count)

    run(threads, 50, counted)
    assert used.count(2) == used.count(4) == 1


def test_equal_counts_change_nothing_for_long() -> None:
    threads = Threads([1, 2])
    assert run(threads, 10_000, lambda count: 1.0) == 10_000


def test_one_core_needs_no_trial() -> None:
    threads = Threads([1])
    assert run(threads, 100, busy) == pytest.approx(100 * busy(1))


def test_the_variable_bounds_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: range(6), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert possible_counts() == [1, 2, 4, 6]
    for value, counts in {"3": [1, 2, 3], "3,1": [1, 2, 3], "1": [1], "0": [1, 2, 4, 6], "x": [1, 2, 4, 6]}.items():
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert possible_counts() == counts
