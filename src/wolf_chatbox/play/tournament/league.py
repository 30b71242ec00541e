"""Plays the games of a tournament, wherever there is room, and keeps each in a file as soon as it is over.

The file holds a game a line, in the order in which they ended. A line is written at once; of a run that was killed the
last one may be torn, and is played again.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

from wolf_chatbox.conversation import parse_json
from wolf_chatbox.errors import CheckpointError, DataError, Setting
from wolf_chatbox.files import new_file, writing
from wolf_chatbox.lock import alone
from wolf_chatbox.play.tournament.games import Order, chunks, loaded, play_chunk
from wolf_chatbox.play.tournament.outcome import Outcome
from wolf_chatbox.visible import Tell

THINKING = 8
"""Games at once where a model plays, unless another number is set: their seats share forward passes."""


def play(
    order: Order,
    games: Sequence[int],
    workers: int | None = None,
    ray: str | None = None,
    tell: Tell = lambda text: None,
) -> Generator[Outcome, None, None]:
    """Play games, in any order; yields each that is over. The same games come out of any number of workers.

    Players without a model play in `workers` processes. Where a model plays, so many games are played at once in this
    process. `ray` is the address of a cluster, or `local`.
    """
    if ray is not None:
        from wolf_chatbox.play.tournament.cluster import play_on_ray

        yield from play_on_ray(order, games, ray, workers)
        return
    cast = loaded(order, tell)  # what cannot be played is told here, in one line
    if thinks(order):
        stopping = threading.Event()
        with ThreadPoolExecutor(workers or THINKING, thread_name_prefix="game") as pool:
            parts = [partial(play_chunk, order, [game], cast, stopping.is_set) for game in games]
            yield from _gather(pool, parts, stopping.set)
    elif (workers or 1) == 1:
        for game in games:
            yield from play_chunk(order, [game], cast)
    else:
        context = get_context("spawn")
        stop = context.Event()
        with ProcessPoolExecutor(workers, context, _begin, (stop,)) as processes:
            yield from _gather(
                processes, [partial(_play_here, order, part) for part in chunks(games, workers or 1)], stop.set
            )


def thinks(order: Order) -> bool:
    """Whether a language model plays."""
    return any(":" in player for player in order.contest.players)


_stop: list[Event] = []
"""In a process of the pool: what tells that the one that gathers the games has stopped."""


def _begin(stop: Event) -> None:
    """A process of the pool begins; Ctrl-C is for the one that gathers the games."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _stop.append(stop)


def _play_here(order: Order, games: Sequence[int]) -> list[Outcome]:
    return play_chunk(order, games, stopped=_stop[0].is_set)


def _gather(
    pool: Executor, tasks: Sequence[Callable[[], list[Outcome]]], stop: Callable[[], None]
) -> Iterator[Outcome]:
    """The outcomes of all tasks as they come; when nobody listens any more, the rest is given up, and soon."""
    running: set[Future[list[Outcome]]] = {pool.submit(task) for task in tasks}
    try:
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield from future.result()
    finally:
        stop()
        for future in running:
            future.cancel()


class Record:
    """The folder of a tournament: what is played (tournament.json), and the games that are over (games.jsonl)."""

    def __init__(self, folder: Path, order: Order) -> None:
        self.folder, self.order = folder, order
        self.games, self.settings = folder / "games.jsonl", folder / "tournament.json"

    @contextmanager
    def open(self, *, fresh: bool = False) -> Iterator[dict[int, Outcome]]:
        """Be the only process that writes here; gives the games that are over.

        Raises CheckpointError where games of other settings lie, or another process is at work.
        """
        with alone(self.games):
            if fresh:
                with writing(self.folder):
                    self.games.unlink(missing_ok=True)
                    self.settings.unlink(missing_ok=True)
            self._check()
            yield self.read(mend=True)

    def add(self, outcome: Outcome) -> None:
        """Keep a game."""
        line = json.dumps(outcome.to_dict(), ensure_ascii=False) + "\n"
        with writing(self.games), self.games.open("ab") as file:
            file.write(line.encode())

    def read(self, *, mend: bool = False) -> dict[int, Outcome]:
        """The games that are over, by number; a torn last line is left out, and with `mend` removed."""
        if not self.games.exists():
            return {}
        with writing(self.games):
            data = self.games.read_bytes()
            whole = data.rfind(b"\n") + 1
            if mend and whole < len(data):
                os.truncate(self.games, whole)
        found = {}
        for number, line in enumerate(data[:whole].decode("utf-8", "replace").splitlines(), 1):
            where = f"{self.games}, line {number}"
            value = parse_json(line, str(self.games), number)
            if not isinstance(value, dict):
                raise DataError(f"{where}: is no finished game. Choose another output folder.")
            outcome = Outcome.from_dict(value, where)
            if not self.order.conversation or outcome.conversation is not None:
                found[outcome.game] = outcome
        return dict(sorted(found.items()))

    def _check(self) -> None:
        """Write what is played, or raise CheckpointError if something else is played here."""
        played = json.loads(json.dumps(asdict(self.order.contest) | {"playing": asdict(self.order.config)}))
        played_here = self.games.exists() and self.games.stat().st_size > 0
        if not (played_here and self.settings.exists()):
            with new_file(self.settings, overwrite=True) as file:
                file.write(json.dumps(played, ensure_ascii=False, indent=2) + "\n")
            return
        before = parse_json(self.settings.read_text(encoding="utf-8"), str(self.settings))
        if before != played:
            known = before if isinstance(before, dict) else {}
            other = next((name for name in played if known.get(name) != played[name]), "settings")
            remedy = (" Choose another output, or remove them with ", Setting("fresh"), ".")
            raise CheckpointError(f"{self.folder}: holds games of other {other}.", *remedy)
