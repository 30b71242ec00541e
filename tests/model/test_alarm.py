"""The alarm that ends a step: what llama.cpp would be told by it."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from time import perf_counter, sleep
from typing import Any

import pytest

from wolf_chatbox.model.engines import alarm as module
from wolf_chatbox.model.engines.alarm import Alarm


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    made = Alarm()
    yield made
    made.close()


def rings(alarm: Alarm, within: float = 0.0) -> bool:
    """What the C function answers, as soon as it is true, or at the end of that time."""
    ask: Any = ctypes.cast(alarm.function, ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p))
    until = perf_counter() + within
    while not ask(ctypes.addressof(alarm.text)) and perf_counter() < until:
        sleep(0.001)
    return bool(ask(ctypes.addressof(alarm.text)))


def test_it_rings_after_the_time_and_only_then(alarm: Alarm) -> None:
    assert not rings(alarm)
    alarm.arm(1e-3)
    assert rings(alarm, within=60)
    alarm.arm(None)
    assert not rings(alarm)
    alarm.arm(1000)
    assert not rings(alarm, within=0.05)


def test_a_step_that_is_over_rings_no_more(alarm: Alarm) -> None:
    for _ in range(20):
        alarm.arm(1000)
        alarm.disarm()
    alarm.arm(None)
    assert not rings(alarm, within=0.05)


def test_it_wakes_again_after_a_pause(alarm: Alarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE", 1)
    monkeypatch.setattr(module, "TICK", 0.001)
    for _ in range(5):
        alarm.arm(1e-3)
        assert rings(alarm, within=60)
        alarm.disarm()
        sleep(0.02)


def test_closing_it_ends_its_thread(alarm: Alarm) -> None:
    alarm.arm(1000)
    alarm.close()
    for thread in threading.enumerate():
        if thread is alarm._thread:
            thread.join(60)
    assert alarm._thread is not None
    assert not alarm._thread.is_alive()
