"""More settings of a training: the form follows from their declaration in config.py."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from nicegui import ui

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.making import choosing
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.settings import Setting, kind_of, range_of
from wolf_chatbox.words import default_in, help_in


def form(page: NewCharacter, changed: Callable[[], None]) -> None:
    """A field for each setting, with its help; only what differs from the usual is kept."""
    usual = choosing.USUAL.get(str(page.must().about.get("base") or ""), {})
    settings = sorted(choosing.more_settings().values(), key=_group)
    for group, entries in groupby(settings, key=_group):
        ui.label(page.t(f"groups.{group.split()[0].lower()}")).classes("new-family")
        with ui.element("div").classes("new-settings"):
            for setting in entries:
                _field(page, setting, usual, changed)


def _group(setting: Setting) -> str:
    return setting.groups[0].name


def _field(page: NewCharacter, setting: Setting, usual: dict[str, Any], changed: Callable[[], None]) -> None:
    more = dict(page.must().about.get("more") or {})
    default = usual.get(setting.name, setting.default)
    now = more.get(setting.name, default)
    label = setting.name.replace("_", " ")
    kind = kind_of(setting)

    def keep(value: Any) -> None:
        chosen = dict(page.must().about.get("more") or {})
        if value == default or value is None or value == "":
            chosen.pop(setting.name, None)
        else:
            chosen[setting.name] = value
        page.change(more=chosen)
        changed()

    with ui.element("div").classes("new-setting"):
        if kind is bool:
            ui.switch(label, value=bool(now), on_change=lambda event: keep(bool(event.value)))
        elif setting.choices:
            field = ui.select(list(setting.choices), value=now, label=label)
            field.props("outlined dense options-dense").on_value_change(lambda event: keep(event.value))
        else:
            _number(page, setting, label, now, kind, keep)
        ui.label(help_in(page.words.language, "train", setting.name) or setting.help).classes("quiet small")


def _number(
    page: NewCharacter, setting: Setting, label: str, now: Any, kind: type, keep: Callable[[Any], None]
) -> None:
    """A field for a number; what is not allowed is told, and not kept."""
    range_ = range_of(setting)
    field = ui.input(label, value="" if now is None else f"{now:g}" if kind is float else str(now))
    field.props(f"outlined dense inputmode={'numeric' if kind is int else 'decimal'}")
    if setting.default is None:
        field.props("stack-label").props["placeholder"] = default_in(page.words.language, setting.shown_default)
    before = [field.value]

    def check() -> None:
        text = str(field.value or "").strip()
        if text == before[0]:
            return
        try:
            value = kind(text) if text else None
            if value is not None and range_ is not None and value not in range_:
                raise ValueError
        except ValueError:
            must = f"must be {range_}." if range_ is not None else "must be a number."
            tell(ConfigError(setting.name, text, must))
            field.set_value(before[0])
            return
        before[0] = text
        keep(value)

    field.on("blur", check)
    field.on("keydown.enter", check)
