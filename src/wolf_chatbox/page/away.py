"""Work that would hold up everybody who is on the page, in a process of its own that can be ended at any time."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Literal, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from wolf_chatbox.errors import DataError, WolfChatboxError

Result = TypeVar("Result")
AT_ONCE = 3
"""Processes at once; who comes later waits."""
GRACE = 1.0
"""Seconds that a process has to end by itself."""
NICE = 5
"""Of such a process: who chats comes first."""
CALM = {"OMP_WAIT_POLICY": "passive"}
"""What the surroundings of all processes have: idle threads sleep, so that the page and the chats stay quick."""


class _Message(NamedTuple):
    kind: Literal["sign", "result", "known", "fault"]
    value: Any


async def away(work: Callable[..., Result], *given: Any, tell: Callable[[Any], None] | None = None) -> Result:
    """The result of `work(*given, tell)` from a process of its own; cancelled, it ends the process.

    What goes in and comes out is pickled, also what `tell` hears on the way. Raises the known errors of the work, and
    DataError where its process ends without a word, which happens when memory runs out.
    """
    async with _places():
        loop, context = asyncio.get_running_loop(), get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(sender, work, given), daemon=True)
        process.start()
        sender.close()
        done = False
        try:
            while True:
                kind, value = await loop.run_in_executor(_threads, receiver.recv)
                done = kind != "sign"
                if kind == "result":
                    return value  # type: ignore[no-any-return]
                if kind == "known":
                    raise value
                if kind == "fault":
                    raise RuntimeError(value)
                if tell is not None:
                    tell(value)
        except EOFError:
            raise DataError(
                "the work was ended from outside, perhaps because memory ran out. Close other programs, or give fewer "
                "files at once."
            ) from None
        finally:
            await asyncio.shield(asyncio.to_thread(_end, process, receiver, done))


def _end(process: BaseProcess, receiver: Connection, done: bool) -> None:
    """Let a process end by itself, so that it leaves nothing behind; what still waits to hear of it then ends, too."""
    if not done:
        process.terminate()
    process.join(GRACE)
    process.kill()
    process.join()
    process.close()
    receiver.close()


_semaphores: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
_threads = ThreadPoolExecutor(AT_ONCE, "away")
"""They wait for the processes, so that no thread is missing for files."""


def _places() -> asyncio.Semaphore:
    """The places for processes, of the loop that runs."""
    return _semaphores.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))


def _work(sender: Connection, work: Callable[..., Any], given: Sequence[Any]) -> None:
    """What the process does; it has not loaded torch yet, which reads its surroundings then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
    os.nice(NICE)
    os.environ.update(CALM)
    warnings.simplefilter("ignore")
    _be_silent()
    try:
        answer = _Message("result", work(*given, lambda value: sender.send(_Message("sign", value))))
    except WolfChatboxError as error:
        answer = _Message("known", error)
    except MemoryError:
        answer = _Message("known", DataError("out of memory: choose less data, or a smaller model."))
    except Exception:
        answer = _Message("fault", traceback.format_exc())
    sender.send(answer)


def _be_silent() -> None:
    """Let what libraries print go nowhere: the terminal is the server's, and faults are sent."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
