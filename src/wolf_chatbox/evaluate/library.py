"""Libraries of the extra `evaluate`: imported when a measure needs one, and not before."""

from __future__ import annotations

import importlib
from typing import Any

from wolf_chatbox.errors import DataError

NEEDED = ("sklearn", "sacrebleu", "nltk")
"""Without these there is no evaluation."""


def library(module: str, purpose: str) -> Any:
    """Import a module, which `purpose` needs, such as "METEOR"; raises DataError when it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = module.partition(".")[0]
        raise DataError(
            f"{purpose}: {name} is not installed. Install it: pip install 'wolf-chatbox[evaluate]'"
        ) from error
