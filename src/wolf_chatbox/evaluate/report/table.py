"""The figures on a terminal: a row a measure, a column an entry, as wide as there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from wolf_chatbox.evaluate.report.verdict import SURE, Form, best, compare, grouped, interval, named, number
from wolf_chatbox.screen import Screen, painted

BETTER, WORSE = "▲", "▼"


def show(found: Form, screen: Screen) -> None:
    """Print the figures; entries that do not fit side by side stand below each other."""
    names = [entry["name"] for entry in found["entries"]]
    for part, whole in _parts(found, names, screen):
        made = _table(found, part, whole=whole)
        room = screen.width
        if not screen.is_terminal:  # a log stays whole
            screen.width = max(room, _width(made, screen))
        screen.print(made)
        screen.width = room
    base = next(iter(named(found, "base")), None)
    if base is not None:
        text = f"{BETTER} better, {WORSE} worse than {base} (p < {SURE}); bold: better than all other models; "
        screen.say(text + f"{'in brackets' if whole else 'below'}: 95 % interval.", "dim")


def _parts(found: Form, names: Sequence[str], screen: Screen) -> Iterator[tuple[Sequence[str], bool]]:
    """The entries of each table, and whether an interval stands beside its figure; else it stands below."""

    def fits(part: Sequence[str], whole: bool) -> bool:
        return _width(_table(found, part, whole=whole), screen) <= screen.width

    if not screen.is_terminal or fits(names, True):
        yield names, True
        return
    rest = list(names)
    while rest:
        most = next((count for count in range(len(rest), 1, -1) if fits(rest[:count], False)), 1)
        yield rest[:most], False
        rest = rest[most:]


def _width(made: Table, screen: Screen) -> int:
    return Measurement.get(screen, screen.options.update(width=10_000), made).maximum


def _table(found: Form, names: Sequence[str], *, whole: bool) -> Table:
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    made.add_column("", no_wrap=True)
    for name in names:
        made.add_column(painted((name, "bold")), justify="left", no_wrap=True)
    for group, measures in grouped(found).items():
        made.add_row(painted((group, "bold cyan")))
        for measure in measures:
            made.add_row(f"  {measure['title']}", *(_cell(found, measure, name, whole=whole) for name in names))
    return made


def _cell(found: Form, measure: Form, name: str, *, whole: bool) -> Text:
    figure = measure["figures"][name]
    base, humans = (next(iter(named(found, kind)), None) for kind in ("base", "humans"))
    verdict = compare(measure, name, base, humans) if base and name in named(found, "run") else None
    mark = ("", "") if verdict is None or not verdict.sure else (BETTER, "green") if verdict.better else (WORSE, "red")
    style = "bold" if best(found, measure) == name else ""
    bounds = interval(measure, figure)
    return painted(
        (number(measure, figure["value"]), style),
        (f" {mark[0]}" if mark[0] else "", mark[1]),
        ((f" ({bounds})" if whole else f"\n{bounds}") if bounds else "", "dim"),
    )
