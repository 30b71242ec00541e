"""How replies are drawn, in plain words: every setting of SamplingConfig, with its range from there."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from nicegui import ui

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.page.pages.talk.acts import Acts
from wolf_chatbox.page.pages.talk.sheet import sheet
from wolf_chatbox.page.parts import icon_button
from wolf_chatbox.page.room import Room
from wolf_chatbox.settings import Setting, declared
from wolf_chatbox.words import Words

FIRST = ("temperature", "max_new_tokens", "best_of")
"""What most people change; the others stand below."""
STEPS = 20
"""Of a slider over a number that is not whole, for each 1."""


class Tuning:
    """The sheet of a chat's settings."""

    def __init__(self, room: Room, acts: Acts, words: Words) -> None:
        self._room, self._acts, self._words = room, acts, words
        self._settings = declared(SamplingConfig)

    async def open(self, place: ui.element) -> None:
        """Show the sheet, once the character is awake."""
        if not await self._acts.attempt(self._room.ready()):
            return
        words = self._words
        with sheet(place, words, words("talk.tuning.title")):
            ui.label(words("talk.tuning.lead")).classes("quiet small")
            for name in FIRST:
                self._row(self._settings[name])
            with ui.expansion(words("talk.tuning.more")).classes("sheet-more"):
                for name, setting in self._settings.items():
                    if name not in FIRST:
                        self._row(setting)

    def _row(self, setting: Setting) -> None:
        words, key = self._words, f"talk.tuning.{setting.name}"
        least, most, step = span(setting)
        value = self._value(setting.name)
        with ui.element("div").classes("tune"):
            with ui.element("div").classes("tune-head"):
                with ui.element("div").classes("sheet-grow"):
                    ui.label(words(f"{key}.name")).classes("tune-name")
                    ui.label(setting.name).classes("tune-real")
                number = ui.number(value=value, step=step).props("dense outlined input-class=text-right")
                number.classes("tune-number").props["aria-label"] = words(f"{key}.name")
                reset = icon_button("restart_alt", words("talk.tuning.reset"))
            slider = ui.slider(min=least, max=most, step=step, value=min(value, most)).props("dense")
            slider.props["aria-label"] = words(f"{key}.name")
            with ui.element("div").classes("tune-ends quiet small"):
                ui.label(words(f"{key}.low"))
                ui.label(words(f"{key}.high"))

        async def change(given: Any) -> None:
            if given is None or given == self._value(setting.name):
                return
            taken = int(given) if setting.whole and float(given).is_integer() else given
            await self._acts.attempt(self._room.tune(**{setting.name: taken}))
            now = self._value(setting.name)
            number.set_value(now)
            slider.set_value(min(now, most))

        async def restore() -> None:
            await change(self._own(setting.name))

        number.on("blur", lambda: change(number.value))
        number.on("keydown.enter", lambda: change(number.value))
        slider.on("change", lambda: change(slider.value))
        slider.on_value_change(lambda: number.set_value(slider.value) if slider.value < most else None)
        reset.on_click(restore)

    def _value(self, name: str) -> Any:
        session = self._room.session
        assert session is not None
        return asdict(session.sampling)[name]

    def _own(self, name: str) -> Any:
        """What the character itself has."""
        return asdict(self._room.own_sampling)[name]


def span(setting: Setting) -> tuple[float, float, float]:
    """What a slider shows of a setting's range, and its step: to twice the default where there is no end."""
    step = 1 if setting.whole else 1 / STEPS
    range_ = setting.range
    least = range_.least if range_.least is not None else (range_.above or 0.0) + step
    most = range_.most if range_.most is not None else max(2 * setting.default, 4 if setting.whole else 2)
    return least, most, step
