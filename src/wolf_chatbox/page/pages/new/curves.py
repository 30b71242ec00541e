"""The curves of a training: the loss of each update, and the held-out perplexity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from wolf_chatbox.page.making.story import Story

POINTS = 300
"""Points of a curve at most; each is the mean of several updates where there are more."""
COLOURS = ("#4a78c8", "#c98a2b")
QUIET = "#8b8f9a"


class Curves:
    """Two charts side by side; they keep their room before there is anything to draw."""

    def __init__(self, t: Callable[..., str]) -> None:
        self._drawn = (-1, -1)
        with ui.element("div").classes("new-curves"):
            self.loss = _chart(t("training.loss"), COLOURS[0], points=False)
            self.perplexity = _chart(t("training.perplexity"), COLOURS[1], points=True)

    def show(self, story: Story) -> None:
        """Draw what there is, if it is more than before."""
        drawn = (len(story.losses), len(story.perplexities))
        if drawn == self._drawn:
            return
        self._drawn = drawn
        for chart, points in ((self.loss, thinned(story.losses)), (self.perplexity, story.perplexities)):
            chart.options["xAxis"]["max"] = max(story.updates, 1)
            chart.options["series"][0]["data"] = [[update, round(value, 4)] for update, value in points]
            chart.update()


def thinned(points: Sequence[tuple[int, float]], most: int = POINTS) -> list[tuple[int, float]]:
    """At most so many points: each the mean of a stretch, at its end."""
    width = -(-len(points) // most) or 1
    stretches = [points[at : at + width] for at in range(0, len(points), width)]
    return [(stretch[-1][0], sum(value for _, value in stretch) / len(stretch)) for stretch in stretches]


def _chart(title: str, colour: str, *, points: bool) -> ui.echart:
    axis: dict[str, Any] = {
        "axisLabel": {"color": QUIET, "fontSize": 11, "hideOverlap": True},
        "axisLine": {"lineStyle": {"color": QUIET, "opacity": 0.5}},
        "splitLine": {"lineStyle": {"color": QUIET, "opacity": 0.18}},
    }
    with ui.element("figure").classes("new-curve"):
        with ui.element("figcaption"):
            ui.label(title).classes("quiet small")
        chart = ui.echart(
            {
                "animation": False,
                "grid": {"left": 8, "right": 14, "top": 12, "bottom": 4, "containLabel": True},
                "tooltip": {"trigger": "axis", "confine": True},
                "xAxis": axis | {"type": "value", "min": 0, "max": 1, "splitLine": {"show": False}},
                "yAxis": axis | {"type": "value", "scale": True},
                "series": [
                    {
                        "type": "line",
                        "name": title,
                        "data": [],
                        "showSymbol": points,
                        "symbolSize": 7,
                        "lineStyle": {"width": 2},
                        "color": colour,
                    }
                ],
            }
        )
        chart.classes("new-chart").props(f'role=img aria-label="{title}"')
    return chart
