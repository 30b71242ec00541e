"""Step 3: the character's name, the base model, more settings, and what the training will take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import ui

from wolf_chatbox.page.making import choosing
from wolf_chatbox.page.making.choosing import Base
from wolf_chatbox.page.making.dropped import character_name
from wolf_chatbox.page.pages.new.estimate import Estimate
from wolf_chatbox.page.pages.new.form import form
from wolf_chatbox.page.pages.new.parts import Cards, fold
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.parts import language_name, listed

FIRST = 3
"""Base models that are shown before somebody asks for more, besides those that are here."""
OTHER = "\0"
"""The card of a folder or a hub name."""


def build(page: NewCharacter) -> None:
    """What there is to choose, and the start."""
    making = page.must()
    if not making.about.get("name"):
        hidden = making.about.get("pseudonyms")
        page.change(name=_free_name(page, "" if hidden else str(making.about.get("persona") or "")))
    _name(page)
    ui.label(page.t("base.title")).classes("heading").props("role=heading aria-level=3")
    ui.label(page.t("base.lead")).classes("lead")
    box = ui.element("div").classes("new-bases")
    with box:
        for _ in range(2):
            ui.skeleton(type="rect").classes("new-card-skeleton").props("aria-hidden=true")
    with fold(page.t("base.more")):
        ui.label(page.t("base.more_lead")).classes("quiet small")
        more = ui.element("div")
    estimate, chosen = Estimate(page), list[Bases]()
    with ui.row().classes("new-next"):
        start = ui.button(page.t("base.start"), icon="play_arrow", on_click=lambda: _start(page, chosen[0]))
        start.props("unelevated")
        start.set_enabled(False)
        waits = ui.label("").classes("quiet small")

    async def fill() -> None:
        language = choosing.language_of(page.look())
        found = await asyncio.to_thread(choosing.bases, language)
        running = await asyncio.to_thread(page.desk.queue.running)
        box.clear()

        def build_form() -> None:
            more.clear()
            with more:
                form(page, estimate.begin)

        with box:
            bases = Bases(page, found, estimate, start, build_form)
        build_form()
        chosen.append(bases)
        if running is not None:
            waits.set_text(page.t("base.waits", name=running.name))
        bases.changed()

    page.run(fill())


def _free_name(page: NewCharacter, given: str) -> str:
    """A name that no other character has, trained or about to be."""
    making = page.must()
    taken = {run.folder.name for run in page.desk.characters.all()}
    taken |= {path.name.removesuffix(".unfinished") for path in page.desk.workspace.characters.glob("[!.]*")}
    taken |= {other.name for other in page.desk.queue.all() if other.id != making.id and other.about.get("name")}
    return character_name(given or page.t("base.nameless"), taken)


def _name(page: NewCharacter) -> None:
    field = ui.input(page.t("base.name"), value=str(page.must().about.get("name") or "")).props("outlined dense")
    field.classes("new-field").props("maxlength=60")

    def keep() -> None:
        clean = _free_name(page, str(field.value or ""))
        page.change(name=clean)
        field.set_value(clean)

    field.on("blur", keep)
    field.on("keydown.enter", keep)
    ui.label(page.t("base.name_help")).classes("quiet small")


class Bases:
    """The base models as cards, the licence of the chosen one, and the way to fetch it."""

    def __init__(
        self,
        page: NewCharacter,
        found: list[Base],
        estimate: Estimate,
        start: ui.button,
        other_base: Callable[[], None],
    ) -> None:
        self.page, self.estimate, self.start = page, estimate, start
        self.other_base = other_base  # what is usual depends on the base
        self.found = {base.alias: base for base in found}
        self.agreed = False
        chosen = page.must().about.get("base") or next((base.alias for base in found if base.recommended), None)
        self.cards = Cards(page.t("base.title"), self._choose)
        others = [base for base in found if base.alias != chosen]
        shown = [base for base in found if base.alias == chosen or base.here or base in others[:FIRST]]
        for base in shown:
            self._card(base, chosen=base.alias == chosen)
        other = chosen is not None and chosen not in self.found
        with self.cards.card(OTHER, chosen=other):
            ui.label(page.t("base.other")).classes("new-name")
            ui.label(page.t("base.other_help")).classes("quiet small")
        rest = [base for base in found if base not in shown]
        if rest:

            def show_more() -> None:
                more.delete()
                for base in rest:
                    self._card(base, chosen=False)

            more = ui.button(page.t("base.all", count=len(rest)), on_click=show_more)
            more.props("flat").classes("new-more")
        self.field = ui.input(page.t("base.other_field"), value=str(chosen) if other else "")
        self.field.props("outlined dense").classes("new-field")
        self.field.on("blur", self._name_other)
        self.field.on("keydown.enter", self._name_other)
        self.below = ui.element("div").classes("new-below")
        if page.must().about.get("base") != chosen and chosen is not None:
            page.change(base=chosen)

    def _card(self, base: Base, *, chosen: bool) -> None:
        page, known = self.page, base.known
        size = f"{known.parameters / 1e6:.0f}M" if known.parameters < 9.5e8 else f"{known.parameters / 1e9:.1f}B"
        with self.cards.card(base.alias, chosen=chosen):
            with ui.element("div").classes("new-base-name"):
                ui.label(base.alias).classes("new-name")
                if base.recommended:
                    ui.label(page.t("base.recommended")).classes("chip")
            codes = known.languages.split()
            spoken = listed(page.words, (language_name(page.words, code) for code in codes))
            spoken = page.t("base.many") if known.languages == "many" else spoken
            ui.label(page.t("base.line", size=size, languages=spoken, licence=known.licence.short)).classes("small")
            need = page.t("base.need", train=f"{known.to_train() / 1e9:.1f}", talk=f"{known.to_talk() / 1e9:.1f}")
            ui.label(need).classes("quiet small")
            here = page.t("base.here") if base.here else page.t("base.to_fetch", size=base.size or page.t("base.hub"))
            with ui.element("div").classes("new-base-state"):
                ui.label(here).classes("good-text small" if base.here else "quiet small")
                if not base.fits:
                    ui.label(page.t("base.too_large")).classes("bad-text small")

    @property
    def model(self) -> str:
        if self.cards.value == OTHER:
            return str(self.field.value or "").strip()
        return self.cards.value or ""

    @property
    def ready(self) -> bool:
        """Whether the training may begin: a model is named, and its licence is agreed to where that is asked."""
        base = self.found.get(self.model)
        return bool(self.model) and (base is None or base.asks is None or self.agreed)

    def _choose(self, value: str) -> None:
        if value == OTHER:
            self.field.run_method("focus")
        self.agreed = False
        self.page.change(base=self.model, agreed=None)
        self.other_base()
        self.changed()

    def _name_other(self) -> None:
        if self.cards.value == OTHER and self.page.must().about.get("base") != self.model:
            self.page.change(base=self.model)
            self.changed()

    def changed(self) -> None:
        """Show what belongs to the chosen model, and estimate anew."""
        base = self.found.get(self.model)
        self.field.set_visibility(self.cards.value == OTHER)
        self.below.clear()
        with self.below:
            if base is not None and base.asks is not None:
                self._licence(base)
            if base is not None and not base.here:
                self._fetching(base)
        self.start.set_enabled(self.ready)
        self.estimate.begin()

    def _licence(self, base: Base) -> None:
        licence, t = base.asks, self.page.t
        assert licence is not None
        with ui.element("div").classes("note new-licence"):
            ui.label(t("base.licence", name=licence.name)).classes("new-name")
            with ui.element("ul").classes("new-list"):
                for condition in licence.conditions:
                    with ui.element("li"):
                        ui.label(condition)
            ui.link(licence.address, licence.address, new_tab=True).classes("small new-long")

            def agree(event: Any) -> None:
                self.agreed = bool(event.value)
                self.page.change(agreed=base.alias if self.agreed else None)
                self.start.set_enabled(self.ready)

            ui.checkbox(t("base.agree"), value=self.agreed, on_change=agree)

    def _fetching(self, base: Base) -> None:
        t = self.page.t
        with ui.element("div").classes("new-fetch"):
            ui.label(t("base.fetched_later")).classes("quiet small")

            async def fetch() -> None:
                button.props("loading")
                try:
                    await self.estimate.fetch(base.alias, agreed=self.agreed)
                finally:
                    button.props(remove="loading")
                self.page.show(2)

            button = ui.button(t("base.fetch"), icon="download", on_click=lambda: self.page.run(fetch()))
            button.props("outline")


async def _start(page: NewCharacter, bases: Bases) -> None:
    """Write the settings, and let the training begin or wait."""
    if not bases.ready:
        return
    making = page.must()
    settings = choosing.settings_of(making, page.desk.workspace.characters, page.look())
    page.stop()
    try:
        await asyncio.to_thread(page.desk.queue.add, making, settings)
    except Exception as error:
        page.tell(error)
        return
    page.refresh()
    page.show(3, focus=True)
