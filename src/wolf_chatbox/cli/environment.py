"""Environment settings that must be made before the libraries load."""

from __future__ import annotations

import os
import sys
import warnings

SPINNING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""Environment variables of the OpenMP libraries for how long idle threads spin."""


def settle() -> None:
    """Let idle threads sleep, and hide library warnings meant for developers; the user's own settings win.

    OpenMP reads its setting when torch is loaded, so this runs before. Spinning threads slow down the whole machine,
    most of all a second run (docs/benchmarks.md). `python -W default` or PYTHONWARNINGS shows warnings.
    """
    if not any(name in os.environ for name in SPINNING):
        os.environ["OMP_WAIT_POLICY"] = "passive"
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
