"""Step 5: how good the character is, and what to do with it."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from wolf_chatbox.evaluate.report.scorecard import scorecard
from wolf_chatbox.page.making.making import UNSCORED
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.pages.new.training import talk, trained_name
from wolf_chatbox.page.parts import avatar
from wolf_chatbox.page.scores import show_scores


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
        ui.label(t("score.asked", count=found["exchanges"])).classes("lead")
        show_scores(page.words, scorecard(found, run.folder.name), found["exchanges"])
    with ui.row().classes("new-links"):
        ui.button(t("score.talk"), icon="chat", on_click=lambda: ui.navigate.to(talk(name))).props("unelevated")
        guess = f"/guess/new?run={quote(name)}"
        ui.button(t("score.guess"), icon="group", on_click=lambda: ui.navigate.to(guess)).props("outline")
        ui.button(t("score.all"), on_click=lambda: ui.navigate.to(f"/runs/{quote(name)}")).props("flat")
        ui.button(t("score.another"), on_click=lambda: ui.navigate.to("/new")).props("flat")
