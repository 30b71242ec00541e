"""A character's scorecard: a few figures of its evaluation, each with the humans' and one plain sentence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from wolf_chatbox.evaluate.report.card import EVALUATION
from wolf_chatbox.evaluate.report.verdict import Form, grouped, interval, named, number
from wolf_chatbox.words import Words

SHOWN = ("right_character", "ends", "copied_12", "perplexity", "real_or_generated")
"""The measures of a scorecard, in its order; what a run has no figure of is left out."""
ENOUGH = 100
"""Exchanges below which the figures are rough."""


class Score(NamedTuple):
    """A figure of a scorecard."""

    measure: str
    """Its name in evaluation.json."""
    value: float
    shown: str
    """The value as people read it, such as 97.1 %."""
    interval: str
    """95 %, such as 92.0–99.3; empty where there is none."""
    humans: str | None
    """The humans' value; None where there is none."""
    base: str | None
    """The base model's value."""

    def title(self, words: Words) -> str:
        return words(f"runs.score.{self.measure}.title")

    def sentence(self, words: Words) -> str:
        """What the figure means."""
        return words(f"runs.score.{self.measure}.means", value=self.shown, humans=self.humans or "—")


def read_evaluation(folder: Path) -> dict[str, Any] | None:
    """The evaluation beside a run; None where there is none, or where it has not the form of one."""
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
        return found if isinstance(found, dict) and is_evaluation(found) else None
    return None


def is_evaluation(found: Form) -> bool:
    """Whether a file's content can be shown: it may come from anybody."""
    try:
        names = [
            entry["name"] for kind in ("run", "base", "humans") for entry in found["entries"] if entry["kind"] == kind
        ]
        for measures in grouped(found).values():
            for measure in measures:
                texts = [measure[key] for key in ("name", "title", "means", "better")]
                figures = [measure["figures"][name] for name in names]
                [number(measure, figure["value"]) + interval(measure, figure) for figure in figures]
                if not all(isinstance(text, str) for text in [*texts, *names]) or not isinstance(measure["p"], dict):
                    return False
        return isinstance(found["exchanges"], int) and isinstance(found["conversations"], int)
    except (KeyError, TypeError, AttributeError, ValueError):
        return False


def scorecard(found: Form, run: str) -> list[Score]:
    """The scores of a run; of the only run of an evaluation under whatever name."""
    runs = named(found, "run")
    name = run if run in runs else runs[0] if len(runs) == 1 else None
    if name is None:
        return []
    measures = {measure["name"]: measure for measure in found["measures"]}
    scores = []
    for kind in SHOWN:
        if kind in measures and (figure := measures[kind]["figures"].get(name, {})).get("value") is not None:
            humans, base = (_other(measures[kind], named(found, other)) for other in ("humans", "base"))
            shown = number(measures[kind], figure["value"])
            scores.append(Score(kind, figure["value"], shown, interval(measures[kind], figure), humans, base))
    return scores


def _other(measure: Form, names: Sequence[str]) -> str | None:
    value = measure["figures"].get(next(iter(names), ""), {}).get("value")
    return None if value is None else number(measure, value)
