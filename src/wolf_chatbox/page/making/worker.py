"""The process that trains a character and scores it: `python -m wolf_chatbox.page.making.worker FOLDER`.

It needs no page. When it ends it starts the next one that waits.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
import warnings
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from wolf_chatbox.config import EvaluateConfig, TrainConfig
from wolf_chatbox.errors import CheckpointError, WolfChatboxError
from wolf_chatbox.evaluate.library import NEEDED
from wolf_chatbox.evaluate.report.card import plain, write_beside
from wolf_chatbox.lock import alone
from wolf_chatbox.page.making.making import UNSCORED, Making, read_making
from wolf_chatbox.page.making.queue import Queue
from wolf_chatbox.page.workspace import Workspace
from wolf_chatbox.training.journal import Journal
from wolf_chatbox.training.progress import Notice, Step

NICE = 5
"""Of a training: who chats comes first."""
TRIES, BETWEEN = 40, 0.1
"""How often, and after how many seconds, it is tried whether another training has ended."""


def main(folder: Path) -> None:
    """Train what a folder asks for, unless another one is being trained; then start the next one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored for what runs behind it
    warnings.simplefilter("ignore")
    with suppress(OSError, AttributeError):
        os.nice(NICE)
    making = read_making(folder)
    if making is None:
        return
    workspace = Workspace(folder.parent.parent)
    for _ in range(TRIES):
        try:
            with alone(workspace.making / "training"):
                _serve(making)
            break
        except CheckpointError:
            time.sleep(BETWEEN)
    else:
        making.forget_process()  # the other one starts it when it ends
    if (now := read_making(folder)) is not None and now.pid == os.getpid():
        now.forget_process()
    Queue(workspace).go()


def _serve(making: Making) -> None:
    """Train, and note how it ended."""
    now = read_making(making.folder)
    if now is None or now.state != "waiting":
        return
    making.note_process(os.getpid())
    making.note("running")
    try:
        finished, missing = work(making)
        making.note("done" if finished else "stopped", missing)
    except KeyboardInterrupt:
        making.note("stopped")
    except WolfChatboxError as error:
        making.note("failed", str(error))
    except MemoryError:
        making.note("failed", "out of memory: choose a smaller base model, or fewer tokens a row.")
    except Exception as error:
        traceback.print_exc()  # into the log
        making.note("failed", f"{type(error).__name__}: {error}")


def work(making: Making) -> tuple[bool, str]:
    """Train and score in this process: whether it came to its end, and why there is no scorecard.

    Raises a WolfChatboxError, or KeyboardInterrupt where it was stopped before its first update.
    """
    config, journal = making.read_settings(), Journal(making.journal)
    if not config.resume:
        journal.begin()
    if agreed := making.about.get("agreed"):
        from wolf_chatbox.model import embedded

        embedded.pull(str(agreed), lambda text: journal.tell(Step(text, "fetching")), agreed=True)
    from wolf_chatbox.training.loop import train

    if train(config, journal.tell).interrupted:
        return False, ""
    try:
        return True, score(config, journal)
    except KeyboardInterrupt:
        return True, ""


def score(config: TrainConfig, journal: Journal) -> str:
    """Ask the character what it did not learn, and write the figures beside it; returns why there are none."""
    if any(find_spec(name) is None for name in NEEDED):
        return UNSCORED
    from wolf_chatbox.evaluate.study import evaluate

    run, key = config.output, config.clean.pseudonyms
    asked = EvaluateConfig(runs=(str(run),), data=config.data, quick=True, pseudonyms=key)
    try:
        results = evaluate(asked, lambda text: journal.tell(Step(text, "scoring")))
        write_beside(run, run.name, plain(results.to_dict()))
    except WolfChatboxError as error:
        journal.tell(Notice(str(error)))
        return str(error)
    return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
