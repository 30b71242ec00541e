"""The curves of a training: the loss of the updates, and the held-out perplexity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui import ui

from wolf_chatbox.page.charts import Lines
from wolf_chatbox.page.making.story import Story

POINTS = 200
"""Points of a line at most; each is the mean of several updates where there are more."""
HEIGHT = 200


class Curves:
    """Two charts side by side; they keep their room before there is anything to draw."""

    def __init__(self, t: Callable[..., str]) -> None:
        self._drawn = (0, 0)
        self._names = (t("training.loss"), t("training.perplexity"))
        self._charts: list[Lines] = []
        with ui.element("div").classes("new-curves"):
            for name in self._names:
                with ui.element("div").classes("new-curve"):
                    self._charts.append(Lines(t("training.update"), name, height=HEIGHT))

    def show(self, story: Story) -> None:
        """Draw what there is, if it is more than before."""
        drawn = (len(story.losses), len(story.perplexities))
        if drawn == self._drawn:
            return
        self._drawn = drawn
        for chart in self._charts:  # as wide as the whole training, so that one sees how far it is
            chart.picture.options["xAxis"] |= {"min": 0, "max": max(1, story.updates)}
        for chart, name, points in zip(self._charts, self._names, (averaged(story.losses), story.perplexities)):
            chart.show({name: points})


def averaged(points: Sequence[tuple[int, float]], most: int = POINTS) -> list[tuple[int, float]]:
    """At most so many points: each the mean of a stretch, at its end."""
    width = -(-len(points) // most) or 1
    stretches = [points[at : at + width] for at in range(0, len(points), width)]
    return [(stretch[-1][0], sum(value for _, value in stretch) / len(stretch)) for stretch in stretches]
