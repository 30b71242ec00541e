"""The speakers as people to choose: whom to learn."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from wolf_chatbox.page.pages.new.parts import Cards
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.parts import avatar

FIRST = 6
"""People that are shown before somebody asks for more."""
EVERYBODY = "\0"
"""The card of all speakers; no speaker has this name."""


def people(page: NewCharacter, look: dict[str, Any]) -> None:
    """A card for each speaker, and one for everybody."""
    making = page.must()
    ui.label(page.t("people.title")).classes("heading").props("role=heading aria-level=3")
    ui.label(page.t("people.lead")).classes("lead")
    found = look["people"]
    chosen = EVERYBODY if making.about.get("everybody") else making.about.get("persona")
    names = [one["name"] for one in found]

    def choose(value: str) -> None:
        page.change(persona=None if value == EVERYBODY else value, everybody=value == EVERYBODY)
        if page.on_next is not None:
            page.on_next.set_enabled(True)

    cards = Cards(page.t("people.title"), choose)
    shown = max(FIRST, names.index(chosen) + 1 if chosen in names else 0)
    for one in found[:shown]:
        _person(page, cards, one, chosen=one["name"] == chosen)
    with cards.card(EVERYBODY, chosen=chosen == EVERYBODY), ui.element("div").classes("new-person"):
        with ui.element("div").classes("avatar new-everybody").props("aria-hidden=true"):
            ui.icon("groups")
        with ui.element("div"):
            ui.label(page.t("everybody")).classes("new-name")
            ui.label(page.t("people.everybody")).classes("quiet small")
    if len(found) > shown:

        def show_more() -> None:
            more.delete()
            for one in found[shown:]:
                _person(page, cards, one, chosen=False)

        more = ui.button(page.t("people.more", count=len(found) - shown), on_click=show_more)
        more.props("flat").classes("new-more")


def _person(page: NewCharacter, cards: Cards, one: dict[str, Any], *, chosen: bool) -> None:
    figures = page.t(
        "people.figures",
        count=one["turns"],
        turns=f"{one['turns']:,}",
        share=f"{one['share']:.0%}",
        length=round(one["characters"]),
    )
    with cards.card(one["name"], chosen=chosen):
        with ui.element("div").classes("new-person"):
            avatar(one["name"])
            with ui.element("div"):
                ui.label(one["name"]).classes("new-name")
                ui.label(figures).classes("quiet small")
        for line in one["lines"]:
            ui.label(line).classes("new-line")
