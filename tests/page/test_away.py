"""Work in a process of its own: what comes back of it, and what does not stay."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from wolf_chatbox.errors import DataError
from wolf_chatbox.page.away import away


def test_files_are_looked_into_in_another_process() -> None:
    from wolf_chatbox.page.looking import look  # not at the top: each process of these tests reads this file

    found = asyncio.run(look(["example"]))
    assert (found.read, found.kept, found.speakers[0].name) == (566, 566, "Grimbold")
    assert not multiprocessing.active_children()


def test_a_known_error_comes_back_and_a_cancelled_look_leaves_no_process(tmp_path: Path) -> None:
    from wolf_chatbox.page.looking import look

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


def test_work_that_is_done_away_is_calm_and_says_what_went_wrong(capfd: pytest.CaptureFixture[str]) -> None:
    async def together() -> list[object]:
        works = [(_surroundings, "OMP_WAIT_POLICY"), (_fail, MemoryError), (_fail, ZeroDivisionError), (_die,)]
        return await asyncio.gather(*(away(*one) for one in works), return_exceptions=True)

    calm, memory, fault, gone = map(str, asyncio.run(together()))
    assert calm == "('passive', False)"
    assert memory == "out of memory: choose less data, or a smaller model."
    assert "ZeroDivisionError" in fault
    assert "ended from outside" in gone
    assert "noise" not in "".join(capfd.readouterr())


def _sleep(seconds: float, tell: object) -> None:
    time.sleep(seconds)


def _surroundings(name: str, tell: object) -> tuple[str | None, bool]:
    print("noise")
    return os.environ.get(name), "torch" in sys.modules


def _fail(kind: type[Exception], tell: object) -> None:
    raise kind


def _die(tell: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
