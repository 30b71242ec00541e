"""Every importer takes time in proportion to what it reads: for four times the file at most five times the time.

Both sizes are read one after the other in one process, several times where it matters, and its own processor time is compared, so
that a busy machine fails no test.
"""

from __future__ import annotations

import gc
import math
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hostile import hostile
from wolf_chatbox.config import ReadConfig
from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.importers import IMPORTERS, Tally, read_conversations

FIXTURES = Path(__file__).parent / "fixtures"
SIZE = 50_000
"""Characters of the smaller file."""
QUICK = 0.05
"""Seconds: a larger file that takes less is not looked at any closer."""
ROUNDS = 6
HANGS = 10
"""Seconds of processor time after which a file hangs."""


def cost(place: Path, name: str) -> float:
    """Seconds of processor time that reading takes, whatever comes of it; infinity where it hangs."""

    def hang(*_: object) -> None:
        raise TimeoutError

    gc.collect()
    gc.disable()
    usual = signal.signal(signal.SIGVTALRM, hang)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS)
    began = time.process_time()
    try:
        for _ in read_conversations(place, ReadConfig(format=name), Tally()):  # type: ignore[arg-type]
            pass
    except WolfChatboxError:
        pass
    except TimeoutError:
        return math.inf
    finally:
        spent = time.process_time() - began
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, usual)
        gc.enable()
    return spent


def growth(content: Callable[[int], bytes], file: Path, place: Path, name: str, size: int = SIZE) -> float:
    """How many times as long a file of four times the size takes, and 1 where that is no time at all; `place` holds the file and is read."""

    def measure(size: int) -> float:
        file.write_bytes(content(size))
        return cost(place, name)

    large, small = measure(4 * size), math.inf
    if large < QUICK:
        return 1.0
    for number in range(ROUNDS):
        small = min(small, measure(size))
        large = min(large, measure(4 * size)) if number and large < math.inf else large
        if large <= 5 * small and number:
            break
    return large / small


def cases(name: str, scratch: Path) -> Iterator[tuple[Path, Path]]:
    """A copy of each file of the format's fixtures, and what is read with it: the file, or the folder that it lies in."""
    for fixture in sorted((FIXTURES / name).glob("*.input.*")):
        place = scratch / fixture.name
        if fixture.is_file():
            shutil.copy(fixture, place)
            yield place, place
            continue
        for file in sorted(each for each in fixture.rglob("*") if each.is_file()):
            shutil.copytree(fixture, place)
            yield place / file.relative_to(fixture), place
            shutil.rmtree(place)


def grown(name: str, scratch: Path, *, all_ways: bool) -> dict[str, float]:
    """The hostile files that take more than their share, and how much."""
    found = {}
    for file, place in cases(name, scratch):
        for each in hostile(file.read_bytes(), all_ways=all_ways):
            factor = growth(each.content, file, place, name)
            if factor > 5:
                found[f"{file.relative_to(scratch)}, {each.label}"] = round(factor, 1)
    return found


@pytest.mark.parametrize("name", IMPORTERS)
def test_four_times_the_file_takes_four_times_the_time(name: str, tmp_path: Path) -> None:
    assert not grown(name, tmp_path, all_ways=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", IMPORTERS)
def test_four_times_the_file_takes_four_times_the_time_in_all_ways(name: str, tmp_path: Path) -> None:
    assert not grown(name, tmp_path, all_ways=True)
