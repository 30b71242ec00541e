"""`wolf-chatbox werewolf tournament`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, nullcontext
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from wolf_chatbox.cli.pulse import Pulse
from wolf_chatbox.files import check_place, new_file
from wolf_chatbox.play.casting import Cast
from wolf_chatbox.play.tournament.config import TournamentConfig
from wolf_chatbox.play.tournament.games import Order
from wolf_chatbox.play.tournament.league import Record, play
from wolf_chatbox.play.tournament.outcome import Outcome
from wolf_chatbox.screen import Screen


def tournament(config: TournamentConfig | None = None) -> int:
    """Let players play many games, and tell how good they are: win rates, ratings and measures, with intervals.

    Each finished game is kept at once; after Ctrl-C the same command goes on.
    """
    config = config or TournamentConfig()
    for file in (config.html, config.json):
        if file is not None:
            check_place(file, overwrite=config.overwrite)
    console, screen = Screen(stderr=True), Screen()
    found = gather(
        config.order(),
        range(config.games),
        config.output,
        console,
        workers=config.workers,
        ray=config.ray,
        fresh=config.fresh,
    )
    write(config, found, screen)
    return 0


def gather(
    order: Order,
    numbers: Sequence[int],
    folder: Path,
    console: Screen,
    *,
    workers: int | None = None,
    ray: str | None = None,
    fresh: bool = False,
) -> list[Outcome]:
    """Play the games that are not in the folder yet, and give all."""
    Cast(order.config).check(order.contest.players, "contestants")  # before --fresh removes anything
    record = Record(folder, order)
    with record.open(fresh=fresh) as found:
        left = [game for game in numbers if game not in found]
        if len(left) < len(numbers):
            console.say(f"{len(numbers) - len(left):,} games are in {folder}; {len(left):,} are left.")
        with closing(play(order, left, workers, ray, console.say)) as games, _bar(console) as bar:
            task = bar.add_task("games", total=len(numbers), completed=len(numbers) - len(left))
            with nullcontext() if console.is_terminal else Pulse(console.say, f"playing {len(left):,} games"):
                for outcome in games:
                    record.add(outcome)
                    found[outcome.game] = outcome
                    bar.advance(task)
    return [found[game] for game in numbers]


def _bar(console: Screen) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def write(config: TournamentConfig, outcomes: list[Outcome], screen: Screen) -> None:
    """Show the results, and write them wherever they belong."""
    from wolf_chatbox.evaluate.report.card import plain, to_json
    from wolf_chatbox.play.tournament.report import show, to_html
    from wolf_chatbox.play.tournament.results import results

    found = plain(results(config.order().contest, outcomes))
    show(found, screen)
    for file, text in ((config.json, to_json), (config.html, to_html)):
        if file is not None:
            with new_file(file, overwrite=config.overwrite) as out:
                out.write(text(found))
            screen.say(f"{'The page' if text is to_html else 'Everything'} is in {file}.")
