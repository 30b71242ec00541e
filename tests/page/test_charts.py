"""Numbers and thinned lines of the charts."""

from __future__ import annotations

import pytest

from wolf_chatbox.page.charts import plain_number, thinned


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
