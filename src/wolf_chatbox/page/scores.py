"""Scorecards: those of several runs out of their files, and one as cards."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from wolf_chatbox.evaluate.report.scorecard import ENOUGH, Score, scorecard
from wolf_chatbox.page.characters import TrainedRun
from wolf_chatbox.words import Words


def scores_of(runs: Sequence[TrainedRun]) -> dict[str, list[Score]]:
    """The scorecards of the runs that were evaluated; reads files."""
    found = ((run.name, run.evaluation()) for run in runs)
    return {name: scorecard(evaluation, name) for name, evaluation in found if evaluation is not None}


def show_scores(words: Words, scores: Sequence[Score], exchanges: int) -> None:
    """A card for each score: the figure, what it means, the humans' figure, and how sure it is."""
    with ui.element("div").classes("scores"):
        for score in scores:
            with ui.element("div").classes("score"):
                ui.label(score.title(words)).classes("quiet small")
                ui.label(score.shown).classes("score-value")
                ui.label(score.sentence(words)).classes("small")
                if score.interval:
                    ui.label(words("runs.score.interval", interval=score.interval)).classes("quiet small")
                if score.base is not None:
                    ui.label(words("runs.score.base", base=score.base)).classes("quiet small")
    if exchanges < ENOUGH:
        ui.label(words("runs.score.rough", count=exchanges)).classes("quiet small").style("margin-top: 8px")
