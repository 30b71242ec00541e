"""Who is compared: two choices among the runs and their base models, each with its sampling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nicegui import run, ui

from wolf_chatbox.page.characters import TrainedRun
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.judging.contest import Match, Side, is_at_hand, match_of
from wolf_chatbox.page.parts import listed
from wolf_chatbox.words import Words

BASE = ":base"
"""What stands behind a run's name for its base model; no run's name has a colon."""
RANGES = {"temperature": (0.0, 2.0, 0.1), "top_p": (0.05, 1.0, 0.05)}
"""Least, most and step of a field."""


class Sides:
    """The two sides that a browser compares."""

    def __init__(self, desk: Desk, words: Words, changed: Callable[[], None]) -> None:
        self.desk, self.words, self._tell = desk, words, changed
        self.runs: list[TrainedRun] = desk.characters.all()
        self.options = {one.name: one.label for one in self.runs}
        self.one = self.other = Side(self.runs[0].name)
        self._given = False

    def chosen(self) -> tuple[Side, Side]:
        return self.one, self.other

    def match(self) -> Match:
        """The match of both; raises ConfigError where they are the same, ModelError where one is gone."""
        return match_of(self.desk, self.one, self.other)

    def build(self, run: str, match: Match | None) -> None:
        """Show the choice; `match` is an earlier one to go on with, `run` one to begin with."""
        if match is not None and {match.one.run, match.other.run} <= set(self.options):
            self.one, self.other, self._given = match.one, match.other, True
        elif run in self.options:
            self.one = Side(run)
        if not self._given:
            rest = [name for name in self.options if name != self.one.run]
            self.other = Side(rest[0]) if rest else Side(self.one.run)
        for side in (self.one, self.other):
            if side.base:
                self.options[side.run + BASE] = self.words("compare.base", name=side.run)
        with ui.element("section").classes("card").style("display: grid; gap: 6px"):
            with ui.element("div").classes("pair"):
                self.selects = [self._select("one"), self._select("other")]
            with ui.expansion(self.words("compare.sampling")).props("dense") as more, ui.element("div").classes("pair"):
                self._settings("one")
                self._settings("other")
            more.value = any(getattr(side, name) is not None for side in self.chosen() for name in RANGES)
            self.hint = ui.label().classes("quiet small")
            self.hint.visible = False

    async def find_bases(self) -> None:
        """Offer the base models that are on this machine, each beside its run."""
        bases = {one.base for one in self.runs if one.base}
        found = {base for base in bases if await run.io_bound(is_at_hand, base)}
        for one in self.runs:
            if one.base in found:
                self.options[one.name + BASE] = self.words("compare.base", name=one.name)
        if missing := sorted(bases - found):
            self.hint.text = self.words("compare.not_here", names=listed(self.words, missing))
            self.hint.visible = True
        self.options = dict(sorted(self.options.items(), key=lambda option: self._place(option[0])))
        if not self._given and self.one.run + BASE in self.options:
            self.other = Side(self.one.run, base=True)
        for select, side in zip(self.selects, self.chosen()):
            select.set_options(self.options, value=_key(side))

    def _place(self, key: str) -> int:
        """Runs in their order, each before its base model."""
        name = key.removesuffix(BASE)
        return 2 * [one.name for one in self.runs].index(name) + key.endswith(BASE)

    def _select(self, which: str) -> ui.select:
        label = self.words(f"compare.{which}")
        select = ui.select(self.options, value=_key(getattr(self, which)), label=label)
        select.on_value_change(lambda event: self._choose(which, str(event.value)))
        return select.props("outlined options-dense").style("min-width: 0")

    def _settings(self, which: str) -> None:
        with ui.element("div").classes("side-settings"):
            ui.label(self.words(f"compare.{which}")).classes("quiet small side-name")
            for name, (least, most, step) in RANGES.items():
                value = getattr(getattr(self, which), name)
                label = self.words(f"compare.{name}")
                field = ui.number(label, value=value, min=least, max=most, step=step, placeholder="–")
                field.props("outlined dense clearable stack-label")
                field.props["aria-label"] = f"{label}, {self.words(f'compare.{which}')}"
                field.on_value_change(lambda event, name=name: self._set(which, name, event.value))

    def _choose(self, which: str, key: str) -> None:
        side = getattr(self, which)
        chosen = replace(side, run=key.removesuffix(BASE), base=key.endswith(BASE))
        if chosen != side:
            setattr(self, which, chosen)
            self._given = True
            self._tell()

    def _set(self, which: str, name: str, value: float | None) -> None:
        least, most, _ = RANGES[name]
        allowed = value if value is None or least <= value <= most else None
        setattr(self, which, replace(getattr(self, which), **{name: allowed}))
        self._tell()


def _key(side: Side) -> str:
    return side.run + BASE if side.base else side.run
