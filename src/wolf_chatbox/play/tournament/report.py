"""The results of a tournament for people: tables on a terminal, and a page that needs no other file or host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from rich.table import Table

from wolf_chatbox.evaluate.report import table
from wolf_chatbox.evaluate.report.card import to_json
from wolf_chatbox.evaluate.report.details import Block, Grid, blocks
from wolf_chatbox.evaluate.report.page import colours
from wolf_chatbox.evaluate.report.plots import Lines, Strip, curves, strip
from wolf_chatbox.evaluate.report.verdict import SURE, WAYS, Form, best, grouped, interval, number
from wolf_chatbox.play.tournament.needed import games_for, power_of
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.visible import visible

if TYPE_CHECKING:
    from jinja2 import Template

SKILL: Form = {"unit": "", "digits": 1}
POINTS: Form = {"unit": "", "digits": 0}
RATE: Form = {"unit": "%", "digits": 3}
GAMES = range(0, 2001, 20)
"""The games of which a plot tells the power."""


def show(found: Form, screen: Screen) -> None:
    """Print the figures, the ratings by role, and how many games a difference takes."""
    table.show(found, screen)
    for grid in (rated(found), told(found)):
        if grid.rows:
            made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
            for name in grid.columns:
                made.add_column(painted((name, "bold")))
            for row in grid.rows:
                made.add_row(*(painted((cell, "")) for cell in row))
            screen.print()
            table.put(made, screen)
    screen.print()
    for line in said(found):
        screen.say(line)


def rated(found: Form) -> Grid:
    """The ratings by role, a line a role and player."""
    rows = [
        [
            each["role"].lower() or "all roles",
            each["player"],
            *_with_bounds(SKILL, each["skill"]),
            *_with_bounds(POINTS, each["points"]),
        ]
        for each in found["ratings"]
    ]
    return Grid(["role", "player", "OpenSkill", "95 %", "Bradley-Terry", "95 %"], rows)


def told(found: Form) -> Grid:
    """The differences of win rates, a line for each two players and side."""
    rows = []
    for duel in found["duels"]:
        needed, for_5 = duel["games_for_it"], duel["games_for_5_percent"]
        rows.append(
            [
                f"{duel['one']} − {duel['other']}",
                duel["side"],
                *_with_bounds(RATE, duel),
                "—" if needed is None else f"{needed:,}",
                "—" if for_5 is None else f"{for_5:,}",
            ]
        )
    return Grid(["won more often", "as", "difference", "95 %", "games for it", "games for 5 %"], rows)


def said(found: Form) -> Iterator[str]:
    """What a reader should know beside the figures."""
    villagers, contest = found["wilson"]["villagers"], found["wilson"]["contest"]
    low, high = (f"{100 * end:.0f}" for end in villagers["interval"])
    if villagers["games"]:
        share = f"{100 * villagers['won'] / villagers['games']:.1f} %"
        yield (
            f"The villagers' side won {villagers['won']:,} of {villagers['games']:,} games ({share}; "
            f"so many coins would leave {low} to {high} % open)."
        )
    if nobody := found["won"].get("nobody"):
        yield f"Nobody won {nobody:,} games; they count for no win rate and no rating."
    low, high = (f"{100 * end:.0f}" for end in contest["interval"])
    yield (
        f"Few games say little: {contest['won']} of {contest['games']} wins leave {low} to {high} % open. To tell 55 % "
        f"from 45 % takes {games_for(0.55, 0.45):,} games of each player (power 80 %)."
    )


def to_html(found: Form) -> str:
    """The page of the results' JSON form; what players said or are called is escaped, control characters visible."""
    names = [entry["name"] for entry in found["entries"]]
    page = _template().render(
        found=found,
        names=names,
        colours=colours(found),
        groups={group: [_row(found, each, names) for each in measures] for group, measures in grouped(found).items()},
        rated=rated(found),
        plots=list(_by_role(found, names)),
        told=told(found),
        said=list(said(found)),
        power=_power(),
        table=Grid(
            ["difference", "games of each player"],
            [[f"{100 * each['difference']:.0f} %", f"{each['games']:,}"] for each in found["needed"]],
        ),
        accounts=[block for block in blocks(found["accounts"]) if isinstance(block, Block)],
        settings=to_json(found["settings"]),
        sure=SURE,
    )
    return visible(page)


@cache
def _template() -> Template:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    folders = [PackageLoader("wolf_chatbox", folder) for folder in ("play/tournament", "evaluate/report")]
    page = Environment(
        loader=ChoiceLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return page.get_template("tournament.html")


def _row(found: Form, measure: Form, names: Sequence[str]) -> dict[str, Any]:
    """A measure as the page shows it: its cells, and its plot."""
    winner = best(found, measure)
    cells = [(*_with_bounds(measure, measure["figures"][name]), name == winner) for name in names]
    return {"measure": measure, "way": WAYS[measure["better"]], "cells": cells, "strip": strip(measure, names)}


def _by_role(found: Form, names: Sequence[str]) -> Iterator[tuple[str, Strip, Strip]]:
    """Plots of both ratings for each role."""
    for role in dict.fromkeys(each["role"] for each in found["ratings"]):
        rows: Mapping[str, Form] = {each["player"]: each for each in found["ratings"] if each["role"] == role}
        there = [name for name in names if name in rows]
        skill, points = (
            strip({**shape, "figures": {name: rows[name][key] for name in there}}, there)
            for key, shape in (("skill", SKILL), ("points", POINTS))
        )
        yield role.lower() or "all roles", skill, points


def _power() -> Lines:
    """Lines of how surely differences about 50 % are told, by the number of games."""
    return curves(
        {
            f"{100 * gap:.0f} %": [(games, power_of(0.5 + gap / 2, 0.5 - gap / 2, games)) for games in GAMES]
            for gap in (0.05, 0.1, 0.2)
        }
    )


def _with_bounds(form: Form, figure: Form) -> list[str]:
    return [number(form, figure["value"]), interval(form, figure)]
