"""Curves on a terminal, in braille: eight dots a character, one colour a line, its name at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.training.curves import Point

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a character, by row and column (Unicode 6.0, chapter 15.10)."""
HEIGHT, NAME, WIDEST = 8, 16, 100
"""Rows of a plot; columns of a name; columns of a plot."""


def plot(lines: Mapping[str, Sequence[Point]], screen: Screen) -> list[Text]:
    """Lines in one field, with the ends of both scales; what is too narrow for a name has none."""
    points = [(x, y) for line in lines.values() for x, y in line if y is not None]
    if not points:
        return []
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    least, most = min(y for _, y in points), max(y for _, y in points)
    scale = [plain(most), *[""] * (HEIGHT - 2), plain(least)]
    margin = max(map(len, scale))
    named = len(lines) > 1 and screen.width >= 50
    columns = max(8, min(screen.width, WIDEST) - margin - 2 - (NAME if named else 0))
    field = [[(0, "")] * columns for _ in range(HEIGHT)]
    ends: dict[int, list[tuple[str, str]]] = {}
    for at, (name, line) in enumerate(lines.items()):
        colour, last = COLOURS[at % len(COLOURS)], 0
        for x, y in _dots(line, (left, right), (least, most), columns):
            bits, _ = field[y // 4][x // 2]
            field[y // 4][x // 2] = (bits | DOTS[y % 4][x % 2], colour)
            last = y // 4
        place = next(row for row in (*range(last, HEIGHT), *range(last)) if row not in ends or row == last - 1)
        ends.setdefault(place, []).append((set_cell_size(name, min(cell_len(name), NAME - 1)), colour))
    rows = []
    for number, (label, cells) in enumerate(zip(scale, field)):
        names = ends.get(number, []) if named else []
        drawn = [(chr(0x2800 + bits) if bits else " ", colour) for bits, colour in cells]
        rows.append(painted((f"{label:>{margin}} │", "dim"), *drawn, *((f" {name}", colour) for name, colour in names)))
    below = f"{plain(left)}{plain(right):>{columns - len(plain(left))}}"
    return [*rows, painted((f"{'':>{margin}} └{'─' * columns}\n{'':>{margin}}  {below}", "dim"))]


def _dots(
    line: Sequence[Point], across: tuple[float, float], up: tuple[float, float], columns: int
) -> list[tuple[int, int]]:
    """The dots of a line, without gaps between two of its points, from left to right and from the top down."""

    def place(value: float, ends: tuple[float, float], count: int) -> int:
        return round((value - ends[0]) / ((ends[1] - ends[0]) or 1) * (count - 1))

    dots: list[tuple[int, int]] = []
    for x, y in line:
        if y is None:
            continue
        here = place(x, across, 2 * columns), 4 * HEIGHT - 1 - place(y, up, 4 * HEIGHT)
        before = dots[-1] if dots else here
        steps = max(abs(here[0] - before[0]), abs(here[1] - before[1]), 1)
        dots += [
            (
                round(before[0] + (here[0] - before[0]) * at / steps),
                round(before[1] + (here[1] - before[1]) * at / steps),
            )
            for at in range(1, steps + 1)
        ]
    return dots


def plain(value: float) -> str:
    """The end of a scale."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
