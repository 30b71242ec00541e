"""Long work of Python's own in a process of its own: reading and cleaning a large file would hold the page up."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from wolf_chatbox.errors import ModelError, WolfChatboxError

Kind = TypeVar("Kind")


async def apart(function: Callable[..., Kind], *arguments: Any) -> Kind:
    """What a function of a module gives, called in another process; raises the WolfChatboxError that it raises.

    The process ends with the page's.
    """
    return await asyncio.to_thread(_called, function, arguments)


def _called(function: Callable[..., Kind], arguments: tuple[Any, ...]) -> Kind:
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of the threads that draw replies
    coming, going = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(going, function, arguments), daemon=True)
    process.start()
    going.close()
    try:
        found: Kind | WolfChatboxError = coming.recv()
    except EOFError:
        raise ModelError("the work ended without a result; the terminal says why. Try it again.") from None
    finally:
        coming.close()
        process.join()
    if isinstance(found, WolfChatboxError):
        raise found
    return found


def _answer(going: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the page, which ends this process
    try:
        found = function(*arguments)
    except WolfChatboxError as error:
        found = error
    going.send(found)
