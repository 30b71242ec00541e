"""Looking into files in a process of its own: parsing would hold up everybody who is on the page."""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from time import monotonic
from typing import Any, Literal, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from wolf_chatbox.config import CleanConfig, ReadConfig, TrainConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.cleaning import clean, publishable
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, WolfChatboxError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.samples.inspection import Inspection, inspect

Result = TypeVar("Result")
Tell = Callable[[int], None]
AT_ONCE = 2
"""Processes at once; who comes later waits."""
NICE = 5
EVERY = 0.25
"""Seconds between two signs of life."""


class _Message(NamedTuple):
    kind: Literal["sign", "result", "known", "fault"]
    value: Any


async def look(
    files: Sequence[str],
    read: ReadConfig | None = None,
    cleaning: CleanConfig | None = None,
    *,
    model: str | None = None,
    tell: Tell | None = None,
) -> Inspection:
    """What is in files, read and cleaned; `tell` hears how many turns were read so far.

    With a base `model` that is on this machine, also lengths in its tokens and samples as it sees them. Cancelled, it
    ends the process. Raises what reading raises.
    """
    return await away(_look, tuple(files), read, cleaning or CleanConfig(), model, tell=tell)


async def away(work: Callable[..., Result], *given: Any, tell: Tell | None = None) -> Result:
    """The result of `work(*given, tell)` from a process of its own; cancelled, it ends the process.

    What goes in and comes out is pickled. Raises the known errors of the work, and DataError where its process ends
    without a word, which happens when memory runs out.
    """
    async with _places():
        context = get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(sender, work, given), daemon=True)
        try:
            process.start()
            sender.close()
            while True:
                kind, value = await asyncio.to_thread(receiver.recv)
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
                "reading was ended from outside, perhaps because memory ran out. Close other programs, or give fewer "
                "files at once."
            ) from None
        finally:
            process.kill()  # it writes nothing; what the thread above waits for then ends, too
            await asyncio.shield(asyncio.to_thread(_end, process, receiver))


def _end(process: BaseProcess, receiver: Connection) -> None:
    process.join()
    process.close()
    receiver.close()


_semaphores: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _places() -> asyncio.Semaphore:
    """The places for processes, of the loop that runs."""
    return _semaphores.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))


def _work(sender: Connection, work: Callable[..., Any], given: Sequence[Any]) -> None:
    """What the process does; whoever talks on the page comes first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    os.nice(NICE)
    try:
        answer = _Message("result", work(*given, lambda value: sender.send(_Message("sign", value))))
    except WolfChatboxError as error:
        answer = _Message("known", error)
    except Exception:
        answer = _Message("fault", traceback.format_exc())
    sender.send(answer)


def _look(
    files: Sequence[str], read: ReadConfig | None, cleaning: CleanConfig, model: str | None, tell: Tell
) -> Inspection:
    tally = Tally()
    cleaned = clean(counted(read_conversations(files, read, tally), tally, tell), cleaning, tally)
    conversations = list(publishable(cleaned, cleaning))
    if not conversations:
        raise tally.nothing_in(files)
    if model is None:
        return inspect(conversations, tally)
    from wolf_chatbox.model.hub import locate
    from wolf_chatbox.model.light_tokenizer import load_light  # without transformers, whose import takes seconds
    from wolf_chatbox.samples.dataset import choose, make_rows

    config = TrainConfig(data=tuple(files), model=model, read=read or ReadConfig(), clean=cleaning)
    material = choose(config, conversations, tally)
    dataset = make_rows(material, config, load_light(model, locate(model)), config.max_tokens)
    return inspect(conversations, tally, dataset, model)


def counted(conversations: Iterator[Conversation], tally: Tally, tell: Tell) -> Iterator[Conversation]:
    """The conversations, while `tell` hears now and then how many turns were read."""
    last = monotonic()
    for conversation in conversations:
        if monotonic() - last > EVERY:
            tell(tally.read)
            last = monotonic()
        yield conversation
