"""Step 5: how good the character is, and what to do with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from nicegui import ui

from wolf_chatbox.evaluate.report.verdict import interval, named, number
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.pages.new.training import talk, trained_name
from wolf_chatbox.page.parts import avatar

MEASURES = ("right_character", "ends", "copied_12")
"""The measures of the card, in their order."""
UNSCORED = "unscored"


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
        scorecard(page, found)
    with ui.row().classes("new-links"):
        ui.button(t("score.talk"), icon="chat", on_click=lambda: ui.navigate.to(talk(name))).props("unelevated")
        guess = f"/guess/new?run={quote(name)}"
        ui.button(t("score.guess"), icon="group", on_click=lambda: ui.navigate.to(guess)).props("outline")
        ui.button(t("score.all"), on_click=lambda: ui.navigate.to(f"/runs/{quote(name)}")).props("flat")
        ui.button(t("score.another"), on_click=lambda: ui.navigate.to("/new")).props("flat")


def scorecard(page: NewCharacter, found: dict[str, Any]) -> None:
    """Each figure with the humans' and its interval, and a sentence that says what it means."""
    t = page.t
    run, humans = next(iter(named(found, "run")), ""), next(iter(named(found, "humans")), "")
    measures = {measure["name"]: measure for measure in found["measures"]}
    shown = [measures[name] for name in MEASURES if _has(measures.get(name), run)]
    asked = t("score.asked", count=found["exchanges"])
    ui.label(asked).classes("lead")
    with ui.element("div").classes("new-score"):
        for measure in shown:
            figure = measure["figures"][run]
            with ui.element("div").classes("card new-measure"):
                ui.label(t(f"measures.{measure['name']}")).classes("new-measure-name")
                ui.label(number(measure, figure["value"])).classes("new-measure-value")
                bounds, theirs = interval(measure, figure), measure["figures"].get(humans, {}).get("value")
                line = [t("score.interval", bounds=bounds)] if bounds else []
                line += [t("score.humans", value=number(measure, theirs))] if theirs is not None else []
                ui.label(" · ".join(line) or " ").classes("quiet small")
                ui.label(t(f"meanings.{measure['name']}", name=_who(found, run))).classes("small")
    if not shown:
        ui.label(t("score.none")).classes("note")


def _has(measure: dict[str, Any] | None, run: str) -> bool:
    return bool(measure and measure["figures"].get(run, {}).get("value") is not None)


def _who(found: dict[str, Any], run: str) -> str:
    return str(found.get("persona") or run)
