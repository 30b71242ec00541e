"""The figures of an evaluation in a tracker, beside those of the training."""

from __future__ import annotations

import math
from pathlib import Path

from wolf_chatbox.config import Tracker
from wolf_chatbox.evaluate.report.verdict import Form


def track(tracker: Tracker, folder: Path, run: str, found: Form) -> None:
    """Send a run's figures to a tracker, as `evaluation/dist_2`; its files are where training puts them."""
    from wolf_chatbox.model import compat
    from wolf_chatbox.training.devices import start

    accelerator = start("fp32")
    place = folder.with_name(folder.name + ".tracking")
    about = {"run": run, "persona": found["persona"] or "", "exchanges": found["exchanges"]}
    compat.start_tracker(accelerator, tracker, str(place), about)
    values = {measure["name"]: measure["figures"][run]["value"] for measure in found["measures"]}
    accelerator.log(
        {f"evaluation/{name}": value for name, value in values.items() if value is not None and math.isfinite(value)}
    )
    accelerator.end_training()
