"""All characters as rows, to be opened or compared; and the folders that are damaged, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from nicegui import ui

from wolf_chatbox.evaluate.report.scorecard import Score
from wolf_chatbox.evaluate.report.verdict import NOTHING
from wolf_chatbox.model.trained import Damaged
from wolf_chatbox.page.characters import TrainedRun
from wolf_chatbox.page.parts import avatar, link_button
from wolf_chatbox.page.quantities import size as size_of
from wolf_chatbox.words import Words


def show_all(
    words: Words,
    runs: Sequence[TrainedRun],
    damaged: Sequence[Damaged],
    sizes: Mapping[str, int],
    scores: Mapping[str, Sequence[Score]],
) -> None:
    """A row for each run, with a box to choose it for a comparison."""
    chosen: set[str] = set()
    with ui.element("div").classes("headed"):
        ui.label(words("runs.title")).classes("title").props("role=heading aria-level=1")
        with ui.element("div").classes("actions"):
            compare = ui.button(words("runs.compare", count=0), icon="stacked_line_chart").props(
                "unelevated flat no-caps"
            )
            link_button(words("home.new"), "/new", icon="add")
    compare.on_click(
        lambda: ui.navigate.to("/runs?" + urlencode([("run", one.name) for one in runs if one.name in chosen]))
    )
    compare.set_visibility(len(runs) > 1)
    compare.disable()

    def choose(name: str, yes: bool) -> None:
        (chosen.add if yes else chosen.discard)(name)
        compare.set_text(words("runs.compare", count=len(chosen)))
        compare.set_enabled(len(chosen) > 1)

    if not runs:
        with ui.element("div").classes("empty"):
            ui.label(words("runs.none"))
    else:
        with ui.element("div").classes("card list-card"):
            for one in runs:
                with ui.element("div").classes("run-row"):
                    if len(runs) > 1:
                        box = ui.checkbox(on_change=lambda event, name=one.name: choose(name, event.value))
                        box.props["aria-label"] = words("runs.choose", name=one.name)
                    _row(words, one, sizes.get(one.name, 0), scores.get(one.name, ()))
    _show_damaged(words, damaged)


def _row(words: Words, one: TrainedRun, size: int, scores: Sequence[Score]) -> None:
    avatar(one.who)
    with ui.element("div").classes("narrow"):
        with ui.link(target=f"/runs/{quote(one.name, safe='')}").classes("character-name"):
            ui.label(one.who)
        ui.label(one.about).classes("quiet small one-line")
    right = next((score.shown for score in scores if score.measure == "right_character"), NOTHING)
    perplexity = NOTHING if one.perplexity is None else f"{one.perplexity:.1f}"
    learnt = NOTHING if one.learnt_tokens is None else f"{one.learnt_tokens:,}"
    with ui.element("div").classes("run-figures"):
        for key, value in (
            ("right", right),
            ("perplexity", perplexity),
            ("learnt", learnt),
            ("size", size_of(size)),
        ):
            with ui.element("div"):
                ui.label(value).classes("tiny-value")
                ui.label(words(f"runs.figure.{key}")).classes("quiet small")


def _show_damaged(words: Words, damaged: Sequence[Damaged]) -> None:
    if not damaged:
        return
    with ui.element("section").classes("section notes"):
        ui.label(words("runs.damaged")).classes("heading").props("role=heading aria-level=2")
        for one in damaged:
            with ui.element("div").classes("note bad"):
                ui.label(one.folder.name).style("font-weight: 600")
                ui.label(one.reason).classes("small")
