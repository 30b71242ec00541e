"""Games on a Ray cluster: a task is a chunk of games, and the same games come out as in this computer alone.

https://docs.ray.io/en/latest/ray-core/walkthrough.html. Each machine needs wolf_chatbox, and what its players load.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

from wolf_chatbox.errors import DataError
from wolf_chatbox.play.tournament.games import Order, chunks, loaded, play_chunk
from wolf_chatbox.play.tournament.outcome import Outcome

LOCAL = "local"
SECONDS = 10.0
"""How long a cluster may take to answer."""
AHEAD = 2
"""Tasks that wait for each processor, at most."""


def play_on_ray(
    order: Order, games: Sequence[int], address: str, workers: int | None = None
) -> Generator[Outcome, None, None]:
    """Play games on a cluster, in any order; `workers` are the processors that are used, all by default.

    Raises DataError where Ray is not installed, or does not answer.
    """
    loaded(order)  # what cannot be played is told here, in one line
    with _joined(address, workers) as ray:
        room = max(1, workers or int(ray.cluster_resources().get("CPU", 1)))
        task = ray.remote(num_cpus=1)(_play)
        waiting = chunks(games, room)
        running = [task.remote(order, part) for part in islice(waiting, AHEAD * room)]
        while running:
            done, running = ray.wait(running)
            running += [task.remote(order, part) for part in islice(waiting, len(done))]
            for part in done:
                yield from (Outcome.from_dict(form, "a task of Ray") for form in ray.get(part))


def _play(order: Order, games: Sequence[int]) -> list[dict[str, Any]]:
    return [outcome.to_dict() for outcome in play_chunk(order, games)]


def _reach(address: str) -> None:
    """Raise DataError where nobody listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal()):
        return
    try:
        socket.create_connection((host, int(port)), SECONDS).close()
    except (OSError, OverflowError) as error:
        raise DataError(f"{address}: no Ray cluster answers ({error}). Start one, or use --ray local.") from error


@contextmanager
def _joined(address: str, workers: int | None) -> Iterator[Any]:
    """Ray, joined to a cluster; a local one is this process's alone, on the loopback, and leaves nothing behind."""
    _reach(address)
    # Before the import, which reads them: no word to anybody about who uses it, and a local cluster's own token.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address == LOCAL:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(32)}
    try:
        import ray
    except ImportError as error:
        raise DataError("Ray is not installed. Install it: pip install 'wolf-chatbox[cluster]'") from error
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    with TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        if address == LOCAL:
            settings |= {"num_cpus": workers or os.cpu_count(), "include_dashboard": False, "_temp_dir": folder}
            settings |= {"_node_ip_address": "127.0.0.1"}
        try:
            ray.init(address=address, **settings)
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise DataError(f"{address}: no Ray cluster answers ({reason}). Start one, or use --ray local.") from error
        try:
            yield ray
        finally:
            ray.shutdown()
