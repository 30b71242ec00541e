"""Several characters beside each other: their curves in one field, and their scorecards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nicegui import ui

from wolf_chatbox.evaluate.report.scorecard import Score
from wolf_chatbox.page.characters import TrainedRun
from wolf_chatbox.page.charts import Lines
from wolf_chatbox.page.pages.runs.figures import show_scores_together
from wolf_chatbox.page.parts import link_button
from wolf_chatbox.training.curves import Curves, compared
from wolf_chatbox.words import Words


def show_comparison(
    words: Words, runs: Sequence[TrainedRun], curves: Mapping[str, Curves], scores: Mapping[str, Sequence[Score]]
) -> None:
    """The curves of the runs over each other, and their scorecards side by side."""
    link_button(words("runs.back"), "/runs", icon="arrow_back", quiet=True).classes("back")
    ui.label(words("runs.compared")).classes("title").props("role=heading aria-level=1")
    ui.label(" · ".join(one.name for one in runs)).classes("lead")
    with ui.element("section").classes("section"):
        ui.label(words("runs.curves")).classes("heading").props("role=heading aria-level=2")
        together = compared(curves)
        if not together:
            ui.label(words("runs.no_curves")).classes("quiet")
        with ui.element("div").classes("charts"):
            for kind, lines in together.items():
                with ui.element("div").classes("card"):
                    chart = Lines(words("runs.axis.update"), words(f"runs.axis.{kind}"))
                    behind = {name: one.loss for name, one in curves.items() if one.loss} if kind == "loss" else None
                    chart.show(lines, behind=behind)
    with ui.element("section").classes("section"):
        ui.label(words("runs.scores")).classes("heading").props("role=heading aria-level=2")
        if not any(scores.values()):
            ui.label(words("runs.no_scores")).classes("quiet")
            return
        with ui.element("div").classes("card"):
            show_scores_together(words, {one.name: scores.get(one.name, ()) for one in runs})
        ui.label(words("runs.own_questions")).classes("quiet small").style("margin-top: 8px")
