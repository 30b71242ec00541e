"""`wolf-chatbox data list`, `get` and `werewolf`: public sets, fetched and imported."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Column, Table

from wolf_chatbox.cli.data import account
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.public import catalogue, download
from wolf_chatbox.public.catalogue import PublicSet, find_set
from wolf_chatbox.public.collection import Fetched, write_corpus, write_sets
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.visible import visible_json

From = Annotated[Path | None, Parameter(name="--from")]
Output = Annotated[Path | None, Parameter(name=["--output", "-o"])]


def list_sets(*, json_: Annotated[bool, Parameter(name="--json")] = False) -> int:
    """List public sets of conversations: what they are, in which languages, how large, and under which licence.

    Parameters
    ----------
    json_
        Print everything as JSON, for programs.
    """
    known = catalogue.sets().values()
    if json_:
        print(visible_json([each.to_dict() for each in known]))
        return 0
    console = Screen()
    table = Table(
        "name",
        "language",
        Column("games", justify="right"),
        Column("size", justify="right"),
        "licence",
        "here",
        box=None,
        pad_edge=False,
    )
    for each in known:
        size = f"{each.bytes / 1e6:.1f} MB" if each.bytes else "?"
        here = "yes" if each.files and not download.left(each) else "by hand" if each.by_hand else "no"
        table.add_row(
            each.name, ", ".join(each.languages), str(each.games or ""), size, each.licence or "none stated", here
        )
    console.print(table)
    for each in known:
        about = painted((f"\n{each.name}: {each.what}\n", ""), (f"cite: {each.citation}\n{each.address}", "dim"))
        console.print(about, soft_wrap=not console.is_terminal)
    return 0


def get(
    names: Annotated[tuple[str, ...], Parameter(required=True, consume_multiple=True)],
    *,
    from_: From = None,
    output: Output = None,
    overwrite: bool = False,
) -> int:
    """Fetch public sets, check them, and convert each to a file of conversations.

    Parameters
    ----------
    names
        Sets, as `wolf-chatbox data list` names them.
    from_
        Take the files from this folder, not from the network; they are known by their checksums, wherever they lie in it.
    output
        One file for all of them; without it each set gets its own, NAME.jsonl.
    overwrite
        Replace a file that is there.
    """
    wanted = [find_set(name) for name in dict.fromkeys(names)]
    jobs = [(wanted, output)] if output is not None else [([each], Path(f"{each.name}.jsonl")) for each in wanted]
    for several, place in jobs:
        tally, count, changed = write_sets(fetch(several, from_), place, overwrite)
        account(tally)
        _say(f"{count} conversations in {place}" + ("" if changed else " (nothing to do: the same was there)"))
    return 0


def werewolf(
    names: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    *,
    from_: From = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("werewolf"),
    overwrite: bool = False,
) -> int:
    """Make one corpus of public werewolf games: a file a language, their licences, and a datasheet of what is in them.

    Parameters
    ----------
    names
        Sets of games; without any, all that are free and whose files have checksums.
    from_
        Take the files from this folder, not from the network; they are known by their checksums, wherever they lie in it.
    output
        The folder to write.
    overwrite
        Replace a corpus that is there.
    """
    wanted = [find_set(name) for name in dict.fromkeys(names)] or catalogue.werewolf_sets()
    for each in wanted:
        if not each.games:
            raise ConfigError("names", each.name, "is no set of werewolf games.")
    parts, changed = write_corpus(fetch(wanted, from_), output, overwrite)
    for part in parts:
        tally = part.tally
        games = ", ".join(f"{count} {language}" for language, count in part.games.most_common())
        _say(
            f"{part.set.name}: {part.games.total()} games ({games}), {tally.read:,} utterances read = {tally.kept:,} kept"
        )
        for reason, number in tally.dropped.most_common():
            _say(f"  dropped: {number:,} ({reason})")
    left_out = [each.name for each in catalogue.sets().values() if each.games and each not in wanted]
    if left_out and not names:
        _say(
            f"left out, as their files have no checksums: {', '.join(left_out)}. Name all the sets that you want to have them in it."
        )
    total = sum(part.games.total() for part in parts)
    _say(
        f"{total} games in {output}, described in {output / 'datasheet.md'}"
        + ("" if changed else " (nothing to do: the same was there)")
    )
    return 0


def fetch(wanted: Iterable[PublicSet], source: Path | None) -> Fetched:
    """Fetch sets one after the other, with a bar for what has to come."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    fetched = []
    for each in wanted:
        if each.licence:
            _say(f"{each.name}: {each.licence} ({each.copyright}). Please cite: {each.citation}")
        columns = (
            TextColumn(each.name, markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        console = Screen(stderr=True)
        with Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal or not each.files
        ) as progress:
            task = progress.add_task("", total=download.left(each))
            fetched.append((each, download.fetch(each, source, partial(progress.advance, task))))
    return fetched


def _say(text: str) -> None:
    print(text, file=sys.stderr)
