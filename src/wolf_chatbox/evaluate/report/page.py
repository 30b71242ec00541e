"""The results as one HTML page that needs no other file or host: light and dark, for wide windows and phones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from wolf_chatbox.evaluate.judging.pairs import Pair
from wolf_chatbox.evaluate.judging.votes import Vote
from wolf_chatbox.evaluate.report.card import to_json, without_folders
from wolf_chatbox.evaluate.report.details import Block, blocks
from wolf_chatbox.evaluate.report.plots import Strip, curves, strip
from wolf_chatbox.evaluate.report.verdict import (
    SURE,
    WAYS,
    Form,
    Verdict,
    best,
    compare,
    differences,
    grouped,
    interval,
    named,
    number,
    spread,
)
from wolf_chatbox.training.curves import Curves, compared
from wolf_chatbox.visible import visible

if TYPE_CHECKING:
    from jinja2 import Template

SAMPLES, OPEN = 40, 8
"""Exchanges that are shown, and how many of them at first."""
TITLES = {
    "fit": "Fit by speaker",
    "persona": "Who is told by the words",
    "references": "Against the real replies",
    "diversity": "What is said most often",
    "mauve": "Near the humans as a whole",
    "realness": "What gives the replies away",
    "memorisation": "Copied from the training data",
    "consistency": "Over the turns of a chat",
}
"""Headings of the details, by the measures' file; others have its name."""
CURVES = {
    "loss": "Loss, nats per token, smoothed",
    "held_out": "Held-out loss, nats per token",
    "learning_rate": "Learning rate",
    "tokens_per_second": "Tokens a second, smoothed",
}


class Cell(NamedTuple):
    """A figure in the table."""

    text: str
    bounds: str
    verdict: Verdict | None
    best: bool


class Row(NamedTuple):
    """A measure in the table, and as a plot."""

    measure: Form
    way: str
    cells: list[Cell]
    strip: Strip


class Duel(NamedTuple):
    """Two runs, and where they differ beyond doubt."""

    one: str
    other: str
    rows: list[tuple[Form, list[tuple[str, bool]]]]
    """The measure, and of each run its figure and whether it is the better one."""
    measures: int


def to_html(found: Form, asked: Sequence[Pair] = (), trained: Mapping[str, Curves] | None = None) -> str:
    """The page of the results' JSON form, with a blind vote about the pairs, and the training curves of its runs.

    What comes from the data is escaped; its control characters and direction marks are visible.
    """
    data = json.dumps([_asked(pair) for pair in asked])
    samples = list(enumerate(found["samples"], 1))
    page = _template().render(
        found=found,
        kinds={entry["name"]: entry["kind"] for entry in found["entries"]},
        colours=colours(found),
        groups={group: [_row(found, measure) for measure in measures] for group, measures in grouped(found).items()},
        base=next(iter(named(found, "base")), None),
        duels=list(_duels(found)),
        details=list(_details(found)),
        votes=found.get("votes"),
        asked=json.loads(data),
        ballot=hashlib.sha256(data.encode()).hexdigest()[:16],
        trained=[(CURVES[kind], curves(lines)) for kind, lines in compared(trained or {}).items()],
        samples=spread(samples, SAMPLES),
        open=OPEN,
        settings=to_json(without_folders(found["settings"])),
        sure=SURE,
    )
    return visible(page)


def colours(found: Form) -> dict[str, str]:
    """A colour of the page's style for each entry: the humans' and the base model's, and one a run."""
    runs = {name: f"var(--run{at % 5})" for at, name in enumerate(named(found, "run"))}
    others = {entry["name"]: f"var(--{entry['kind']})" for entry in found["entries"] if entry["kind"] != "run"}
    return runs | others


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    page = Environment(
        loader=PackageLoader("wolf_chatbox", "evaluate/report"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return page.get_template("page.html")


def _row(found: Form, measure: Form) -> Row:
    base, humans = (next(iter(named(found, kind)), None) for kind in ("base", "humans"))
    winner = best(found, measure)
    names = [entry["name"] for entry in found["entries"]]

    def cell(name: str) -> Cell:
        against = base is not None and name in named(found, "run")
        verdict = compare(measure, name, base, humans) if against and base else None
        figure = measure["figures"][name]
        return Cell(number(measure, figure["value"]), interval(measure, figure), verdict, name == winner)

    return Row(measure, WAYS[measure["better"]], [cell(name) for name in names], strip(measure, names))


def _duels(found: Form) -> Iterator[Duel]:
    """Each two runs."""
    runs = named(found, "run")
    for at, one in enumerate(runs):
        for other in runs[at + 1 :]:
            rows, count = differences(found, one, other)
            shown = [
                (
                    measure,
                    [
                        (number(measure, measure["figures"][name]["value"]), verdict.better == (name == one))
                        for name in (one, other)
                    ],
                )
                for measure, verdict in rows
            ]
            yield Duel(one, other, shown, count)


def _details(found: Form) -> Iterator[Block]:
    entries = [entry["name"] for entry in found["entries"]]
    for name, details in found["details"].items():
        laid_out = list(blocks(details, entries))
        if laid_out:
            yield Block("heading", TITLES.get(name, name.replace("_", " ").capitalize()), 2)
            yield from laid_out


def _asked(pair: Pair) -> dict[str, Any]:
    """A pair as the page's script takes it; it makes lines of votes of it, in the form of `Vote.to_dict`."""
    form = Vote(pair, "first", "").to_dict()
    return {
        "prompt": form["prompt"],
        "a": form["chosen"],
        "b": form["rejected"],
        "by": [pair.first.entry, pair.second.entry],
        "conversation": pair.conversation,
    }
