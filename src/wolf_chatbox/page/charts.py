"""Charts of the page: lines and bars that follow light and dark, with a sentence and a table for whoever sees none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from wolf_chatbox.page.entrance import language_of
from wolf_chatbox.words import Words, words_of

Points = Sequence[tuple[float, float | None]]
MOST_POINTS = 400
"""Points of a line that are sent; of a longer one every second, third, …"""
MOST_ROWS = 40
FEW = 12
"""Points up to which each is marked."""
COLOURS = [f"var(--line{at})" for at in range(6)]
"""In page.css; the charts are SVG, so they change with the page."""
AXIS = {
    "nameTextStyle": {"color": "var(--quiet)"},
    "axisLabel": {"color": "var(--quiet)", "hideOverlap": True},
    "axisLine": {"lineStyle": {"color": "var(--line)"}},
    "axisTick": {"show": False},
    "splitLine": {"lineStyle": {"color": "var(--line)"}},
}


class Chart:
    """A chart of fixed height with its table below; what is shown can change without building it anew."""

    def __init__(self, x: str, y: str, options: dict[str, Any], height: int) -> None:
        self.x, self.y = x, y
        self.words = _words()
        self._series: Mapping[str, Points] = {}
        with ui.element("figure").classes("chart"):
            with ui.element("figcaption").classes("chart-caption"):
                ui.label(y).classes("chart-title")
                self.legend = ui.element("div").classes("chart-legend")
            self.picture = ui.echart(_plain(options), renderer="svg")
            self.picture.classes("chart-picture").style(f"height: {height}px").props("role=img")
            self.picture.props["aria-label"] = y
            with ui.expansion(self.words("runs.chart.table"), on_value_change=self._fill).classes("chart-table") as box:
                self.table = ui.element("div").classes("scrolls").props("tabindex=0 role=region")
                self.table.props["aria-label"] = y
        self._box = box

    def _set(self, series: Mapping[str, Points], drawn: list[dict[str, Any]]) -> None:
        if list(series) != list(self._series):
            self._name(list(series))
        self._series = series
        self.picture.options["series"] = drawn
        self.picture.props["aria-label"] = self.summary()
        self.picture.update()
        self._fill()

    def _name(self, names: list[str]) -> None:
        """Say which colour is whose; one line alone needs no name."""
        self.legend.clear()
        with self.legend:
            for at, name in enumerate(names if len(names) > 1 else []):
                with ui.element("div").classes("chart-name"):
                    ui.element("i").style(f"background: {COLOURS[at % len(COLOURS)]}").props("aria-hidden=true")
                    ui.label(name)

    def summary(self) -> str:
        """What the chart shows, as one sentence."""
        said = []
        for name, points in self._series.items():
            known = [value for _, value in points if value is not None]
            if known:
                said.append(self.words("runs.chart.line", name=name, **_ends(known)))
        if not said:
            return f"{self.y}: {self.words('runs.chart.nothing')}"
        return self.words("runs.chart.summary", x=self.x, y=self.y, lines=self.words("runs.chart.and").join(said))

    def _fill(self) -> None:
        """Fill the table, while it is open."""
        if not self._box.value:
            return
        self.table.clear()
        rows = {at: _row(self._series, at) for at in _places(self._series)}
        with self.table, ui.element("table").classes("figures"):
            _cells("thead", "th", [[self.x, *self._series]])
            _cells("tbody", "td", [[self.place(at), *values] for at, values in rows.items()])

    def place(self, at: float) -> str:
        """A place on the x axis, as the table has it."""
        return plain_number(at)


class Lines(Chart):
    """Lines over a common axis of numbers.

    loss = Lines("update", "loss")
    loss.show({"innkeeper": [(1, 4.1), (2, 3.9)]})
    """

    def __init__(self, x: str, y: str, *, log: bool = False, height: int = 260) -> None:
        across = {
            **AXIS,
            "type": "value",
            "name": x,
            "nameLocation": "middle",
            "nameGap": 26,
            "splitLine": {"show": False},
        }
        across |= {"min": "dataMin", "max": "dataMax"}
        up = {**AXIS, "type": "log" if log else "value", "scale": True}
        super().__init__(x, y, {"xAxis": across, "yAxis": up}, height)

    def show(self, series: Mapping[str, Points], *, behind: Mapping[str, Points] | None = None) -> None:
        """Show lines by their names; None is a gap.

        `behind` has more of the lines of the same names, such as each value behind their mean: pale, and in no table.
        """
        colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(series)}
        pale = [_line(name, points, colours[name], pale=True) for name, points in (behind or {}).items()]
        drawn = [_line(name, points, colours[name]) for name, points in series.items()]
        self._set(series, pale + drawn)


class Bars(Chart):
    """Bars by name, such as turns by length."""

    def __init__(self, x: str, y: str, *, height: int = 220) -> None:
        across = {**AXIS, "type": "category", "name": x, "nameLocation": "middle", "nameGap": 26, "data": []}
        super().__init__(x, y, {"xAxis": across, "yAxis": {**AXIS, "type": "value", "minInterval": 1}}, height)

    def show(self, bars: Mapping[str, float]) -> None:
        """Show a bar for each name."""
        self._names = list(bars)
        self.picture.options["xAxis"]["data"] = self._names
        style = {"color": COLOURS[0], "borderRadius": [4, 4, 0, 0]}
        drawn = [{"type": "bar", "name": self.y, "data": list(bars.values()), "itemStyle": style, "barMaxWidth": 46}]
        self._set({self.y: list(enumerate(bars.values()))}, drawn)

    def summary(self) -> str:
        bars = [f"{self._names[int(at)]}: {plain_number(value)}" for at, value in next(iter(self._series.values()), [])]
        shown = self.words("runs.chart.comma").join(thinned(bars, MOST_ROWS))
        return self.words("runs.chart.bars", x=self.x, y=self.y, bars=shown)

    def place(self, at: float) -> str:
        return self._names[int(at)]


def _line(name: str, points: Points, colour: str, *, pale: bool = False) -> dict[str, Any]:
    shown = thinned(points, MOST_POINTS)
    return {
        "type": "line",
        "name": name,
        "id": f"{name} behind" if pale else name,
        "data": [[x, y] for x, y in shown],
        "showSymbol": len(shown) <= FEW,
        "symbol": "circle",
        "symbolSize": 6,
        "lineStyle": {"color": colour, "width": 1 if pale else 2.25, "opacity": 0.35 if pale else 1},
        "itemStyle": {"color": colour, "opacity": 0.35 if pale else 1},
        "emphasis": {"disabled": True},
        "silent": pale,
        "tooltip": {"show": not pale},
        "z": 1 if pale else 2,
    }


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """Options for a chart without colours of its own, and without movement."""
    return {
        "animation": False,
        "color": COLOURS,
        "textStyle": {"fontFamily": "sans-serif", "color": "var(--text)"},
        "grid": {"left": 8, "right": 20, "top": 12, "bottom": 24, "containLabel": True},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": "var(--raised)",
            "borderColor": "var(--line)",
            "textStyle": {"color": "var(--text)"},
            "axisPointer": {"lineStyle": {"color": "var(--quiet)"}},
        },
        "series": [],
        **options,
    }


def thinned(points: Sequence[Any], most: int) -> list[Any]:
    """At most about `most` of the points, evenly spaced, the last one among them."""
    step = -(-len(points) // most) if points else 1
    kept = list(points[::step])
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]


def plain_number(value: float | None) -> str:
    """A number as people write it: 12, 3.42, 0.0001."""
    if value is None:
        return ""
    if value == int(value):
        return f"{int(value):,}"
    digits = f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"
    return f"{value:.8f}".rstrip("0") if "e" in digits else digits


def _ends(values: Sequence[float]) -> dict[str, str]:
    ends = {"first": values[0], "last": values[-1], "least": min(values), "most": max(values)}
    return {name: plain_number(value) for name, value in ends.items()}


def _places(series: Mapping[str, Points]) -> list[float]:
    """The places of a table's rows: some of each line's own, so that a short line is there as well."""
    most = max(2, MOST_ROWS // max(1, len(series)))
    return sorted({x for points in series.values() for x, _ in thinned(points, most)})


def _row(series: Mapping[str, Points], at: float) -> list[str]:
    return [plain_number(next((y for x, y in points if x == at), None)) for points in series.values()]


def _cells(part: str, tag: str, rows: Sequence[Sequence[str]]) -> None:
    with ui.element(part):
        for row in rows:
            with ui.element("tr"):
                for text in row:
                    with ui.element(tag):
                        ui.label(text)


def _words() -> Words:
    """The words in the language of who looks at the page."""
    return words_of(language_of(ui.context.client.request.headers))
