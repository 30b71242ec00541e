"""Which engine answers where none is asked for."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, NamedTuple

from wolf_chatbox.model.engines.llama_library import lacking

MANY = 8
"""Slots from which OpenVINO is faster than llama.cpp (docs/benchmarks.md)."""
OPENVINO = "2026.4"
"""The version of OpenVINO whose PagedAttention has the inputs that engines/openvino_graph.py gives it."""
INSTALL_OPENVINO = "Install it (pip install 'wolf-chatbox[openvino]'), or use --engine llama.cpp or torch."


class Choice(NamedTuple):
    engine: Literal["torch", "llama.cpp", "openvino"]
    reason: str


def choose() -> Choice:
    """The engine for this machine: torch on a GPU, else llama.cpp if it is here."""
    if gpu := _gpu():
        return Choice("torch", f"on {gpu}")
    if reason := lacking():
        return Choice("torch", reason)
    return Choice("llama.cpp", "no GPU here")


def lacking_openvino() -> str | None:
    """Why OpenVINO cannot be used here; None if it can."""
    try:
        found = version("openvino")
    except PackageNotFoundError:
        return "openvino is not installed"
    return None if found.startswith(OPENVINO) else f"openvino {found} is not the version that is known, {OPENVINO}"


def _gpu() -> str | None:
    """A GPU that torch may compute on, found without importing torch, which takes seconds."""
    if sys.platform == "darwin":
        return "the GPU of this Mac" if platform.machine() == "arm64" else None
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return None
    with suppress(OSError, AttributeError):  # without its driver there is none
        driver, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int()
        if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value:
            return "an NVIDIA GPU"
    return None
