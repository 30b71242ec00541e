"""Runs of `train` in processes of their own: to be killed, or several at once that exchange gradients."""

from __future__ import annotations

import multiprocessing
import os
import socket
import warnings
from pathlib import Path
from typing import Any

import torch

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.model.record import read_run
from wolf_chatbox.training.run_folder import RunFolder

context = multiprocessing.get_context("forkserver")
if not torch.cuda.is_available():
    # transformers asks for GPUs when it is imported, and CUDA fails in forks of a process that asked. An optimizer
    # calls CUDA even when it computes on the CPU, so where there is a GPU each child imports anew.
    context.set_forkserver_preload(
        [
            "wolf_chatbox.training.loop",
            "transformers.models.gpt2.modeling_gpt2",
            "transformers.models.llama.modeling_llama",
            "peft",
        ]
    )


def ready() -> None:
    """Wait until a process starts at once: the first one waits for all the imports."""
    process = context.Process(target=int)
    process.start()
    process.join()


def start(config: TrainConfig, environment: dict[str, str] | None = None, stop_after: int | None = None) -> Any:
    """A process that trains; with `stop_after` it asks itself to stop after that update."""
    process = context.Process(target=_train, args=(config, environment or {}, stop_after), daemon=True)
    process.start()
    return process


def together(
    count: int, config: TrainConfig, environment: dict[str, str] | None = None, stop_after: int | None = None
) -> None:
    """Train in `count` processes that know of each other, and wait for them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
    } | (environment or {})
    running = [
        start(config, shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}, stop_after if rank == 0 else None)
        for rank in range(count)
    ]
    for process in running:
        process.join(600)
    codes = [process.exitcode for process in running]
    for process in running:
        process.kill()
    assert codes == [0] * count, codes


def is_finished(output: Path) -> bool:
    run = read_run(output) if output.is_dir() else None
    return run is not None and bool(run["finished"]) and not RunFolder(output).states()


def _train(config: TrainConfig, environment: dict[str, str], stop_after: int | None) -> None:
    os.environ.update({"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"} | environment)
    import signal

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    from wolf_chatbox.training.loop import train
    from wolf_chatbox.training.progress import Progress, Updated

    def tell(event: Progress) -> None:
        if isinstance(event, Updated) and event.update == stop_after:
            os.kill(os.getpid(), signal.SIGTERM)

    train(config, tell)
