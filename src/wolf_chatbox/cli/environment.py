"""What a command settles for its process before the libraries load."""

from __future__ import annotations

import os
import sys
import warnings

SPINNING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""Settings of the OpenMP libraries that say how long a thread that has nothing to do stays awake."""


def settle() -> None:
    """Let waiting threads sleep, and keep the libraries' warnings to developers; what the user has set stays.

    OpenMP reads its setting when torch is loaded, so this comes before. Threads that wait awake slow down whatever else the
    machine does, a second run above all (docs/benchmarks.md). `python -W default` or PYTHONWARNINGS shows warnings.
    """
    if not any(name in os.environ for name in SPINNING):
        os.environ["OMP_WAIT_POLICY"] = "passive"
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
