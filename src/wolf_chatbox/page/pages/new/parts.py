"""What the steps are made of: figures, a part that is folded, a switch, a choice, a card to choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nicegui import ui


def facts(figures: Sequence[tuple[str, str]]) -> None:
    """Figures, each under its name."""
    with ui.element("dl").classes("new-facts"):
        for name, value in figures:
            with ui.element("div"):
                with ui.element("dt"):
                    ui.label(name)
                with ui.element("dd"):
                    ui.label(value)


@contextmanager
def fold(title: str, *, open_: bool = False) -> Iterator[None]:
    """A part that is folded until somebody wants it."""
    with ui.expansion(title, value=open_).classes("new-fold").props("dense"), ui.element("div").classes("new-folded"):
        yield


def switch(label: str, value: bool, change: Callable[[bool], Any], help: str = "") -> ui.switch:
    """A switch with what it does under it."""
    with ui.element("div").classes("new-switch"):
        found = ui.switch(label, value=value, on_change=lambda event: change(bool(event.value)))
        if help:
            ui.label(help).classes("quiet small new-switch-help")
    return found


def choice(label: str, options: dict[str, str], value: str, change: Callable[[str], Any]) -> ui.select:
    """A choice of one."""
    found = ui.select(options, value=value, label=label, on_change=lambda event: change(str(event.value)))
    found.props("outlined dense options-dense").classes("new-field")
    return found


class Cards:
    """Cards of which one is chosen, by mouse or keyboard, as a group of radio buttons is."""

    def __init__(self, label: str, change: Callable[[str], Any], classes: str = "new-cards") -> None:
        self.box = ui.element("div").classes(classes).props("role=radiogroup").props(f'aria-label="{label}"')
        self.change = change
        self._cards: dict[str, ui.element] = {}
        self.value: str | None = None

    @contextmanager
    def card(self, value: str, *, chosen: bool = False) -> Iterator[ui.element]:
        """A card; what it shows is made in the block."""
        with self.box, ui.element("button").classes("new-card").props("type=button role=radio") as card:
            self._cards[value] = card
            card.on("click", lambda: self.choose(value))
            yield card
        self._mark(card, chosen)
        if chosen:
            self.value = value

    def choose(self, value: str) -> None:
        """Choose a card, as a click does."""
        if self.value in self._cards:
            self._mark(self._cards[self.value], False)
        self.value = value
        self._mark(self._cards[value], True)
        self.change(value)

    @staticmethod
    def _mark(card: ui.element, chosen: bool) -> None:
        card.props(f"aria-checked={'true' if chosen else 'false'}")
        card.classes(add="chosen") if chosen else card.classes(remove="chosen")
