"""Scorecards side by side, and the whole table of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nicegui import ui

from wolf_chatbox.evaluate.report.scorecard import SHOWN, Score
from wolf_chatbox.evaluate.report.table import BETTER, WORSE
from wolf_chatbox.evaluate.report.verdict import NOTHING, Form, best, compare, grouped, interval, named, number
from wolf_chatbox.words import Words


def show_scores_together(words: Words, scores: Mapping[str, Sequence[Score]]) -> None:
    """The scorecards of several runs side by side, with intervals."""
    kinds = [kind for kind in SHOWN if any(score.measure == kind for cards in scores.values() for score in cards)]
    with _scrolls(words("runs.scores")), ui.element("table").classes("figures wide"):
        with ui.element("thead"), ui.element("tr"):
            for text in ("", *scores):
                _cell("th", text, scope="col")
        with ui.element("tbody"):
            for kind in kinds:
                with ui.element("tr"):
                    _cell("th", words(f"runs.score.{kind}.title"), scope="row")
                    for cards in scores.values():
                        score = next((score for score in cards if score.measure == kind), None)
                        _figure(score.shown if score else NOTHING, score.interval if score else "")


def show_evaluation(words: Words, found: Form) -> None:
    """Every measure of an evaluation, by group: a column an entry, intervals, and what is surely better or worse."""
    names = [entry["name"] for entry in found["entries"]]
    base, humans = (next(iter(named(found, kind)), None) for kind in ("base", "humans"))
    with _scrolls(words("runs.evaluation")), ui.element("table").classes("figures wide"):
        with ui.element("thead"), ui.element("tr"):
            for text in (words("runs.measure"), *names):
                _cell("th", text, scope="col")
        for group, measures in grouped(found).items():
            with ui.element("tbody"):
                with ui.element("tr").classes("group-row"):
                    _cell("th", group, scope="colgroup").props(f"colspan={len(names) + 1}")
                for measure in measures:
                    with ui.element("tr"):
                        _cell("th", measure["title"], scope="row").props["title"] = measure["means"]
                        winner = best(found, measure)
                        for name in names:
                            figure = measure["figures"][name]
                            against = (
                                compare(measure, name, base, humans) if base and name in named(found, "run") else None
                            )
                            mark = None if against is None or not against.sure else bool(against.better)
                            text = number(measure, figure["value"])
                            _figure(text, interval(measure, figure), mark, words, best=name == winner)
    if base is not None:
        ui.label(words("runs.marks", base=base)).classes("quiet small")


def _figure(
    text: str, bounds: str, better: bool | None = None, words: Words | None = None, *, best: bool = False
) -> None:
    with ui.element("td"):
        with ui.element("div"):
            shown = ui.label(text).style("display: inline" + ("; font-weight: 650" if best else ""))
            if better is not None and words is not None:
                shown.set_text(text + " ")
                mark = ui.label(BETTER if better else WORSE).classes("mark" if better else "mark worse")
                mark.style("display: inline").props["aria-label"] = words("runs.better" if better else "runs.worse")
        if bounds:
            ui.label(bounds).classes("small")


def _cell(tag: str, text: str, *, scope: str) -> ui.element:
    with ui.element(tag).props(f"scope={scope}") as cell:
        ui.label(text)
    return cell


def _scrolls(name: str) -> ui.element:
    """A field that scrolls by itself, also by the keyboard, where a table is wider than the screen."""
    field = ui.element("div").style("overflow-x: auto").props("tabindex=0 role=region")
    field.props["aria-label"] = name
    return field
