"""The characters that are being made: one is trained at a time, the others wait in order. All state is in files.

Whoever sees that nothing is trained starts the next one: the page, or the process of the training that has just ended.
So the queue goes on when the page is closed, and a new page finds everything as it is.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

import psutil

from wolf_chatbox.errors import ChatError, CheckpointError
from wolf_chatbox.files import remove, writing
from wolf_chatbox.page.away import CALM
from wolf_chatbox.page.making.making import INTERRUPTED, Making, read_making
from wolf_chatbox.page.workspace import Workspace
from wolf_chatbox.training.run_folder import RunFolder, clear

WORKER = (sys.executable, "-m", "wolf_chatbox.page.making.worker")


@dataclass
class Queue:
    """The makings of a page's folder.

    queue = Queue(workspace)
    making = queue.begin(example="example")
    queue.add(making, {"data": ["example"], "model": "smollm2-135m", "output": "/…/characters/Grimbold"})
    """

    workspace: Workspace
    worker: Sequence[str] = WORKER
    """The command that trains; the making's folder is added to it."""
    _children: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)
    _starting: Lock = field(default_factory=Lock, repr=False)

    def begin(self, **about: Any) -> Making:
        """A new draft; raises CheckpointError when the disk refuses."""
        folder = self.workspace.making / f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        with writing(folder):
            folder.mkdir(parents=True, mode=0o700)
        return Making(folder, {}).change(**about)

    def get(self, id: str) -> Making | None:
        """A making by its id; None where there is none."""
        if not id or not all(sign.isascii() and (sign.isalnum() or sign == "-") for sign in id):
            return None
        return read_making(self.workspace.making / id)

    def all(self) -> list[Making]:
        """Every making, the newest first."""
        folders = sorted(self.workspace.making.glob("[!.]*"), reverse=True)
        return [making for folder in folders if (making := read_making(folder)) is not None]

    def running(self) -> Making | None:
        """The one that is trained, or whose process is about to."""
        return next((each for each in self.all() if each.pid is not None), None)

    def waiting(self) -> list[Making]:
        """Those that wait, the next one first."""
        return sorted((each for each in self.all() if _waits(each)), key=lambda each: each.since)

    def add(self, making: Making, settings: Mapping[str, Any] | None = None) -> None:
        """Let a making be trained as soon as it can be; without settings it goes on with those that it has.

        Raises ConfigError where the settings do not fit, CheckpointError when the disk refuses.
        """
        with self._starting:  # two tabs may ask for it at once, each with what it knew of it
            now = read_making(making.folder)
            if now is None or now.state in ("waiting", "running") or (settings is not None and now.fixed):
                return
            if settings is not None:
                now.write_settings(settings)
            now.forget_process()
            now.note("waiting")
        self.go()

    def go(self) -> None:
        """Start the next one, if nothing is trained; raises CheckpointError when that cannot be."""
        with self._starting:
            self._children = [child for child in self._children if child.poll() is None]
            makings = self.all()
            for each in makings:
                if each.state == "waiting" and each.began and each.pid is None:  # its process ended before it began
                    each.note("failed", each.log_end() or INTERRUPTED)
            if any(each.pid is not None for each in makings):
                return
            if waiting := [each for each in makings if _waits(each)]:
                self._start(min(waiting, key=lambda each: each.since))

    def stop(self, making: Making) -> None:
        """Let a training end after its update, with its state saved; one that waits is taken out of the queue."""
        now = read_making(making.folder)
        if now is None:
            return
        if now.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(now.pid, signal.SIGINT)
        elif now.state == "waiting":
            now.note("stopped")

    def remove(self, making: Making) -> None:
        """Remove a making with its files; the trained character stays, and what a stopped training saved of it goes.

        Raises ChatError while it is trained, CheckpointError when the disk refuses.
        """
        now = read_making(making.folder)
        if now is None:
            return
        if now.pid is not None:
            raise ChatError(f"{now.name}: it is being trained. Stop it first.")
        ours = now.output is not None and now.output.parent == self.workspace.characters.resolve()
        if now.output is not None and ours and now.state in ("stopped", "failed"):
            clear(RunFolder(now.output).unfinished)
        with writing(making.folder):
            gone = making.folder.with_name(f".{making.folder.name}.removed")
            making.folder.rename(gone)
            remove(gone)

    def _start(self, making: Making) -> None:
        environment = os.environ | CALM | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        log = os.open(making.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            child = subprocess.Popen(
                [*self.worker, str(making.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise CheckpointError(f"{making.folder}: the training cannot be started ({error.strerror}).") from error
        finally:
            os.close(log)
        self._children.append(child)
        with suppress(psutil.Error):
            making.note_process(child.pid)

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until the processes that were started here have ended: for tests and scripts."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(child.poll() is None for child in self._children):
            time.sleep(0.02)


def _waits(making: Making) -> bool:
    return making.state == "waiting" and making.pid is None and not making.began
