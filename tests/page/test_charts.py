"""Numbers, thinned lines and sentences of the charts; looking into files in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from pathlib import Path

import pytest

from wolf_chatbox.errors import DataError
from wolf_chatbox.page.charts import plain_number, thinned
from wolf_chatbox.page.looking import away, look


@pytest.mark.parametrize(
    ("value", "shown"),
    [(12.0, "12"), (1234.0, "1,234"), (3.4219, "3.42"), (0.0001, "0.0001"), (1.1111e-05, "0.00001111"), (None, "")],
)
def test_numbers_are_plain(value: float | None, shown: str) -> None:
    assert plain_number(value) == shown


@pytest.mark.parametrize("count", [0, 1, 5, 6, 399, 1000])
def test_a_long_line_keeps_its_ends_and_its_order(count: int) -> None:
    kept = thinned(range(count), 5)
    assert kept == sorted(set(kept))
    assert len(kept) <= 6
    assert not count or (kept[0], kept[-1]) == (0, count - 1)
    assert count > 5 or kept == list(range(count))


def test_files_are_looked_into_in_another_process(tmp_path: Path) -> None:
    found = asyncio.run(look(["example"]))
    assert (found.read, found.kept, found.speakers[0].name) == (566, 566, "Grimbold")
    assert not multiprocessing.active_children()


def test_a_known_error_comes_back_and_a_cancelled_look_leaves_no_process(tmp_path: Path) -> None:
    async def cancelled() -> None:
        task = asyncio.ensure_future(away(_sleep, 60))
        while not multiprocessing.active_children():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not multiprocessing.active_children()

    asyncio.run(cancelled())
    with pytest.raises(DataError, match="no-such-file"):
        asyncio.run(look([str(tmp_path / "no-such-file.txt")]))


def _sleep(seconds: float, tell: object) -> None:
    time.sleep(seconds)
