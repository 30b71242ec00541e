"""`wolf-chatbox data list`, `get` and `werewolf`: download and convert public data sets."""

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
    """List public data sets of conversations: content, languages, size and licence.

    Parameters
    ----------
    json_
        Print the list as JSON.
    """
    known = catalogue.sets().values()
    if json_:
        print(visible_json([data_set.to_dict() for data_set in known]))
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
    for data_set in known:
        size = f"{data_set.bytes / 1e6:.1f} MB" if data_set.bytes else "?"
        fetched = bool(data_set.files) and not download.left(data_set)
        here = "yes" if fetched else "by hand" if data_set.by_hand else "no"
        languages, licence = ", ".join(data_set.languages), data_set.licence or "none stated"
        table.add_row(data_set.name, languages, str(data_set.games or ""), size, licence, here)
    console.print(table)
    for data_set in known:
        source = (f"cite: {data_set.citation}\n{data_set.address}", "dim")
        about = painted((f"\n{data_set.name}: {data_set.what}\n", ""), source)
        console.print(about, soft_wrap=not console.is_terminal)
    return 0


def get(
    names: Annotated[tuple[str, ...], Parameter(required=True, consume_multiple=True)],
    *,
    from_: From = None,
    output: Output = None,
    overwrite: bool = False,
) -> int:
    """Download public data sets, verify their checksums, and convert each to a file of conversations.

    Parameters
    ----------
    names
        Names of data sets, as listed by `wolf-chatbox data list`.
    from_
        Use the files in this folder instead of downloading them; they are recognised by their checksums.
    output
        Write all sets to this one file; by default each set gets its own, NAME.jsonl.
    overwrite
        Replace existing files.
    """
    wanted = [find_set(name) for name in dict.fromkeys(names)]
    own = [([data_set], Path(f"{data_set.name}.jsonl")) for data_set in wanted]
    jobs = [(wanted, output)] if output is not None else own
    for several, place in jobs:
        tally, count, changed = write_sets(fetch(several, from_), place, overwrite)
        account(tally)
        _say(f"{count} conversations in {place}" + ("" if changed else " (unchanged)"))
    return 0


def werewolf(
    names: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    *,
    from_: From = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("werewolf"),
    overwrite: bool = False,
) -> int:
    """Build one corpus of public werewolf games: a file per language, the licences, and a datasheet.

    Parameters
    ----------
    names
        Names of data sets with games; by default all that are freely licensed and have checksums.
    from_
        Use the files in this folder instead of downloading them; they are recognised by their checksums.
    output
        Output folder.
    overwrite
        Replace an existing corpus.
    """
    wanted = [find_set(name) for name in dict.fromkeys(names)] or catalogue.werewolf_sets()
    for data_set in wanted:
        if not data_set.games:
            raise ConfigError("names", data_set.name, "contains no werewolf games.")
    parts, changed = write_corpus(fetch(wanted, from_), output, overwrite)
    for part in parts:
        tally = part.tally
        games = ", ".join(f"{count} {language}" for language, count in part.games.most_common())
        turns = f"{tally.read:,} turns read = {tally.kept:,} kept + {tally.dropped.total():,} dropped"
        _say(f"{part.set.name}: {part.games.total()} games ({games}), {turns}")
        for reason, number in tally.dropped.most_common():
            _say(f"  dropped: {number:,} ({reason})")
    left_out = [known.name for known in catalogue.sets().values() if known.games and known not in wanted]
    if left_out and not names:
        _say(f"not included (no checksums): {', '.join(left_out)}. To include them, name all sets that you want.")
    total = sum(part.games.total() for part in parts)
    _say(f"{total} games in {output}, described in {output / 'datasheet.md'}" + ("" if changed else " (unchanged)"))
    return 0


def fetch(wanted: Iterable[PublicSet], source: Path | None) -> Fetched:
    """Download data sets one after the other, with a progress bar."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    fetched = []
    for data_set in wanted:
        if data_set.licence:
            _say(f"{data_set.name}: {data_set.licence} ({data_set.copyright}). Please cite: {data_set.citation}")
        columns = (
            TextColumn(data_set.name, markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        console = Screen(stderr=True)
        silent = not console.is_terminal or not data_set.files
        with Progress(*columns, console=console, transient=True, disable=silent) as progress:
            task = progress.add_task("", total=download.left(data_set))
            fetched.append((data_set, download.fetch(data_set, source, partial(progress.advance, task))))
    return fetched


def _say(text: str) -> None:
    print(text, file=sys.stderr)
