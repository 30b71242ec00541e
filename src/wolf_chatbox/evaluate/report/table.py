"""The figures on a terminal: a row a measure, a column an entry, as wide as there is room."""

from __future__ import annotations

from collections.abc import Sequence

from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wolf_chatbox.evaluate.report.verdict import SURE, Form, best, compare, grouped, interval, named, number
from wolf_chatbox.screen import Screen, painted

BETTER, WORSE = "▲", "▼"
TITLE, SHORT_TITLE = 30, 20
"""Columns of a measure's title on a terminal; a longer one is wrapped."""


def show(found: Form, screen: Screen) -> None:
    """Print the figures; entries that do not fit side by side stand below each other."""
    tables, beside = _tables(found, screen)
    for made in tables:
        put(made, screen)
    base = next(iter(named(found, "base")), None)
    if base is not None:
        text = f"{BETTER} better, {WORSE} worse than {base} (p < {SURE}); bold: better than all other models; "
        screen.say(text + f"{'in brackets' if beside else 'below'}: 95 % interval.", "dim")


def put(made: Table, screen: Screen) -> None:
    """Print a table; a log gets it whole, however wide it is."""
    room = screen.width
    if not screen.is_terminal:
        screen.width = max(room, _width(made, screen))
    screen.print(made)
    screen.width = room


def _tables(found: Form, screen: Screen) -> tuple[list[Table], bool]:
    """The tables, and whether an interval stands beside its figure; else it stands below."""
    rest = [entry["name"] for entry in found["entries"]]
    wide = _table(found, rest, beside=True, title=TITLE if screen.is_terminal else None)
    if not screen.is_terminal or _width(wide, screen) <= screen.width:
        return [wide], True
    tables = []
    while rest:
        for count in range(len(rest), 0, -1):
            made = _table(found, rest[:count], beside=False, title=SHORT_TITLE)
            if _width(made, screen) <= screen.width:
                break
        tables.append(made)
        rest = rest[count:]
    return tables, False


def _width(made: Table, screen: Screen) -> int:
    return Measurement.get(screen, screen.options.update(width=10_000), made).maximum


def _table(found: Form, names: Sequence[str], *, beside: bool, title: int | None) -> Table:
    """A table with a column for each name; titles of measures are at most `title` columns wide."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    made.add_column("", max_width=title)
    for name in names:
        made.add_column(painted((name, "bold")), justify="left", no_wrap=True)
    for group, measures in grouped(found).items():
        made.add_row(painted((group, "bold cyan")))
        for measure in measures:
            figures = (_cell(found, measure, name, beside=beside) for name in names)
            made.add_row(Padding(painted((measure["title"], "")), (0, 0, 0, 2)), *figures)
    return made


def _cell(found: Form, measure: Form, name: str, *, beside: bool) -> Text:
    figure = measure["figures"][name]
    base, humans = (next(iter(named(found, kind)), None) for kind in ("base", "humans"))
    verdict = compare(measure, name, base, humans) if base and name in named(found, "run") else None
    mark = ("", "") if verdict is None or not verdict.sure else (BETTER, "green") if verdict.better else (WORSE, "red")
    style = "bold" if best(found, measure) == name else ""
    bounds = interval(measure, figure)
    return painted(
        (number(measure, figure["value"]), style),
        (f" {mark[0]}" if mark[0] else "", mark[1]),
        ((f" ({bounds})" if beside else f"\n{bounds}") if bounds else "", "dim"),
    )
