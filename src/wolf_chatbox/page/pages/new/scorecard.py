"""Step 5: how good the character is, and what to do with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from nicegui import ui

from wolf_chatbox.evaluate.report.scorecard import scorecard
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.pages.new.training import talk, trained_name
from wolf_chatbox.page.parts import avatar

UNSCORED = "unscored"
"""The error of a making that could not be scored, as the extra for it is missing (worker.py)."""


def build(page: NewCharacter) -> None:
    """The card, and the ways on."""
    making, t = page.must(), page.t
    name = trained_name(page, making)
    run = page.desk.characters.find(name) if name else None
    if name is None or run is None:
        ui.label(t("score.gone")).classes("note bad")
        return
    with ui.element("div").classes("new-person new-result"):
        avatar(run.who)
        with ui.element("div"):
            ui.label(t("score.ready", name=run.who)).classes("new-ready")
            ui.label(t("score.from", base=making.about.get("base", ""), name=name)).classes("quiet small")
    found = run.evaluation()
    if found is None:
        said = t("score.extra") if making.error == UNSCORED else making.error
        ui.label(f"{t('score.none')} {said}".strip()).classes("note new-long")
    else:
        show(page, found, run.folder.name)
    with ui.row().classes("new-links"):
        ui.button(t("score.talk"), icon="chat", on_click=lambda: ui.navigate.to(talk(name))).props("unelevated")
        guess = f"/guess/new?run={quote(name)}"
        ui.button(t("score.guess"), icon="group", on_click=lambda: ui.navigate.to(guess)).props("outline")
        ui.button(t("score.all"), on_click=lambda: ui.navigate.to(f"/runs/{quote(name)}")).props("flat")
        ui.button(t("score.another"), on_click=lambda: ui.navigate.to("/new")).props("flat")


def show(page: NewCharacter, found: dict[str, Any], run: str) -> None:
    """Each figure with the humans' and its interval, and a sentence that says what it means."""
    t = page.t
    ui.label(t("score.asked", count=found["exchanges"])).classes("lead")
    with ui.element("div").classes("new-score"):
        for score in scorecard(found, run):
            with ui.element("div").classes("card new-measure"):
                ui.label(score.title(page.words)).classes("new-measure-name")
                ui.label(score.shown).classes("new-measure-value")
                line = [t("score.interval", bounds=score.interval)] if score.interval else []
                line += [t("score.humans", value=score.humans)] if score.humans is not None else []
                ui.label(" · ".join(line)).classes("quiet small new-measure-line")
                ui.label(score.sentence(page.words)).classes("small")
